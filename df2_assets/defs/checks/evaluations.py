"""Checks that are evaluated outside of their own step, by a job that looks again."""

from typing import Final

import dagster as dg

# No public name in Dagster 1.13, whose version is bounded. Without it the UI takes the evaluation
# for one of an earlier materialization.
from dagster._core.definitions.asset_checks.asset_check_evaluation import (
    AssetCheckEvaluationTargetMaterializationData as Target,
)

from df2_assets.defs.checks import crops, raw_annotation_index, sku_groups
from df2_assets.defs.runs.history import last_made

_BLOCKING: Final = {module.BLOCKING.key for module in (crops, raw_annotation_index, sku_groups)}


def evaluation(
    context: dg.OpExecutionContext, result: dg.AssetCheckResult
) -> dg.AssetCheckEvaluation:
    """A result as an evaluation of the run's split, tied to what was materialized last."""
    assert result.asset_key is not None
    assert result.check_name is not None
    split, asset = context.partition_key, result.asset_key
    latest = last_made(context.instance, asset.path[-1], split)
    return dg.AssetCheckEvaluation(
        asset_key=asset,
        check_name=result.check_name,
        passed=result.passed,
        metadata=result.metadata,
        target_materialization_data=latest
        and Target(storage_id=latest.storage_id, run_id=latest.run_id, timestamp=latest.timestamp),
        severity=result.severity,
        description=result.description,
        blocking=dg.AssetCheckKey(asset, result.check_name) in _BLOCKING,
        partition=split,
    )
