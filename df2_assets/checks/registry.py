"""The table of all checks: what each is called, what it asks, and the function that answers.

Their registration in Dagster, `verify`, the README and the reports read this table. A new check is
one row here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Final, NamedTuple

import pandas as pd

from df2_assets.checks import crop_quality, crops, sku_groups, sku_metadata
from df2_assets.checks import raw_annotation_index as index
from df2_assets.checks.deepfashion2 import layout
from df2_assets.checks.exports import CHECK, matches_image_text
from df2_assets.checks.finding import Finding
from df2_assets.checks.freshness import LastBuild, freshness
from df2_assets.checks.image_text import coverage_on_disk, matches_metadata
from df2_assets.checks.label_outliers import unlike_crops
from df2_assets.dataset.taxonomy import SPLITS
from df2_assets.exports import NAMES
from df2_assets.exports.record import is_made
from df2_assets.pipeline.indexing import read_files
from df2_assets.store import crop_tree, tables
from df2_assets.store.layout import Roots


@dataclass(frozen=True)
class CheckContext:
    """A split as checks look at it; each table is read once, when the first check needs it.

    The tables raise MissingTableError and ProvenanceError. `max_refused` is a share; limits are
    the strictest by default. `last_build` asks the instance; None where it knows of no build.
    """

    roots: Roots
    split: str
    max_refused: float = 0.0
    max_age_days: float = 0.0
    last_build: Callable[[], LastBuild | None] = lambda: None

    @cached_property
    def index(self) -> pd.DataFrame:
        return self._table("raw_annotation_index")

    @cached_property
    def files(self) -> pd.DataFrame:
        return tables.frame(read_files(self.roots, self.split))

    @cached_property
    def groups(self) -> pd.DataFrame:
        return self._table("sku_groups")

    @cached_property
    def manifest(self) -> pd.DataFrame:
        return self._table("crops")

    @property
    def other_manifests(self) -> dict[str, pd.DataFrame | None]:
        """The manifests of the other splits; None for one that is not built."""
        found = {other: tables.find(self.roots, "crops", other) for other in self._others}
        return {other: None if t is None else tables.frame(t) for other, t in found.items()}

    @cached_property
    def looks(self) -> pd.DataFrame:
        return crop_quality.read_looks(self.roots, self.split)

    @cached_property
    def other_looks(self) -> dict[str, pd.DataFrame | None]:
        """The measured crops of the other splits; None for one that was not measured."""
        return {other: crop_quality.find_looks(self.roots, other) for other in self._others}

    @cached_property
    def alike(self) -> pd.DataFrame:
        return crop_quality.pairs_alike(self.split, self.looks, self.other_looks)

    @property
    def _others(self) -> list[str]:
        return [split for split in SPLITS if split != self.split]

    def _table(self, asset: str) -> pd.DataFrame:
        return tables.frame(tables.read(self.roots, asset, self.split))


class Check(NamedTuple):
    """A check of an asset; a blocking one that fails as an error holds back what follows.

    `find` looks at a split. The pictures of what it finds are in `report/check_pictures.py`.
    """

    asset: str
    name: str
    description: str
    find: Callable[[CheckContext], Finding]
    blocking: bool = False


def _near_duplicate_crops(c: CheckContext) -> Finding:
    not_measured = [other for other, looks in c.other_looks.items() if looks is None]
    return crop_quality.near_duplicate_crops(c.looks, c.alike, not_measured)


def _export(name: str, c: CheckContext) -> Finding:
    return matches_image_text(c.roots, c.split, name)


CHECKS: Final = (
    Check(
        "deepfashion2",
        "layout",
        "Folders and names are as unpacked, with as many images and annotations as were released.",
        lambda c: layout(c.roots, c.split),
    ),
    Check(
        "raw_annotation_index",
        "pairing",
        "Every image has an annotation, and every annotation an image.",
        lambda c: index.pairing(c.split, c.files),
    ),
    Check(
        "raw_annotation_index",
        "refusals_within_limit",
        "No more images, and no more items, are refused than `limits.max_refused` allows.",
        lambda c: index.refusals_within_limit(c.split, c.index, c.files, c.max_refused),
        blocking=True,
    ),
    Check(
        "raw_annotation_index",
        "boxes",
        "Boxes have an area and lie in the image; few are clamped, none is x, y, width, height.",
        lambda c: index.boxes(c.index),
    ),
    Check(
        "raw_annotation_index",
        "labels",
        "Labels are in range, category names match their ids, and scales suit the boxes.",
        lambda c: index.labels(c.index),
    ),
    Check(
        "raw_annotation_index",
        "known_answers",
        "A full train split has 394,661 pairs of items and 337,293 pairs of images.",
        lambda c: index.known_answers(c.split, c.index, c.files),
    ),
    Check(
        "sku_groups",
        "identity",
        "Ids are well formed and unique, every SKU has both domains, and none has style 0.",
        lambda c: sku_groups.identity(c.split, c.groups),
        blocking=True,
    ),
    Check(
        "sku_groups",
        "counts",
        "Usable items make SKUs, a full split as many as published; shows what was left out.",
        lambda c: sku_groups.counts(c.split, c.index, c.groups, c.files),
    ),
    Check(
        "crops",
        "files_match",
        "There is one file for each crop of the manifest, as large as its box, and no other file.",
        lambda c: crops.files_match(c.groups, c.manifest, crop_tree.scan(c.roots, c.split)),
        blocking=True,
    ),
    Check(
        "crops",
        "tiny_crops",
        "No crop has a side under 32 pixels.",
        lambda c: crops.tiny_crops(c.manifest),
    ),
    Check(
        "crops",
        "duplicate_crops",
        "No two crops have the same bytes, within the split or across splits.",
        lambda c: crops.duplicate_crops(c.split, c.manifest, c.other_manifests),
    ),
    Check(
        "sku_metadata",
        "contract",
        "Read back from disk: fields, counts, both domains, order, and a file at each path.",
        lambda c: sku_metadata.contract(c.roots, c.split),
    ),
    Check(
        "image_text",
        "matches_metadata",
        "The lines are the crops of the metadata, one to one and in order.",
        lambda c: matches_metadata(c.roots, c.split),
    ),
    Check(
        "image_text",
        "prompt_coverage",
        "Every prompt names its category, occlusion, viewpoint and domain; all combinations occur.",
        lambda c: coverage_on_disk(c.roots, c.split),
    ),
    Check(
        "image_text",
        "freshness",
        "Made from the download as it is now, no longer ago than `limits.max_age_days`.",
        lambda c: freshness(c.roots, c.split, c.last_build(), c.max_age_days),
    ),
    Check(
        "crop_quality",
        "dark_crops",
        "No crop is so dark that hardly anything can be seen (mean luma under 25 of 255).",
        lambda c: crop_quality.dark_crops(c.looks),
    ),
    Check(
        "crop_quality",
        "blank_crops",
        "No crop is of one colour.",
        lambda c: crop_quality.blank_crops(c.looks),
    ),
    Check(
        "crop_quality",
        "near_duplicate_crops",
        "No crop shows the picture of another in other bytes, of any SKU or split.",
        _near_duplicate_crops,
    ),
    Check(
        "crop_quality",
        "image_in_two_skus",
        "No picture is a crop of two SKUs of the split.",
        lambda c: crop_quality.image_in_two_skus(c.looks, c.alike),
    ),
    Check(
        "crop_quality",
        "unlike_crops",
        "The crops of a SKU look like those of one garment.",
        lambda c: unlike_crops(c.looks, c.groups),
    ),
    *(
        Check(
            name,
            CHECK,
            "Read back from disk: every file, and every row with the JSONL's content; no other.",
            partial(_export, name),
        )
        for name in NAMES
    ),
)


BESIDE: Final = ("crop_quality", *NAMES)
"""Assets beside the data set: their checks are left out where nobody has made them."""


def checks_of(asset: str) -> list[Check]:
    """Return the checks of an asset, in the order of the table."""
    return [check for check in CHECKS if check.asset == asset]


def is_there(asset: str, roots: Roots, split: str) -> bool:
    """Return whether there is anything of an asset to check, of whatever age."""
    if asset in NAMES:
        return is_made(roots, asset, split)
    if asset == "deepfashion2":
        return (roots.df2_root / split).is_dir()
    documents = {"sku_metadata": roots.sku_metadata, "image_text": roots.image_text}
    path = documents[asset](split) if asset in documents else roots.table(asset, split)
    return path.exists()
