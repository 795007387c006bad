"""The job `verify_dataset`: what is on disk, looked at again without making anything.

What it finds is recorded as an evaluation of the asset's own check: a file that was deleted,
edited or added behind the platform's back turns it red, and the next build turns it green.
"""

from collections.abc import Iterator

import dagster as dg
from pydantic import Field

from df2_assets.checks.offenders import number_of
from df2_assets.defs.checks.evaluations import evaluation
from df2_assets.defs.metadata import check_result
from df2_assets.defs.partitions import splits
from df2_assets.defs.resources import EngineChoice, ProgressChoice, SplitWriter
from df2_assets.errors import inert
from df2_assets.pipeline.planning import mark_damaged
from df2_assets.verify.verify import verify


class Verification(dg.Config):
    """How closely to look."""

    deep: bool = Field(default=False, description="Decode every crop and compare its digest.")


@dg.op(out={})
def verify_split(
    context: dg.OpExecutionContext,
    config: Verification,
    output: SplitWriter,
    engine: EngineChoice,
    progress: ProgressChoice,
) -> Iterator[dg.AssetCheckEvaluation]:
    """Holds the files of a split against the contract; fails where something is wrong.

    A crop that only its digest gives away is marked, so that the next build makes it anew.
    """
    roots, split = output.roots, context.partition_key
    found = verify(roots, split, engine.start() if config.deep else None, progress.of(context.log))
    for note in found.notes:
        context.log.warning(note)
    for (asset, check), seen in found.seen.items():
        yield evaluation(context, check_result(seen.finding, roots, asset, check, split))
    if found.damaged:
        marked = mark_damaged(roots, split, found.damaged)
        context.log.info(f"The next build makes {len(marked)} damaged crops anew.")
    if found.faults:
        faults, first = number_of(len(found.faults), "fault"), found.faults[0]
        where = f" ({first.path})" if first.path else ""
        raise dg.Failure(
            f"{faults} in {split}, the first: {inert(first.what, 300)}{where}.",
            metadata={"faults": len(found.faults), "crops": found.crops},
            allow_retries=False,
        )


@dg.job(
    partitions_def=splits,
    description=(
        "Looks whether the files of a split are as they were built: every byte, if `deep`; a "
        "damaged crop is marked to be made anew. `check_only` judges what was built instead."
    ),
)
def verify_dataset() -> None:
    verify_split()
