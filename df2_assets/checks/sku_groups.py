"""The checks of the grouping; the blocking one comes with the asset's own step."""

from collections.abc import Iterator
from typing import Final

import dagster as dg

from df2_assets.checks.specs import results, spec
from df2_assets.inspection.sku_groups import counts
from df2_assets.pipeline.indexing import read_files
from df2_assets.resources import DataRoots
from df2_assets.store import tables

_ASSET: Final = "sku_groups"

BLOCKING: Final = spec(
    _ASSET,
    "identity",
    "Ids are well formed and unique, each SKU has both domains, none has style 0.",
    blocking=True,
)


@dg.multi_asset_check(
    name="sku_groups_checks",
    specs=[
        spec(
            _ASSET,
            "counts",
            "SKUs and crops by category, what was left out and why, beside the published figures.",
        )
    ],
)
def sku_groups_checks(
    context: dg.AssetCheckExecutionContext, data: DataRoots
) -> Iterator[dg.AssetCheckResult]:
    """How many SKUs there are, and why there are not more."""
    roots, split = data.roots, context.partition_key
    index = tables.frame(tables.read(roots, "raw_annotation_index", split))
    groups = tables.frame(tables.read(roots, _ASSET, split))
    files = tables.frame(read_files(roots, split))
    yield from results(roots, _ASSET, split, {"counts": counts(split, index, groups, files)})
