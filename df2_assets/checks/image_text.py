"""The checks of the prompts."""

from collections.abc import Iterator
from typing import Final

import dagster as dg

from df2_assets.checks.specs import results, spec
from df2_assets.inspection.image_text import matches_metadata
from df2_assets.inspection.prompts import coverage_on_disk
from df2_assets.resources import DataRoots

_ASSET: Final = "image_text"


@dg.multi_asset_check(
    name="image_text_checks",
    specs=[
        spec(_ASSET, "matches_metadata", "The lines are the crops of the metadata, one to one."),
        spec(
            _ASSET,
            "prompt_coverage",
            "Every prompt says its category, occlusion, viewpoint and domain; all occur.",
        ),
    ],
)
def image_text_checks(
    context: dg.AssetCheckExecutionContext, data: DataRoots
) -> Iterator[dg.AssetCheckResult]:
    """Reads both contract files anew from disk."""
    roots, split = data.roots, context.partition_key
    findings = {
        "matches_metadata": matches_metadata(roots, split),
        "prompt_coverage": coverage_on_disk(roots, split),
    }
    yield from results(roots, _ASSET, split, findings)
