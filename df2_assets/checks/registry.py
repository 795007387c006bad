"""The registry of all checks: the asset of each, its rule, and its description.

Dagster's definitions, `verify`, the documentation and the reports read this table. To add a check,
write a rule, which is a function from tables to a `Finding`, and add a row here.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, partial
from inspect import signature
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from df2_assets.checks import crop_quality, crops, refusals, sku_groups
from df2_assets.checks import raw_annotation_index as index
from df2_assets.checks.benchmark_crops import benchmark_match
from df2_assets.checks.crop_variants import variants_match
from df2_assets.checks.deepfashion2 import layout
from df2_assets.checks.embeddings import vectors_match_crops
from df2_assets.checks.exports import matches_image_text
from df2_assets.checks.finding import Finding
from df2_assets.checks.freshness import LastBuild, freshness
from df2_assets.checks.further_texts import caption_coverage, sku_tokens
from df2_assets.checks.image_text import (
    PromptCounts,
    count_prompts,
    matches_metadata,
    prompt_coverage,
)
from df2_assets.checks.label_outliers import unlike_crops
from df2_assets.checks.labels import labels_match, refused_shapes
from df2_assets.checks.likeness import Floats, find_vectors
from df2_assets.checks.sku_metadata import contract
from df2_assets.dataset.prompts import Texts
from df2_assets.dataset.skus import has_only_pairs
from df2_assets.dataset.taxonomy import SPLITS
from df2_assets.embeddings.encoders import HISTOGRAM
from df2_assets.embeddings.files import find_encoders, find_unrecorded
from df2_assets.engines.base import Engine
from df2_assets.engines.serial import SerialEngine
from df2_assets.exports import NAMES
from df2_assets.exports.record import requested_variants
from df2_assets.pipeline.indexing import read_files
from df2_assets.pipeline.scanning import scan_crops
from df2_assets.store import state, tables
from df2_assets.store.checksums import digest_each
from df2_assets.store.crop_sets import contract_crops
from df2_assets.store.crop_tree import CropTree
from df2_assets.store.layout import BENCHMARK_CROPS, CROP_VARIANTS, Roots
from df2_assets.store.variants import list_names


@dataclass(frozen=True)
class CheckContext:
    """What rules are called with: each parameter of a rule is an attribute of this class.

    Each table is read once, when a rule first needs it; reading raises MissingTableError or
    ProvenanceError. `max_refused` is a share from 0 to 1. The limits are the strictest by default.
    `find_last_build` asks the Dagster instance, which may not know of any build. `engine` lists
    and looks up the files of crops. `variant` is the crop variant of the exports of this run.
    `encoder` is that of the embeddings by which crops are compared where they exist.
    """

    roots: Roots
    split: str
    max_refused: float = 0.0
    max_age_days: float = 0.0
    find_last_build: Callable[[], LastBuild | None] = lambda: None
    engine: Engine = field(default_factory=SerialEngine)
    variant: str = ""
    encoder: str = HISTOGRAM

    @cached_property
    def index(self) -> pd.DataFrame:
        return tables.frame(tables.read(self.roots, "raw_annotation_index", self.split))

    @cached_property
    def files(self) -> pd.DataFrame:
        return tables.frame(read_files(self.roots, self.split))

    @property
    def only_pairs(self) -> bool:
        """Whether the SKUs with one domain were left out of `sku_groups`."""
        return has_only_pairs(tables.read(self.roots, "sku_groups", self.split))

    @cached_property
    def groups(self) -> pd.DataFrame:
        return tables.frame(tables.read(self.roots, "sku_groups", self.split))

    @cached_property
    def manifest(self) -> pd.DataFrame:
        return tables.frame(tables.read(self.roots, "crops", self.split))

    @property
    def other_skus(self) -> dict[str, set[str] | None]:
        """The SKU ids of the other splits; None for a split that is not built."""
        columns = {
            split: tables.find_column(self.roots, "sku_groups", split, "sku_id")
            for split in self._other_splits
        }
        return {
            split: None if column is None else set(column.unique().to_pylist())
            for split, column in columns.items()
        }

    @property
    def other_manifests(self) -> dict[str, pd.DataFrame | None]:
        """The manifests of the other splits; None for a split that is not built."""
        manifests = {split: tables.find(self.roots, "crops", split) for split in self._other_splits}
        return {split: None if t is None else tables.frame(t) for split, t in manifests.items()}

    @cached_property
    def labels(self) -> pd.DataFrame:
        return tables.frame(tables.read(self.roots, "labels", self.split))

    @property
    def tree(self) -> CropTree:
        read = partial(digest_each, self.roots.sku_root)
        return crops.settle_times(
            self.manifest, scan_crops(self.roots, contract_crops(self.split), self.engine), read
        )

    @cached_property
    def crops(self) -> pd.DataFrame:
        """The crops with their measures from `crop_quality`."""
        return crop_quality.read_looks(self.roots, self.split)

    @cached_property
    def alike(self) -> pd.DataFrame:
        return crop_quality.pairs_alike(
            self.split, self.crops, self._other_crops, self._all_vectors()
        )

    @cached_property
    def vectors(self) -> Floats | None:
        """The vectors of `crops`; None where the encoder has not encoded them."""
        return find_vectors(self.roots, self.split, self.encoder, self.crops["crop_path"])

    def _all_vectors(self) -> Floats | None:
        """Return `vectors` and those of `_other_crops`, with NaN for a split without any."""
        if self.vectors is None:
            return None
        parts = [self.vectors]
        for split, rows in self._other_crops.items():
            if rows is not None:
                others = find_vectors(self.roots, split, self.encoder, rows["crop_path"])
                nothing = np.full((len(rows), parts[0].shape[1]), np.nan, np.float32)
                if others is None or others.shape != nothing.shape:
                    others = nothing
                parts.append(others)
        return np.concatenate(parts)

    @property
    def not_compared(self) -> list[str]:
        """The other splits whose crops have not been measured."""
        return [other for other, measured in self._other_crops.items() if measured is None]

    @cached_property
    def prompt_counts(self) -> PromptCounts | None:
        """The one reading of both contract files that the checks of `image_text` share."""
        return count_prompts(self.roots, self.split, self.texts)

    @cached_property
    def texts(self) -> Texts:
        """What decided the texts of the JSONL in addition to the contract's."""
        return state.load(self.roots, self.split).texts

    @property
    def last_build(self) -> LastBuild | None:
        return self.find_last_build()

    @cached_property
    def _other_crops(self) -> dict[str, pd.DataFrame | None]:
        return {split: crop_quality.find_looks(self.roots, split) for split in self._other_splits}

    @property
    def _other_splits(self) -> list[str]:
        return [split for split in SPLITS if split != self.split]


