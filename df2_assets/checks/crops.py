"""The checks of the crops; the blocking one comes with the asset's own step."""

from collections.abc import Iterator
from typing import Final

import dagster as dg

from df2_assets.checks.specs import results, spec
from df2_assets.dataset.taxonomy import SPLITS
from df2_assets.inspection.crops import duplicate_crops, tiny_crops
from df2_assets.resources import DataRoots
from df2_assets.store import tables

_ASSET: Final = "crops"

BLOCKING: Final = spec(
    _ASSET,
    "files_match",
    "One file for each crop that was made, as large as its box, and no other file.",
    blocking=True,
)


@dg.multi_asset_check(
    name="crops_checks",
    specs=[
        spec(_ASSET, "tiny_crops", "No crop is too small to show a garment."),
        spec(_ASSET, "duplicate_crops", "No two crops have the same bytes, also across splits."),
    ],
)
def crops_checks(
    context: dg.AssetCheckExecutionContext, data: DataRoots
) -> Iterator[dg.AssetCheckResult]:
    """What the manifests say of the crops, this split's and the others'."""
    roots, split = data.roots, context.partition_key
    manifest = tables.frame(tables.read(roots, _ASSET, split))
    found = {other: tables.find(roots, _ASSET, other) for other in SPLITS if other != split}
    others = {other: None if t is None else tables.frame(t) for other, t in found.items()}
    findings = {
        "tiny_crops": tiny_crops(manifest),
        "duplicate_crops": duplicate_crops(split, manifest, others),
    }
    yield from results(roots, _ASSET, split, findings)
