"""The checks of a data set in Dagster: one step per asset evaluates its checks in the registry.

In a build the step follows its asset. It runs alone in `check_only`, in `check_freshness` and after
*Execute all* in the UI. It evaluates all checks of the asset before a failed blocking check ends
the run. Without a partition, it evaluates every split that is on disk.
"""

from collections.abc import Collection, Iterator
from functools import partial
from typing import Final

import dagster as dg

# Private in Dagster 1.13, whose version is bounded. Without it the UI takes the evaluation for one
# of an earlier materialization.
from dagster._core.definitions.asset_checks.asset_check_evaluation import (
    AssetCheckEvaluationTargetMaterializationData as Target,
)

from df2_assets.checks.finding import record_finding
from df2_assets.checks.freshness import LastBuild
from df2_assets.checks.registry import (
    CHECKS,
    OPTIONAL_ASSETS,
    Check,
    CheckContext,
    checks_of,
    exists_on_disk,
)
from df2_assets.defs.failures import CheckFailure, convert_errors, describe_failure
from df2_assets.defs.metadata import check_result, write_pictures
from df2_assets.defs.names import Names
from df2_assets.defs.partitions import splits
from df2_assets.defs.resources import DataRoots, EngineChoice, ExportChoice, Limits
from df2_assets.defs.retries import retry_transient
from df2_assets.defs.runs.history import (
    INDEX,
    SOURCE,
    data_set_change,
    input_version,
    last_materialization,
    last_observation,
)
from df2_assets.engines.serial import SerialEngine
from df2_assets.errors import MissingTableError, ProvenanceError
from df2_assets.exports import EXPORTS
from df2_assets.report.check_pictures import SHOW

_BLOCKING: Final = {(check.asset, check.name) for check in CHECKS if check.blocking}
_FREE: Final = (SOURCE, "image_text")
"""Assets whose checks may run during a build, so that `check_freshness` does not wait for it."""

_ON_ENGINE: Final = ("crops", "sku_metadata")
"""Assets whose checks run on the engine."""

_SHOWN_IN_RUN: Final = (dg.TextMetadataValue, dg.TableMetadataValue, dg.PathMetadataValue)
"""The metadata of a check that the event of a failure shows: items, and the file with all."""


def _check_step(names: Names, asset: str) -> dg.AssetChecksDefinition:
    """Return the step that evaluates the checks of an asset; it locks the split unless `_FREE`."""
    engine = ("engine",) if asset in _ON_ENGINE else ()
    resources = ("data", "limits", *engine, *(("exports",) if asset in EXPORTS else ()))
    again = f"The job `{names.name('check_only')}` evaluates it again, for one split or for all."

    @dg.multi_asset_check(
        name=names.name(f"{asset}_checks"),
        specs=[
            dg.AssetCheckSpec(
                check.name,
                asset=names.key(asset),
                description=f"{check.description} {again}",
                blocking=check.blocking,
                partitions_def=splits,
            )
            for check in checks_of(asset)
        ],
        can_subset=True,
        required_resource_keys=names.names(*resources, *(() if asset in _FREE else ("output",))),
    )
    def step(
        context: dg.AssetCheckExecutionContext,
    ) -> Iterator[dg.AssetCheckResult | dg.AssetCheckEvaluation]:
        selected = {key.name for key in context.selected_asset_check_keys}
        checks = [check for check in checks_of(asset) if check.name in selected]
        used = names.resources(context, resources)
        failed = []
        with convert_errors():
            for split in _splits(context, used["data"], asset):
                for result in _results(context, **used, names=names, checks=checks, split=split):
                    is_error = result.severity == dg.AssetCheckSeverity.ERROR
                    if (asset, result.check_name) in _BLOCKING and is_error and not result.passed:
                        failed.append((split, result))
                    of_run = context.has_partition_key
                    yield result if of_run else evaluation(context.instance, result, split)
        if failed:
            raise _failure(failed)

    return step


def _splits(context: dg.AssetCheckExecutionContext, data: DataRoots, asset: str) -> list[str]:
    """Return the split of the run, or all splits that have anything of the asset on disk."""
    if context.has_partition_key:
        return [context.partition_key]
    roots = data.roots
    return [split for split in splits.get_partition_keys() if exists_on_disk(asset, roots, split)]


