"""Tables, findings and changes as Dagster metadata: what people read in the UI."""

from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pyarrow as pa

from df2_assets.dataset.tables import SCHEMAS
from df2_assets.errors import inert
from df2_assets.inspection.finding import Finding
from df2_assets.pipeline.changes import Changes
from df2_assets.pipeline.publishing import Published
from df2_assets.store import tables
from df2_assets.store.files import atomic
from df2_assets.store.layout import Roots

SHOWN = 20

_SEVERITY = {"warn": dg.AssetCheckSeverity.WARN, "error": dg.AssetCheckSeverity.ERROR}


def column_schema(schema: pa.Schema) -> dg.TableSchema:
    """A pyarrow schema, with the descriptions of its fields, as Dagster shows it."""
    return dg.TableSchema(
        [dg.TableColumn(f.name, str(f.type), f.metadata[b"description"].decode()) for f in schema]
    )


def column_lineage(schema: pa.Schema) -> dg.TableColumnLineage:
    """Which columns of which assets each column comes from."""
    return dg.TableColumnLineage(
        {
            f.name: [
                dg.TableColumnDep(*source.split("."))
                for source in f.metadata.get(b"sources", b"").decode().split()
            ]
            for f in schema
        }
    )


def preview(rows: pd.DataFrame, limit: int = SHOWN) -> dg.TableMetadataValue:
    """The first rows as a table; text in them made inert."""
    head = rows.head(limit)
    columns = [dg.TableColumn(str(name), "string") for name in head.columns]
    records = [
        dg.TableRecord({str(name): _cell(value) for name, value in row.items()})
        for row in head.to_dict("records")
    ]
    return dg.TableMetadataValue(records, dg.TableSchema(columns))


def table_result(
    asset: str,
    table: pa.Table,
    changes: Changes,
    *,
    numbers: Mapping[str, int | float],
    metadata: Mapping[str, Any] | None = None,
    check_results: Sequence[dg.AssetCheckResult] = (),
) -> dg.MaterializeResult[Any]:
    """The result of an asset that leaves a table, for the IO manager to write."""
    return dg.MaterializeResult(
        value=table,
        data_version=dg.DataVersion(tables.digest(table)),
        metadata={
            "dagster/row_count": table.num_rows,
            "dagster/column_schema": column_schema(SCHEMAS[asset]),
            "dagster/column_lineage": column_lineage(SCHEMAS[asset]),
            "preview": preview(tables.frame(table.slice(0, SHOWN))),
            **numbers,
            **changed(changes),
            **(metadata or {}),
        },
        check_results=check_results,
    )


def document_result(published: Published, path: Path) -> dg.MaterializeResult[Any]:
    """The result of an asset that leaves a contract file, already written."""
    return dg.MaterializeResult(
        data_version=dg.DataVersion(published.data_version),
        metadata={
            "path": dg.MetadataValue.path(str(path)),
            "bytes": path.stat().st_size,
            "skus": published.skus,
            "crops": published.crops,
            "preview": dg.MetadataValue.md(fenced(head(path))),
            **changed(published.changes),
        },
    )


def changed(changes: Changes) -> dict[str, Any]:
    """What changed since the last materialization, with the first of what did."""
    shown: dict[str, Any] = {
        "added": changes.added,
        "removed": changes.removed,
        "remade": changes.remade,
        "unchanged": changes.unchanged,
    }
    if len(changes.first):
        shown["first_changes"] = preview(changes.first)
    return shown


def head(path: Path, lines: int = 12, width: int = 160) -> list[str]:
    """The first lines of a text file, cut to `width`, made inert."""
    with path.open(encoding="utf-8") as file:
        return [inert(line.rstrip("\n"), width) for line in islice(file, lines)]


def fenced(lines: list[str]) -> str:
    """Lines as a block of code in markdown; nothing in them can end it early."""
    return "\n".join(["~~~~~~~~", *lines, "~~~~~~~~"])


def check_result(
    finding: Finding, roots: Roots, asset: str, check: str, split: str
) -> dg.AssetCheckResult:
    """A finding as the result of a check; all its offenders in a Parquet file, the first shown."""
    metadata: dict[str, Any] = {"looked_at": finding.looked_at, **finding.numbers}
    path = roots.offenders(asset, check, split)
    if len(finding.offenders):
        with atomic(path) as temporary:
            finding.offenders.to_parquet(temporary, index=False)
        metadata["offenders"] = len(finding.offenders)
        metadata[f"first {SHOWN} offenders"] = preview(finding.offenders)
        metadata["all offenders"] = dg.MetadataValue.path(str(path))
    else:
        path.unlink(missing_ok=True)
    for name, table in finding.tables.items():
        metadata[name] = preview(table, limit=len(table))
    return dg.AssetCheckResult(
        asset_key=asset,
        check_name=check,
        passed=finding.passed,
        severity=_SEVERITY[finding.severity],
        description=finding.summary,
        metadata=metadata,
    )


def _cell(value: object) -> str:
    return "" if pd.isna(value) else inert(str(value), 200)  # type: ignore[call-overload]
