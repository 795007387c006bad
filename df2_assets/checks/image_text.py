"""The checks of the prompts."""

from collections.abc import Iterator
from typing import Final

import dagster as dg

from df2_assets.checks.specs import results, spec
from df2_assets.errors import MissingTableError
from df2_assets.inspection.finding import Finding
from df2_assets.inspection.image_text import matches_metadata
from df2_assets.inspection.prompts import prompt_coverage
from df2_assets.pipeline.publishing import read_image_text
from df2_assets.resources import DataRoots
from df2_assets.store.layout import Roots

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
        "prompt_coverage": _prompt_coverage(roots, split),
    }
    yield from results(roots, _ASSET, split, findings)


def _prompt_coverage(roots: Roots, split: str) -> Finding:
    try:
        return prompt_coverage(split, read_image_text(roots, split))
    except MissingTableError as problem:
        return Finding(False, "error", 0, str(problem))
