"""The table of all checks: of which asset each is, the rule that answers, and what it asks.

Registration in Dagster, `verify`, the README and the reports read this table. A new check is a
rule, which is a function from tables to a `Finding`, and one row here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from inspect import signature
from typing import Final, NamedTuple

import pandas as pd

from df2_assets.checks import crop_quality, crops, refusals, sku_groups
from df2_assets.checks import raw_annotation_index as index
from df2_assets.checks.deepfashion2 import layout
from df2_assets.checks.exports import matches_image_text
from df2_assets.checks.finding import Finding
from df2_assets.checks.freshness import LastBuild, freshness
from df2_assets.checks.image_text import (
    PromptCounts,
    count_prompts,
    matches_metadata,
    prompt_coverage,
)
from df2_assets.checks.label_outliers import unlike_crops
from df2_assets.checks.sku_metadata import contract
from df2_assets.dataset.taxonomy import SPLITS
from df2_assets.exports import NAMES
from df2_assets.exports.record import is_made
from df2_assets.pipeline.indexing import read_files
from df2_assets.store import crop_tree, tables
from df2_assets.store.checksums import digest_each
from df2_assets.store.crop_tree import CropTree
from df2_assets.store.layout import Roots


@dataclass(frozen=True)
class CheckContext:
    """A split as rules see it: the parameters of a rule are attributes of this.

    Each table is read once, when a rule first needs it, and raises MissingTableError or
    ProvenanceError. `max_refused` is a share; limits are the strictest by default.
    `find_last_build` asks the instance, which may know of none.
    """

    roots: Roots
    split: str
    max_refused: float = 0.0
    max_age_days: float = 0.0
    find_last_build: Callable[[], LastBuild | None] = lambda: None

    @cached_property
    def index(self) -> pd.DataFrame:
        return tables.frame(tables.read(self.roots, "raw_annotation_index", self.split))

    @cached_property
    def files(self) -> pd.DataFrame:
        return tables.frame(read_files(self.roots, self.split))

    @cached_property
    def groups(self) -> pd.DataFrame:
        return tables.frame(tables.read(self.roots, "sku_groups", self.split))

    @cached_property
    def manifest(self) -> pd.DataFrame:
        return tables.frame(tables.read(self.roots, "crops", self.split))

    @property
    def other_manifests(self) -> dict[str, pd.DataFrame | None]:
        """The manifests of the other splits; None for one that is not built."""
        found = {other: tables.find(self.roots, "crops", other) for other in self._others}
        return {other: None if t is None else tables.frame(t) for other, t in found.items()}

    @property
    def tree(self) -> CropTree:
        read = partial(digest_each, self.roots.sku_root)
        return crops.settle_times(self.manifest, crop_tree.scan(self.roots, self.split), read)

    @cached_property
    def crops(self) -> pd.DataFrame:
        """The crops as `crop_quality` has measured them."""
        return crop_quality.read_looks(self.roots, self.split)

    @cached_property
    def alike(self) -> pd.DataFrame:
        return crop_quality.pairs_alike(self.split, self.crops, self._other_crops)

    @property
    def not_compared(self) -> list[str]:
        """The other splits, whose crops have not been measured."""
        return [other for other, measured in self._other_crops.items() if measured is None]

    @cached_property
    def prompt_counts(self) -> PromptCounts | None:
        """The one reading of both contract files that the checks of `image_text` share."""
        return count_prompts(self.roots, self.split)

    @property
    def last_build(self) -> LastBuild | None:
        return self.find_last_build()

    @cached_property
    def _other_crops(self) -> dict[str, pd.DataFrame | None]:
        return {other: crop_quality.find_looks(self.roots, other) for other in self._others}

    @property
    def _others(self) -> list[str]:
        return [split for split in SPLITS if split != self.split]


class Check(NamedTuple):
    """A check of an asset; a blocking one that fails as an error holds back what follows.

    The picture of what it finds, if any, is drawn by `report/check_pictures.py`.
    """

    asset: str
    rule: Callable[..., Finding]
    description: str
    blocking: bool = False

    @property
    def name(self) -> str:
        return self.rule.__name__

    def find(self, context: CheckContext) -> Finding:
        """Apply the rule to a split; its parameter `name` is the asset's name."""
        return self.rule(
            **{p: self.asset if p == "name" else getattr(context, p) for p in self.parameters}
        )

    @property
    def parameters(self) -> list[str]:
        """What the rule has to be given."""
        return [p.name for p in signature(self.rule).parameters.values() if p.default is p.empty]


