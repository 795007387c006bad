"""The checks of the prompts, and of the age of the split that they complete."""

from collections.abc import Iterator
from typing import Final

import dagster as dg

from df2_assets.checks.finding import Finding
from df2_assets.checks.image_text import matches_metadata
from df2_assets.checks.prompts import coverage_on_disk
from df2_assets.defs.checks import freshness
from df2_assets.defs.checks.specs import results, spec
from df2_assets.defs.resources import DataRoots, Limits
from df2_assets.defs.retries import retried
from df2_assets.store.layout import Roots

_ASSET: Final = "image_text"


def find(
    roots: Roots, split: str, instance: dg.DagsterInstance, run_id: str, max_age_days: float
) -> dict[str, Finding]:
    """Reads both contract files anew from disk."""
    return {
        "matches_metadata": matches_metadata(roots, split),
        "prompt_coverage": coverage_on_disk(roots, split),
        freshness.NAME: freshness.find(instance, run_id, roots, split, max_age_days),
    }


@dg.multi_asset_check(
    name="image_text_checks",
    specs=[
        spec(_ASSET, "matches_metadata", "The lines are the crops of the metadata, one to one."),
        spec(
            _ASSET,
            "prompt_coverage",
            "Every prompt says its category, occlusion, viewpoint and domain; all occur.",
        ),
        spec(_ASSET, freshness.NAME, freshness.SAYS),
    ],
)
def image_text_checks(
    context: dg.AssetCheckExecutionContext, data: DataRoots, limits: Limits
) -> Iterator[dg.AssetCheckResult]:
    """What is on disk, and what the instance knows of when it was made, and from what."""
    roots, split = data.roots, context.partition_key
    with retried(context.op_execution_context):
        found = find(roots, split, context.instance, context.run.run_id, limits.max_age_days)
    yield from results(roots, _ASSET, split, found)
