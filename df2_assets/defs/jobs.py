"""The jobs. One that only looks is a selection of checks, or `verify_dataset`."""

from collections.abc import Iterator
from typing import Final

import dagster as dg
from pydantic import Field

from df2_assets.checks.finding import number_of, record_finding
from df2_assets.defs.checks import evaluation
from df2_assets.defs.failures import explained
from df2_assets.defs.metadata import check_result
from df2_assets.defs.partitions import splits
from df2_assets.defs.resources import EngineChoice, ProgressChoice, SplitWriter
from df2_assets.defs.runs.history import SOURCE, TEMPLATES
from df2_assets.defs.runs.retention import clean_history
from df2_assets.errors import inert
from df2_assets.pipeline.planning import mark_damaged
from df2_assets.verification.verify import verify

_BY_SPLIT: Final = dg.PartitionedConfig(splits, run_config_for_partition_key_fn=lambda _: {})
"""Gives a job of checks alone its partitions: Dagster infers a job's from its assets only."""

build_dataset = dg.define_asset_job(
    "build_dataset",
    dg.AssetSelection.assets("image_text", "refusals").upstream()
    | dg.AssetSelection.checks_for_assets(SOURCE),
    description=(
        "Builds a split, from annotations to crops, metadata and prompts, with every check. What "
        "has not changed is not made again."
    ),
)
check_only = dg.define_asset_job(
    "check_only",
    dg.AssetSelection.all_asset_checks(),
    config=_BY_SPLIT,
    description=(
        "Evaluates all checks of a split again, on its tables and files as they are, with today's "
        "settings. Without a partition it evaluates every split that is there. It makes nothing, "
        "and opens an image only to show an offender. `verify_dataset` compares bytes instead."
    ),
)
check_freshness = dg.define_asset_job(
    "check_freshness",
    dg.AssetSelection.checks(dg.AssetCheckKey(dg.AssetKey("image_text"), "freshness")),
    config=_BY_SPLIT,
    description="Checks whether a split is made from the download as it is now, and how old it is.",
)
measure_crops = dg.define_asset_job(
    "measure_crops",
    dg.AssetSelection.assets("crop_quality").without_checks(),
    description=(
        "Measures the crops of a split, which other splits are compared with. Run it for every "
        "split before `refresh_reports`, as `df2-assets report` does."
    ),
)
refresh_reports = dg.define_asset_job(
    "refresh_reports",
    # With the check of a build that compares splits: all of them may be there by now.
    dg.AssetSelection.tag("report", "")
    | dg.AssetSelection.checks(dg.AssetCheckKey(dg.AssetKey("crops"), "duplicate_crops")),
    description="Makes the reports of a split that was built. It changes no crop or contract file.",
)
build_exports = dg.define_asset_job(
    "build_exports",
    dg.AssetSelection.groups("exports"),
    description=(
        "Writes every export of a split that was built. `df2-assets export`, or a selection of "
        "assets, writes some of them. What has not changed is not written again."
    ),
)
observe_sources = dg.define_asset_job(
    "observe_sources",
    dg.AssetSelection.assets(SOURCE, TEMPLATES).without_checks(),
    description="Records a data version for each split of the download, and one of the templates.",
)


class Verification(dg.Config):
    """How closely to look."""

    deep: bool = Field(
        default=False, description="Whether every crop is decoded and its digest compared."
    )


@dg.op(out={})
def verify_split(
    context: dg.OpExecutionContext,
    config: Verification,
    output: SplitWriter,
    engine: EngineChoice,
    progress: ProgressChoice,
) -> Iterator[dg.AssetCheckEvaluation]:
    """Compare the files of a split with the contract; fail where something is wrong.

    A crop that only its digest gives away is marked, so that the next build makes it again.
    """
    with explained():
        roots, split = output.roots, context.partition_key
        verified = verify(
            roots, split, engine.start() if config.deep else None, progress.of(context.log)
        )
        for note in verified.notes:
            context.log.warning(note)
        for (asset, check), finding in verified.findings.items():
            record_finding(finding, roots, asset, check, split)
            result = check_result(finding, roots, asset, check, split)
            yield evaluation(context.instance, result, split)
        if verified.damaged:
            marked = mark_damaged(roots, split, verified.damaged)
            context.log.info(f"The next build makes {len(marked)} damaged crops again.")
    if verified.faults:
        count, first = number_of(len(verified.faults), "fault"), verified.faults[0]
        where = f" ({first.path})" if first.path else ""
        raise dg.Failure(
            f"{count} in {split}, the first: {inert(first.what, 300)}{where}.",
            metadata={"faults": len(verified.faults), "crops": verified.crops},
            allow_retries=False,
        )


@dg.job(
    partitions_def=splits,
    description=(
        "Compares the files of a split with what was built, and every byte if `deep`. A damaged "
        "crop is marked, and the next build makes it again. `check_only` judges what was built "
        "instead."
    ),
)
def verify_dataset() -> None:
    verify_split()


all_jobs: Final = (
    build_dataset,
    check_only,
    check_freshness,
    measure_crops,
    refresh_reports,
    build_exports,
    observe_sources,
    verify_dataset,
    clean_history,
)
