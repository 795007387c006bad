"""What every check has in common: its partitions, and how its finding becomes a result."""

from collections.abc import Iterator, Mapping

import dagster as dg
import pyarrow as pa

from df2_assets import partitions
from df2_assets.errors import MissingTableError
from df2_assets.inspection.finding import Finding
from df2_assets.presentation import check_result
from df2_assets.store import tables
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


def read_files(roots: Roots, split: str) -> pa.Table:
    """The side table of the index. Raises MissingTableError."""
    files = tables.find(roots, "files", split)
    if files is None:
        raise MissingTableError(
            f"What the index of {split} was read from is not recorded under {roots.own}: "
            "materialize raw_annotation_index first."
        )
    return files
