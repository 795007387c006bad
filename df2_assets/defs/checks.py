"""The checks: one step per asset evaluates the asset's rows of the registry.

The step follows its asset in a build, and runs alone in `check_only`, `check_freshness` and by
*Execute all* in the UI. All checks of the step are evaluated before a blocking one that has failed
holds back what follows. Without a partition, every split that is there is evaluated.
"""

from collections.abc import Iterator
from functools import partial
from typing import Final

import dagster as dg

# No public name in Dagster 1.13, whose version is bounded. Without it the UI takes the evaluation
# for one of an earlier materialization.
from dagster._core.definitions.asset_checks.asset_check_evaluation import (
    AssetCheckEvaluationTargetMaterializationData as Target,
)

from df2_assets.checks.finding import record_finding
from df2_assets.checks.freshness import LastBuild
from df2_assets.checks.registry import BESIDE, CHECKS, Check, CheckContext, checks_of, is_there
from df2_assets.defs.failures import explained
from df2_assets.defs.metadata import check_result
from df2_assets.defs.partitions import splits
from df2_assets.defs.retries import retried
from df2_assets.defs.runs.history import SOURCE, last_made, made_from, observed
from df2_assets.errors import MissingTableError, ProvenanceError
from df2_assets.report.check_pictures import SHOW

_BLOCKING: Final = {(check.asset, check.name) for check in CHECKS if check.blocking}
_FREE: Final = (SOURCE, "image_text")
"""Assets whose checks may run while a build is at work: `check_freshness` waits for nobody."""


def _check_step(asset: str) -> dg.AssetChecksDefinition:
    """The step that evaluates the checks of an asset; it holds the split unless `_FREE`."""

    @dg.multi_asset_check(
        name=f"{asset}_checks",
        specs=[
            dg.AssetCheckSpec(
                check.name,
                asset=asset,
                description=check.description,
                blocking=check.blocking,
                partitions_def=splits,
            )
            for check in checks_of(asset)
        ],
        can_subset=True,
        required_resource_keys={"data", "limits", *(() if asset in _FREE else ("output",))},
    )
    def step(
        context: dg.AssetCheckExecutionContext,
    ) -> Iterator[dg.AssetCheckResult | dg.AssetCheckEvaluation]:
        names = {key.name for key in context.selected_asset_check_keys}
        checks = [check for check in checks_of(asset) if check.name in names]
        with explained():
            if context.has_partition_key:
                yield from _results(context, checks, context.partition_key)
                return
            for split in splits.get_partition_keys():
                if is_there(asset, context.resources.data.roots, split):
                    for result in _results(context, checks, split):
                        yield evaluation(context.instance, result, split)

    return step


def _results(
    context: dg.AssetCheckExecutionContext, checks: list[Check], split: str
) -> Iterator[dg.AssetCheckResult]:
    """Evaluate checks of one asset over a split, record their findings, and render them."""
    roots, limits, asset = context.resources.data.roots, context.resources.limits, checks[0].asset
    last_build = partial(_last_build, context.instance, context.run.run_id, split)
    subject = CheckContext(roots, split, limits.max_refused, limits.max_age_days, last_build)
    if asset in BESIDE and not is_there(asset, roots, split):
        context.log.info(f"{asset} of {split} is not checked: it has not been made.")
        return
    with retried(context.op_execution_context):
        try:
            findings = [(check, check.find(subject)) for check in checks]
            pictures = {
                check.name: SHOW[check.name](subject, finding)
                for check, finding in findings
                if check.name in SHOW
            }
        except (MissingTableError, ProvenanceError) as problem:
            if asset not in BESIDE:
                raise
            context.log.info(f"{asset} of {split} is not checked: {problem}")
            return
    for check, finding in findings:
        record_finding(finding, roots, asset, check.name, split)
        yield check_result(finding, roots, asset, check.name, split, pictures.get(check.name))


def _last_build(instance: dg.DagsterInstance, run_id: str, split: str) -> LastBuild | None:
    """Return when the split was built; the download is not looked at again in the same run."""
    made, seen = last_made(instance, "image_text", split), observed(instance, split)
    if made is None:
        return None
    now = seen.version if seen is not None and seen.run_id == run_id else None
    return LastBuild(made.timestamp, made_from(instance, split), now)


def evaluation(
    instance: dg.DagsterInstance, result: dg.AssetCheckResult, split: str
) -> dg.AssetCheckEvaluation:
    """Return a result as an evaluation of `split`, tied to what was materialized last.

    For runs in which Dagster cannot tell: without a partition, or of another step than the check's.
    """
    assert result.asset_key is not None
    assert result.check_name is not None
    asset = result.asset_key.path[-1]
    latest = last_made(instance, asset, split)
    return dg.AssetCheckEvaluation(
        asset_key=result.asset_key,
        check_name=result.check_name,
        passed=result.passed,
        metadata=result.metadata,
        target_materialization_data=latest
        and Target(storage_id=latest.storage_id, run_id=latest.run_id, timestamp=latest.timestamp),
        severity=result.severity,
        description=result.description,
        blocking=(asset, result.check_name) in _BLOCKING,
        partition=split,
    )


all_checks: Final = [_check_step(asset) for asset in dict.fromkeys(c.asset for c in CHECKS)]