def _failure(failed: list[tuple[str, dg.AssetCheckResult]]) -> CheckFailure:
    """Return the failure that ends a run: the summary of each check, and its first offenders.

    Dagster itself would only name the checks.
    """
    lines = [
        f"{split}: {result.check_name}: {describe_failure(result)}" for split, result in failed
    ]
    metadata = {
        name: value
        for name, value in (failed[0][1].metadata or {}).items()
        if isinstance(value, _SHOWN_IN_RUN)
    }
    return CheckFailure("\n".join(lines), metadata, allow_retries=False)


def _results(
    context: dg.AssetCheckExecutionContext,
    data: DataRoots,
    limits: Limits,
    names: Names,
    checks: list[Check],
    split: str,
    engine: EngineChoice | None = None,
    exports: ExportChoice | None = None,
) -> Iterator[dg.AssetCheckResult]:
    """Evaluate checks of one asset for a split, record their findings, and yield the results."""
    roots, asset = data.roots, checks[0].asset
    last_build = partial(_last_build, context.instance, names, context.run.run_id, split)
    subject = CheckContext(
        roots,
        split,
        limits.max_refused,
        limits.max_age_days,
        last_build,
        engine.start() if engine else SerialEngine(),
        exports.variant if exports else "",
        data.settings.encoder,
    )
    if asset in OPTIONAL_ASSETS and not exists_on_disk(asset, roots, split):
        context.log.info(f"{asset} of {split} is not checked: it does not exist.")
        return
    # The source is never materialized, but the index, which is read from it, is.
    materialized = INDEX if asset == SOURCE else asset
    moved = data_set_change(context.instance, names.key(materialized), split, roots)
    with retry_transient(context.op_execution_context):
        try:
            findings = [(check, check.find(subject)) for check in checks]
            drawn = {
                check.name: SHOW[check.name](subject, finding)
                for check, finding in findings
                if check.name in SHOW
            }
        except (MissingTableError, ProvenanceError) as problem:
            if asset not in OPTIONAL_ASSETS:
                raise
            context.log.info(f"{asset} of {split} is not checked: {problem}")
            return
    shown = write_pictures(data.settings, asset, split, **drawn)
    for check, finding in findings:
        record_finding(finding, roots, asset, check.name, split)
        result = check_result(
            finding, roots, names.key(asset), check.name, split, shown.get(check.name)
        )
        yield result._replace(metadata={**moved, **(result.metadata or {})})


def _last_build(
    instance: dg.DagsterInstance, names: Names, run_id: str, split: str
) -> LastBuild | None:
    """Return when the split was built, and the version of the download if this run observed it."""
    built = last_materialization(instance, names.key("image_text"), split)
    observation = last_observation(instance, names.key(SOURCE), split)
    if built is None:
        return None
    now = observation.version if observation and observation.run_id == run_id else None
    return LastBuild(built.timestamp, input_version(instance, names.key(INDEX), split), now)


def evaluation(
    instance: dg.DagsterInstance, result: dg.AssetCheckResult, split: str
) -> dg.AssetCheckEvaluation:
    """Return a result as an evaluation of `split`, tied to its latest materialization.

    It is for results that Dagster cannot assign to a split by itself: those of a run without a
    partition, and those of a step that is not the check's own.
    """
    assert result.asset_key is not None
    assert result.check_name is not None
    latest = last_materialization(instance, result.asset_key, split)
    return dg.AssetCheckEvaluation(
        asset_key=result.asset_key,
        check_name=result.check_name,
        passed=result.passed,
        metadata=result.metadata,
        target_materialization_data=latest
        and Target(storage_id=latest.storage_id, run_id=latest.run_id, timestamp=latest.timestamp),
        severity=result.severity,
        description=result.description,
        blocking=(result.asset_key.path[-1], result.check_name) in _BLOCKING,
        partition=split,
    )


def check_steps(names: Names, assets: Collection[str]) -> list[dg.AssetChecksDefinition]:
    """Return the steps that evaluate the checks of `assets`."""
    checked = dict.fromkeys(check.asset for check in CHECKS)
    return [_check_step(names, asset) for asset in checked if asset in assets]