_EXPORTED: Final = (
    "The export is made from this build and has all its rows, with every file as written."
)

CHECKS: Final = (
    Check(
        "deepfashion2",
        layout,
        "File names are as unpacked, and there are as many files as were released.",
    ),
    Check(
        "raw_annotation_index",
        index.pairing,
        "Every image has an annotation, and every annotation an image.",
    ),
    Check(
        "raw_annotation_index",
        refusals.refusals_within_limit,
        "Refused images, and refused items, are no more than `limits.max_refused` of all.",
        blocking=True,
    ),
    Check(
        "raw_annotation_index",
        index.boxes,
        "Boxes have an area and lie in the image, few are clamped or have fractions, and none is "
        "x, y, width, height.",
    ),
    Check(
        "raw_annotation_index",
        index.labels,
        "Labels are in range, category names match their ids, and scales suit the boxes.",
    ),
    Check(
        "raw_annotation_index",
        index.known_answers,
        "A full train split has 394,661 pairs of items and 337,293 pairs of images.",
    ),
    Check(
        "sku_groups",
        sku_groups.identity,
        "Ids are well formed and unique, every SKU has both domains, and none has style 0.",
        blocking=True,
    ),
    Check(
        "sku_groups",
        sku_groups.counts,
        "Usable items make SKUs, and a full split has as many SKUs as were published.",
    ),
    Check(
        "crops",
        crops.files_match,
        "There is one file for each crop of the manifest, as large as its box, and no other.",
        blocking=True,
    ),
    Check(
        "crops",
        refusals.all_refusals_within_limit,
        "Refused images and items, while reading or cutting, are no more than "
        "`limits.max_refused` of all.",
        blocking=True,
    ),
    Check("crops", crops.tiny_crops, "No crop has a side under 32 pixels."),
    Check("crops", crops.duplicate_crops, "No two crops have the same bytes, also across splits."),
    Check(
        "sku_metadata",
        contract,
        "The file has the right fields, counts, domains and order, and a crop is at each path.",
    ),
    Check("image_text", matches_metadata, "The lines are the crops of the metadata, in order."),
    Check(
        "image_text",
        prompt_coverage,
        "Every prompt names its category, occlusion, viewpoint and domain; in a full split all "
        "combinations occur.",
    ),
    Check(
        "image_text",
        freshness,
        "The split is made from the download as it is now, at most `limits.max_age_days` ago.",
    ),
    Check("crop_quality", crop_quality.dark_crops, "No crop has a mean luma under 25 of 255."),
    Check("crop_quality", crop_quality.blank_crops, "No crop is of one colour."),
    Check(
        "crop_quality",
        crop_quality.near_duplicate_crops,
        "No crop shows the picture of another in other bytes, also across splits.",
    ),
    Check("crop_quality", crop_quality.image_in_two_skus, "No picture is a crop of two SKUs."),
    Check("crop_quality", unlike_crops, "The crops of a SKU look like those of one garment."),
    *(Check(name, matches_image_text, _EXPORTED) for name in NAMES),
)

OPTIONAL_ASSETS: Final = ("crop_quality", *NAMES)
"""Assets beside the data set: their checks are left out where nobody has made them."""


def checks_of(asset: str) -> list[Check]:
    """Return the checks of an asset, in the order of the table."""
    return [check for check in CHECKS if check.asset == asset]


def exists_on_disk(asset: str, roots: Roots, split: str) -> bool:
    """Return whether there is anything of an asset to check, of whatever age."""
    if asset in NAMES:
        return is_made(roots, asset, split)
    if asset == "deepfashion2":
        return (roots.df2_root / split).is_dir()
    documents = {"sku_metadata": roots.sku_metadata, "image_text": roots.image_text}
    path = documents[asset](split) if asset in documents else roots.table(asset, split)
    return path.exists()
