"""What every check has in common: its partitions, and how its finding becomes a result."""

from collections.abc import Callable, Iterator, Mapping

import dagster as dg

from df2_assets.checks.finding import Finding
from df2_assets.defs import partitions
from df2_assets.defs.metadata import check_result
from df2_assets.defs.resources import DataRoots
from df2_assets.defs.retries import retried
from df2_assets.store.layout import Roots

Findings = Mapping[str, Finding]
"""What was found, by the name of the check."""

Pictures = Mapping[str, str | None]
"""Markdown with an embedded image, by the name of the check."""


def spec(asset: str, name: str, description: str, *, blocking: bool = False) -> dg.AssetCheckSpec:
    """A check of `asset`, one for each split."""
    return dg.AssetCheckSpec(
        name,
        asset=asset,
        description=description,
        blocking=blocking,
        partitions_def=partitions.splits,
    )


def split_checks(
    asset: str,
    says: Mapping[str, str],
    find: Callable[[Roots, str], Findings],
    show: Callable[[Roots, str, Findings], Pictures] | None = None,
) -> dg.AssetChecksDefinition:
    """The checks of an asset that make one step; `says` describes each by its name.

    `find` looks at a split, `show` draws what was found.
    """

    @dg.multi_asset_check(
        name=f"{asset}_checks", specs=[spec(asset, name, what) for name, what in says.items()]
    )
    def checks(
        context: dg.AssetCheckExecutionContext, data: DataRoots
    ) -> Iterator[dg.AssetCheckResult]:
        roots, split = data.roots, context.partition_key
        with retried(context.op_execution_context):
            found = find(roots, split)
        yield from results(roots, asset, split, found, show(roots, split, found) if show else {})

    return checks


def results(
    roots: Roots,
    asset: str,
    split: str,
    findings: Findings,
    pictures: Pictures | None = None,
) -> Iterator[dg.AssetCheckResult]:
    """The results of an asset's checks; `pictures` are markdown, by the name of their check."""
    for check, finding in findings.items():
        picture = pictures.get(check) if pictures else None
        yield check_result(finding, roots, asset, check, split, picture)