class Check(NamedTuple):
    """A check of an asset. If a blocking check fails as an error, nothing is built on its asset.

    `report/check_pictures.py` draws the picture of its finding, if it has one.
    """

    asset: str
    rule: Callable[..., Finding]
    description: str
    blocking: bool = False

    @property
    def name(self) -> str:
        return self.rule.__name__

    def find(self, context: CheckContext) -> Finding:
        """Apply the rule to a split. A parameter `name` of the rule is the asset's name."""
        return self.rule(
            **{p: self.asset if p == "name" else getattr(context, p) for p in self.parameters}
        )

    @property
    def parameters(self) -> list[str]:
        """The names of the parameters that the rule requires."""
        return [p.name for p in signature(self.rule).parameters.values() if p.default is p.empty]


_EXPORTED: Final = (
    "The export was made from this build and has all its rows, and every file is as written. "
    "Exports with other crop variants are checked too, and give a warning."
)

CHECKS: Final = (
    Check(
        "deepfashion2",
        layout,
        "Every file is named as in the release, and a full split has all of them.",
    ),
    Check(
        "raw_annotation_index",
        index.pairing,
        "Every image has an annotation, and every annotation an image.",
    ),
    Check(
        "raw_annotation_index",
        refusals.refusals_within_limit,
        "No more than `limits.max_refused` of the images, and of the items, are refused.",
        blocking=True,
    ),
    Check(
        "raw_annotation_index",
        index.boxes,
        "Boxes have an area inside the image; few are clamped or fractional, and none is x, y, "
        "width, height.",
    ),
    Check(
        "raw_annotation_index",
        index.labels,
        "Labels are in range, category names match their ids, and scales suit the boxes.",
    ),
    Check(
        "raw_annotation_index",
        index.known_answers,
        "A full train split has the published numbers of pairs, a full validation split those of "
        "images.",
    ),
    Check(
        "sku_groups",
        sku_groups.identity,
        "Ids are well formed and unique, none has style 0, and if only pairs are kept, every SKU "
        "has both domains.",
        blocking=True,
    ),
    Check(
        "sku_groups",
        sku_groups.counts,
        "Usable items make SKUs, and a full validation split has the published 3,031 SKUs.",
    ),
    Check(
        "crops",
        crops.files_match,
        "Each crop of the manifest has a file as large as its box, and there are no other files.",
        blocking=True,
    ),
    Check(
        "crops",
        refusals.all_refusals_within_limit,
        "No more than `limits.max_refused` of the images, and of the items, are refused while "
        "reading or cutting.",
        blocking=True,
    ),
    Check("crops", crops.tiny_crops, "No crop has a side under 32 pixels."),
    Check(
        "crops", crops.duplicate_crops, "No two crops have the same bytes, within or across splits."
    ),
    Check(
        "sku_metadata",
        contract,
        "The file has the right fields, counts, domains and order, and every path leads to a crop.",
    ),
    Check(
        "image_text",
        matches_metadata,
        "There is one line per crop of the metadata, in the same order.",
    ),
    Check(
        "image_text",
        prompt_coverage,
        "Every prompt names its category, occlusion, viewpoint and domain; in a full split all "
        "combinations occur.",
    ),
    Check(
        "image_text",
        sku_tokens,
        "No text outside train names a SKU, and in train each text that does names its own.",
    ),
    Check(
        "image_text",
        caption_coverage,
        "With `DF2_CAPTIONS`, every crop has a current caption, and its line has that text.",
    ),
    Check(
        "image_text",
        freshness,
        "The split was built from the download as it is now, at most `limits.max_age_days` ago.",
    ),
    Check("crop_quality", crop_quality.dark_crops, "No crop has a mean luma under 25 of 255."),
    Check("crop_quality", crop_quality.blank_crops, "No crop is of one colour."),
    Check(
        "crop_quality",
        crop_quality.near_duplicate_crops,
        "No two crops show the same picture in different bytes, within or across splits.",
    ),
    Check("crop_quality", crop_quality.image_in_two_skus, "No picture is a crop of two SKUs."),
    Check("crop_quality", unlike_crops, "The crops of each SKU look like one garment."),
    Check(
        "crop_variants",
        variants_match,
        "Each crop has one file per variant, as recorded and as large as declared, and there are "
        "no other files.",
    ),
    Check(
        BENCHMARK_CROPS,
        benchmark_match,
        "Each crop that only the benchmark has is one file, as recorded; there are no other files.",
    ),
    Check(
        "labels",
        labels_match,
        "Labels have one row per crop, and masks have the size of their crops.",
    ),
    Check(
        "labels",
        refused_shapes,
        "No more than `limits.max_refused` of the crops lack a mask or landmarks.",
    ),
    Check(
        "embeddings",
        vectors_match_crops,
        "Each encoder has a vector for every crop on disk, finite, not zero and of one dimension.",
    ),
    *(Check(name, matches_image_text, _EXPORTED) for name in NAMES),
)

OPTIONAL_ASSETS: Final = (
    *("crop_quality", "labels", CROP_VARIANTS, BENCHMARK_CROPS, "embeddings"),
    *NAMES,
)
"""Assets that a build does not make: as long as they do not exist, their checks are skipped."""


def checks_of(asset: str) -> list[Check]:
    """Return the checks of an asset, in the order of the table."""
    return [check for check in CHECKS if check.asset == asset]


def exists_on_disk(asset: str, roots: Roots, split: str) -> bool:
    """Return whether anything of an asset is on disk to be checked, however old it is."""
    if asset in NAMES:
        return bool(requested_variants(roots, split, asset))
    if asset == CROP_VARIANTS:
        return bool(list_names(roots, split))
    if asset == BENCHMARK_CROPS and roots.benchmark_crops(split).is_dir():
        return True
    if asset == "embeddings":
        return bool(find_encoders(roots, split) or find_unrecorded(roots, split))
    if asset == "deepfashion2":
        return (roots.df2_root / split).is_dir()
    documents = {"sku_metadata": roots.sku_metadata, "image_text": roots.image_text}
    path = documents[asset](split) if asset in documents else roots.table(asset, split)
    return path.exists()
