"""Preview of a build of a split: what it would do, and how long that takes."""

import time
from dataclasses import asdict, dataclass
from typing import Final

from df2_assets.dataset.skus import group_index
from df2_assets.dataset.taxonomy import ANNOTATED_SPLITS, NO_ANNOTATIONS
from df2_assets.engines.base import Engine
from df2_assets.engines.progress import Progress
from df2_assets.pipeline.declared import read_declared, read_only_pairs
from df2_assets.pipeline.indexing import read_index
from df2_assets.pipeline.planning import Estimate, estimate, plan_crops
from df2_assets.pipeline.publishing import find_selection_change, find_text_change
from df2_assets.settings import Settings
from df2_assets.store import runs, state, tables
from df2_assets.store.crop_sets import contract_crops

_START: Final = 1.5
_RUN: Final = 0.8
"""Seconds that a command takes to start and end, and each run in it, on the machine of
benchmarks/."""

_PER_CROP: Final = 0.9e-4
_PER_KEPT_CROP: Final = 0.4e-4
"""The same, for the tables, contract files and checks of a crop that is made, or kept."""

_WRITING: Final = 1.2
"""The crops step, as a multiple of decoding and encoding alone: files, digests and idle workers."""


@dataclass(frozen=True)
class Seconds:
    """Seconds that the parts of a run take; the command itself starts once for all splits.

    `read`, measured while planning, is for listing, reading annotations, grouping and comparing
    with the disk; `cut` for making crops; `finish` for tables, contract files and checks; `run`
    for what a run of an empty split takes.
    """

    start: float
    run: float
    read: float
    cut: float
    finish: float

    @property
    def total(self) -> float:
        """The seconds of all parts of the run, without the start of the command."""
        return self.run + self.read + self.cut + self.finish


@dataclass(frozen=True)
class SplitPlan:
    """What a build of a split would do.

    `takes` estimates the crops alone, `seconds` the whole run. `notes` explain what may surprise:
    files that are made again although their input did not change, and a split that was released
    without annotations.
    """

    split: str
    images: int
    annotations_to_read: int
    images_to_decode: int
    crops_to_make: int
    crops_to_keep: int
    files_to_remove: int
    refused: int
    takes: Estimate
    seconds: Seconds
    notes: list[str]

    @property
    def fits(self) -> bool:
        """Whether the disk can hold the result."""
        return self.takes.fits

    def as_dict(self) -> dict[str, object]:
        """Return the plan as plain values for JSON."""
        return {**asdict(self), "fits": self.fits}


def plan_split(
    settings: Settings,
    split: str,
    engine: Engine,
    progress: Progress,
) -> SplitPlan:
    """Plan a build of `split`: read what changed, and write nothing.

    Crops are cut at the rate of an earlier build on this machine, or else of a few images that are
    tried. What planning cannot measure is estimated from what it takes on other machines.
    Raises LayoutError where a folder is missing, OutputError where SKU_ROOT cannot be built in,
    AnotherDataSetError or NewerReleaseError where it holds what this build would not replace.
    """
    roots, declared = settings.roots, read_declared(settings)
    only_pairs, kept = read_only_pairs(settings)
    begin = time.perf_counter()
    tables.require_known_format(roots, split)
    indexed = read_index(roots, split, engine, progress)
    index = tables.frame(indexed.table)
    groups = tables.frame(group_index(indexed.table, only_pairs=only_pairs))
    files = tables.frame(indexed.files)
    crop_set = contract_crops(split)
    plan = plan_crops(roots, crop_set, groups, files, engine, only_pairs=only_pairs)
    read = time.perf_counter() - begin
    rate = runs.load_rate(roots, "crops", split)
    takes = estimate(roots, [plan], engine, rate)
    seconds = Seconds(
        start=_START,
        run=_RUN,
        read=read,
        cut=takes.seconds * (1 if rate else _WRITING),
        finish=_PER_CROP * takes.crops + _PER_KEPT_CROP * len(plan.keep),
    )
    before = state.load(roots, split)
    reasons = {
        "raw_annotation_index": indexed.rebuild_reason,
        "sku_groups": find_selection_change(before, only_pairs=only_pairs),
        "crops": plan.rebuild_reason,
        "image_text": find_text_change(before, declared.texts),
    }
    listed = indexed.listing.files
    notes = [f"{asset} rebuilt: {why}" for asset, why in reasons.items() if why]
    if split not in ANNOTATED_SPLITS and not listed["anno_size"].notna().any():
        notes.append(NO_ANNOTATIONS)
    notes += filter(None, (kept, *declared.notes))
    return SplitPlan(
        split,
        int(listed["image_size"].notna().sum()),
        indexed.annotations_read,
        takes.images,
        takes.crops,
        len(plan.keep),
        len(plan.remove),
        int(index["reason"].notna().sum()),
        takes,
        seconds,
        notes,
    )
