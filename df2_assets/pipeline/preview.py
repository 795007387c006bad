"""What a build of a split would do, without doing any of it."""

from dataclasses import asdict, dataclass

from df2_assets.dataset.skus import group_index
from df2_assets.dataset.taxonomy import ANNOTATED_SPLITS, NO_ANNOTATIONS
from df2_assets.engines.base import Engine
from df2_assets.engines.progress import Progress
from df2_assets.pipeline.declared import declared
from df2_assets.pipeline.indexing import read_index
from df2_assets.pipeline.planning import Estimate, estimate, plan_crops
from df2_assets.pipeline.publishing import other_templates
from df2_assets.settings import Settings
from df2_assets.store import state, tables


@dataclass(frozen=True)
class SplitPlan:
    """Counts of what would happen; `takes` is what the crops would need.

    `notes` say what people wonder about: what would be made again although its input did not
    change, and a split that was released without annotations.
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
    notes: list[str]

    @property
    def fits(self) -> bool:
        """Whether the disk can hold the result."""
        return self.takes.fits

    def as_dict(self) -> dict[str, object]:
        """For a program to read."""
        return {**asdict(self), "fits": self.fits}


def plan_split(
    settings: Settings,
    split: str,
    engine: Engine,
    progress: Progress,
    images_per_second: float | None = None,
) -> SplitPlan:
    """Plan a build of `split`: reads what changed, writes nothing.

    `images_per_second` is the rate of an earlier build; without it a few images are tried.
    Raises LayoutError where a folder is missing, OutputError where SKU_ROOT cannot be built in,
    AnotherDataSetError or NewerReleaseError where it holds what this build would not replace.
    """
    roots, prompts = settings.roots, declared(settings)
    tables.refuse_newer(roots, split)
    indexed = read_index(roots, split, engine, progress)
    index = tables.frame(indexed.table)
    groups = tables.frame(group_index(indexed.table))
    plan = plan_crops(settings, split, groups, tables.frame(indexed.files))
    takes = estimate(roots, plan, engine, images_per_second)
    reasons = {
        "raw_annotation_index": indexed.rebuild_reason,
        "crops": plan.rebuild_reason,
        "image_text": other_templates(state.load(roots, split), prompts.declaration.variants),
    }
    files = indexed.listing.files
    notes = [f"{asset} rebuilt: {why}" for asset, why in reasons.items() if why]
    if split not in ANNOTATED_SPLITS and not files["anno_size"].notna().any():
        notes.append(NO_ANNOTATIONS)
    if prompts.kept:
        notes.append(prompts.kept)
    return SplitPlan(
        split,
        int(files["image_size"].notna().sum()),
        indexed.annotations_read,
        takes.images,
        takes.crops,
        len(plan.keep),
        len(plan.remove),
        int(index["reason"].notna().sum()),
        takes,
        notes,
    )
