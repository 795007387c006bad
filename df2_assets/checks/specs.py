"""What every check has in common: its partitions, and how its finding becomes a result."""

from collections.abc import Iterator, Mapping

import dagster as dg

from df2_assets import partitions
from df2_assets.inspection.finding import Finding
from df2_assets.presentation import check_result
from df2_assets.store.layout import Roots


def spec(asset: str, name: str, description: str, *, blocking: bool = False) -> dg.AssetCheckSpec:
    """A check of `asset`, one for each split."""
    return dg.AssetCheckSpec(
        name,
        asset=asset,
        description=description,
        blocking=blocking,
        partitions_def=partitions.splits,
    )


def results(
    roots: Roots, asset: str, split: str, findings: Mapping[str, Finding]
) -> Iterator[dg.AssetCheckResult]:
    """The results of an asset's checks, from their findings by name."""
    for check, finding in findings.items():
        yield check_result(finding, roots, asset, check, split)
