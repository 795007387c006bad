"""The jobs of a data set: selections of assets and checks, and the op job `verify_dataset`.

`clean_history` is in `runs/retention.py`.
"""

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
"""The partitions of jobs that run only checks: Dagster infers partitions from assets alone."""


def asset_jobs(names: Names, specs: Collection[dg.AssetSpec]) -> list[Job]:
    """Return the jobs that select from the assets of `specs` and their checks."""

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
            "Builds a split from annotations to crops, metadata and prompts, and runs every check. "
            "Only what changed is rebuilt.",
        ),
        job(
            "check_only",
            dg.AssetSelection.checks(*checks.values()),
            "Runs all checks of a split again, on its current tables and files and with the "
            "current settings. Without a partition, it checks every split that exists. It builds "
            "nothing, and opens images only to show offenders. To compare the files byte by byte, "
            f"run `{names.name('verify_dataset')}`.",
            _BY_SPLIT,
        ),
        job(
            "check_freshness",
            dg.AssetSelection.checks(checks["image_text", "freshness"]),
            "Checks whether a split was built from the current download, and how old the build is.",
            _BY_SPLIT,
        ),
        job(
            "build_labels",
            assets("labels"),
            "Reads masks and landmarks of the crops of a built split from the annotations. Only "
            "annotations that changed are read again. It opens no image.",
        ),
        job(
            "build_variants",
            assets("crop_variants"),
            "Makes the crop variants of a built split that `DF2_VARIANTS` declares. Only what "
            "changed is made again, and every image is decoded once for all variants. Variants "
            "that are not declared any more are removed.",
        ),
        job(
            "measure_crops",
            assets("crop_quality").without_checks(),
            "Measures the crops of a split. Reports on other splits use these measurements: run "
            f"this for every split before `{names.name('refresh_reports')}`, as "
            "`df2-assets report` does.",
        ),
        job(
            "refresh_reports",
            # The check that compares splits runs again: all splits may be built by now.
            tagged("report") | dg.AssetSelection.checks(checks["crops", "duplicate_crops"]),
            "Writes the reports on a built split: refusals, crop quality and gallery. "
            "It changes no crop and no contract file.",
        ),
        job(
            "embed",
            assets("embeddings"),
            "Encodes the crops of a split that was built: only those whose bytes have no vector of "
            "this encoder yet. `encoder.name` in the run config chooses the encoder.",
        ),
        job(
            "benchmark",
            assets("embeddings", "benchmark_crops", "benchmark_scores"),
            "Measures an encoder on a split that was built, by the official protocol of "
            "DeepFashion2. It cuts and encodes what the benchmark has beyond the contract, and "
            "changes no contract file. `encoder.name` in the run config chooses the encoder.",
        ),
        job(
            "evaluate",
            assets("evaluation"),
            "Measures how well the vectors of an encoder find the SKU of each query crop of a "
            "split. It needs the vectors: run "
            f"`{names.name('embed')}` first.",
        ),
        job(
            "observe_sources",
            assets(SOURCE, TEMPLATES).without_checks(),
            "Records data versions of each split of the download, and of the prompt templates.",
        ),
    ]
    if any("export" in spec.tags for spec in specs):
        jobs.append(
            job(
                "build_exports",
                tagged("export"),
                "Writes every export of a built split. Files that would not change are not "
                "written again. To write only some exports, run `df2-assets export` or select "
                "their assets.",
            )
        )
    return jobs


class Verification(dg.Config):
    """The options of `verify_dataset`."""

    deep: bool = Field(
        default=False,
        description="Decode every crop and compare its digest; otherwise compare size and time.",
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
        """Compare the files of a split with what was built; fail if something is wrong.

        A crop that is damaged though its size and time are right is marked: the next build makes
        it again.
        """
        yield from _verify_split(context, names, config.deep)

    @dg.job(
        name=names.name("verify_dataset"),
        partitions_def=splits,
        tags=names.tags,
        executor_def=dg.in_process_executor,
        description=(
            "Compares the files of a split with what was built, by size and time, or by every byte "
            "if `deep` is set. The next build makes damaged crops again. To run the checks "
            f"instead, use `{names.name('check_only')}`."
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
            context.log.info(
                f"The next build makes {number_of(len(marked), 'damaged crop')} again."
            )
    if verified.problems:
        count, first = number_of(len(verified.problems), "problem"), verified.problems[0]
        where = f" ({first.path})" if first.path else ""
        raise dg.Failure(
            f"{count} in {split}, the first: {escape_untrusted(first.what, 300)}{where}.",
            metadata={"problems": len(verified.problems), "crops": verified.crops},
            allow_retries=False,
        )
