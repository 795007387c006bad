"""The jobs of a data set. One that only looks is a selection of checks, or `verify_dataset`."""

from collections.abc import Collection, Iterator
from typing import Any, Final

import dagster as dg
from pydantic import Field

from df2_assets.checks.finding import number_of, record_finding
from df2_assets.checks.registry import CHECKS
from df2_assets.defs.checks import evaluation
from df2_assets.defs.failures import convert_errors
from df2_assets.defs.metadata import check_result
from df2_assets.defs.names import Job, Names
from df2_assets.defs.partitions import splits
from df2_assets.defs.runs.history import SOURCE, TEMPLATES
from df2_assets.errors import escape_untrusted
from df2_assets.pipeline.planning import mark_damaged
from df2_assets.verification.verify import verify

_BY_SPLIT: Final = dg.PartitionedConfig(splits, run_config_for_partition_key_fn=lambda _: {})
"""Gives a job of checks alone its partitions: Dagster infers a job's from its assets only."""


def asset_jobs(names: Names, specs: Collection[dg.AssetSpec]) -> list[Job]:
    """Return the jobs that are selections from the assets of `specs`, and their checks."""

    def job(base: str, selection: dg.AssetSelection, description: str, config: Any = None) -> Job:
        return dg.define_asset_job(
            names.name(base),
            selection,
            config=config,
            description=description,
            tags=names.tags,
            executor_def=dg.in_process_executor,
        )

    def assets(*bases: str) -> dg.AssetSelection:
        return dg.AssetSelection.assets(*map(names.key, bases))

    def tagged(tag: str) -> dg.AssetSelection:
        return dg.AssetSelection.assets(*(spec.key for spec in specs if tag in spec.tags))

    keys = {spec.key for spec in specs}
    checks = {
        (check.asset, check.name): dg.AssetCheckKey(names.key(check.asset), check.name)
        for check in CHECKS
        if names.key(check.asset) in keys
    }
    jobs = [
        job(
            "build_dataset",
            assets("image_text", "refusals").upstream()
            | dg.AssetSelection.checks_for_assets(names.key(SOURCE)),
            "Builds a split, from annotations to crops, metadata and prompts, with every check. "
            "What has not changed is not made again.",
        ),
        job(
            "check_only",
            dg.AssetSelection.checks(*checks.values()),
            "Evaluates all checks of a split again, on its tables and files as they are, with "
            "today's settings. Without a partition it evaluates every split that is there. It "
            "makes nothing, and opens an image only to show an offender. "
            f"`{names.name('verify_dataset')}` compares bytes instead.",
            _BY_SPLIT,
        ),
        job(
            "check_freshness",
            dg.AssetSelection.checks(checks["image_text", "freshness"]),
            "Checks whether a split is made from the download as it is now, and how old it is.",
            _BY_SPLIT,
        ),
        job(
            "measure_crops",
            assets("crop_quality").without_checks(),
            "Measures the crops of a split, which other splits are compared with. Run it for every "
            f"split before `{names.name('refresh_reports')}`, as `df2-assets report` does.",
        ),
        job(
            "refresh_reports",
            # With the check of a build that compares splits: all of them may be there by now.
            tagged("report") | dg.AssetSelection.checks(checks["crops", "duplicate_crops"]),
            "Makes the reports of a split that was built. It changes no crop or contract file.",
        ),
        job(
            "observe_sources",
            assets(SOURCE, TEMPLATES).without_checks(),
            "Records a data version for each split of the download, and one of the templates.",
        ),
    ]
    if any("export" in spec.tags for spec in specs):
        jobs.append(
            job(
                "build_exports",
                tagged("export"),
                "Writes every export of a split that was built. `df2-assets export`, or a "
                "selection of assets, writes some of them. What has not changed is not written "
                "again.",
            )
        )
    return jobs


class Verification(dg.Config):
    """How closely to look."""

    deep: bool = Field(
        default=False, description="Whether every crop is decoded and its digest compared."
    )


def verify_dataset(names: Names) -> dg.JobDefinition:
    """Return the job that compares the files of a data set with what was built."""

    @dg.op(
        name=names.name("verify_split"),
        out={},
        required_resource_keys=names.names("output", "engine", "progress"),
    )
    def verify_split(
        context: dg.OpExecutionContext, config: Verification
    ) -> Iterator[dg.AssetCheckEvaluation]:
        """Compare the files of a split with the contract; fail where something is wrong.

        A crop that only its digest gives away is marked, so that the next build makes it again.
        """
        yield from _verify_split(context, names, config.deep)

    @dg.job(
        name=names.name("verify_dataset"),
        partitions_def=splits,
        tags=names.tags,
        executor_def=dg.in_process_executor,
        description=(
            "Compares the files of a split with what was built, and every byte if `deep`. A "
            "damaged crop is marked, and the next build makes it again. "
            f"`{names.name('check_only')}` judges what was built instead."
        ),
    )
    def job() -> None:
        verify_split()

    return job


def _verify_split(
    context: dg.OpExecutionContext, names: Names, deep: bool
) -> Iterator[dg.AssetCheckEvaluation]:
    output, engine, progress = names.resources(context, ("output", "engine", "progress")).values()
    with convert_errors():
        roots, split = output.roots, context.partition_key
        verified = verify(roots, split, engine.start() if deep else None, progress.of(context.log))
        for note in verified.notes:
            context.log.warning(note)
        for (asset, check), finding in verified.findings.items():
            record_finding(finding, roots, asset, check, split)
            result = check_result(finding, roots, names.key(asset), check, split)
            yield evaluation(context.instance, result, split)
        if verified.damaged:
            marked = mark_damaged(roots, split, verified.damaged)
            context.log.info(f"The next build makes {len(marked)} damaged crops again.")
    if verified.problems:
        count, first = number_of(len(verified.problems), "problem"), verified.problems[0]
        where = f" ({first.path})" if first.path else ""
        raise dg.Failure(
            f"{count} in {split}, the first: {escape_untrusted(first.what, 300)}{where}.",
            metadata={"problems": len(verified.problems), "crops": verified.crops},
            allow_retries=False,
        )
