"""The check of the metadata file."""

from collections.abc import Iterator
from typing import Final

import dagster as dg

from df2_assets.checks.specs import results, spec
from df2_assets.inspection.sku_metadata import contract
from df2_assets.resources import DataRoots

_ASSET: Final = "sku_metadata"


@dg.multi_asset_check(
    name="sku_metadata_checks",
    specs=[
        spec(
            _ASSET,
            "contract",
            "Read anew from disk: schema, counts, both domains, order, a file at each path.",
        )
    ],
)
def sku_metadata_checks(
    context: dg.AssetCheckExecutionContext, data: DataRoots
) -> Iterator[dg.AssetCheckResult]:
    """Holds the file on disk against the contract."""
    roots, split = data.roots, context.partition_key
    yield from results(roots, _ASSET, split, {"contract": contract(roots, split)})
