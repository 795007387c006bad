"""The checks of the source."""

from collections.abc import Iterator
from typing import Final

import dagster as dg

from df2_assets.checks.specs import results, spec
from df2_assets.inspection.source import layout
from df2_assets.resources import DataRoots

_ASSET: Final = "deepfashion2"


@dg.multi_asset_check(
    name="deepfashion2_checks",
    specs=[
        spec(
            _ASSET,
            "layout",
            "Folders and names are as unpacked; images and annotations beside the released ones.",
        )
    ],
)
def deepfashion2_checks(
    context: dg.AssetCheckExecutionContext, data: DataRoots
) -> Iterator[dg.AssetCheckResult]:
    """Counts names only; opens nothing."""
    roots, split = data.roots, context.partition_key
    yield from results(roots, _ASSET, split, {"layout": layout(roots, split)})
