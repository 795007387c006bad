"""Findings on disk, as their checks left them: what the gallery shows without Dagster's history."""

import msgspec
import pandas as pd
import pyarrow.parquet as pq

from df2_assets.checks.finding import Finding
from df2_assets.store import tables
from df2_assets.store.files import atomic, publish
from df2_assets.store.layout import Roots


class Recorded(msgspec.Struct, frozen=True):
    """The last finding of a check over a split; its offenders lie beside it."""

    asset: str
    check: str
    passed: bool
    severity: str
    looked_at: int
    summary: str
    numbers: dict[str, int | float]
    offenders: int


def record(finding: Finding, roots: Roots, asset: str, check: str, split: str) -> None:
    """Write a finding, and all its offenders as Parquet where there are any."""
    path = roots.offenders(asset, check, split)
    if len(finding.offenders):
        with atomic(path) as temporary:
            finding.offenders.to_parquet(temporary, index=False)
    else:
        path.unlink(missing_ok=True)
    said = Recorded(
        asset,
        check,
        finding.passed,
        finding.severity,
        finding.looked_at,
        finding.summary,
        finding.numbers,
        len(finding.offenders),
    )
    text = msgspec.json.format(msgspec.json.encode(said), indent=2) + b"\n"
    publish(roots.finding(asset, check, split), [text], lambda: None)


def recorded(roots: Roots, split: str) -> list[Recorded]:
    """The findings of a split, by asset and check; one that cannot be read is not there."""
    found = []
    for path in roots.findings(split):
        try:
            found.append(msgspec.json.decode(path.read_bytes(), type=Recorded))
        except msgspec.DecodeError:
            continue
    return found


def offenders(roots: Roots, asset: str, check: str, split: str) -> pd.DataFrame | None:
    """All offenders of a check, as its last run left them; None where it named none."""
    path = roots.offenders(asset, check, split)
    try:
        return tables.frame(pq.read_table(tables.parquet(path)))
    except FileNotFoundError:
        return None
