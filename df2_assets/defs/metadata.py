"""Tables, findings and changes as Dagster metadata: what people read in the UI."""

from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pyarrow as pa

from df2_assets.checks.finding import Finding
from df2_assets.dataset.documents import DOCUMENTS
from df2_assets.dataset.tables import SCHEMAS
from df2_assets.errors import inert
from df2_assets.exports.folder import Exported
from df2_assets.pipeline.changes import Changes
from df2_assets.pipeline.publishing import Published
from df2_assets.store import tables
from df2_assets.store.layout import Roots

SHOWN = 20
PREVIEWED = 3
FIRST_OFFENDERS = f"first {SHOWN} offenders"

_SEVERITY = {"warn": dg.AssetCheckSeverity.WARN, "error": dg.AssetCheckSeverity.ERROR}


def columns(schema: pa.Schema) -> dict[str, Any]:
    """What the UI shows of columns: their types and meaning, and where their values come from."""
    return {
        "dagster/column_schema": column_schema(schema),
        "dagster/column_lineage": column_lineage(schema),
    }


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


def previewed(name: str, rows: pd.DataFrame, limit: int = SHOWN) -> dict[str, Any]:
    """The same by name, to be kept in an event: without rows nothing, nor columns without values.

    What columns an asset has, it says itself.
    """
    filled = rows.head(limit).dropna(axis="columns", how="all")
    return {name: preview(filled, limit)} if len(filled) else {}


def table_result(
    asset: str,
    table: pa.Table,
    changes: Changes,
    *,
    numbers: Mapping[str, int | float],
    anew: str | None = None,
    metadata: Mapping[str, Any] | None = None,
    tags: Mapping[str, str] | None = None,
) -> dg.MaterializeResult[Any]:
    """The result of an asset that leaves a table, for the IO manager to write.

    `anew` says why what is there already was made again, where that is not for its input.
    """
    return dg.MaterializeResult(
        value=table,
        data_version=dg.DataVersion(tables.digest(table)),
        metadata={
            "dagster/row_count": table.num_rows,
            "dagster/column_lineage": column_lineage(SCHEMAS[asset]),
            **previewed("preview", tables.frame(table.slice(0, PREVIEWED))),
            **numbers,
            **changed(changes),
            **({"made_anew": anew} if anew else {}),
            **(metadata or {}),
        },
        tags=tags,
    )


def document_result(
    asset: str,
    published: Published,
    path: Path,
    metadata: Mapping[str, Any] | None = None,
    tags: Mapping[str, str] | None = None,
) -> dg.MaterializeResult[Any]:
    """The result of an asset that leaves a contract file, already written."""
    return dg.MaterializeResult(
        data_version=dg.DataVersion(published.data_version),
        metadata={
            "dagster/row_count": published.crops,
            "dagster/column_lineage": column_lineage(DOCUMENTS[asset]),
            "path": dg.MetadataValue.path(str(path)),
            "bytes": path.stat().st_size,
            "skus": published.skus,
            "crops": published.crops,
            "preview": dg.MetadataValue.md(fenced(head(path))),
            **changed(published.changes),
            **({"made_anew": published.anew} if published.anew else {}),
            **(metadata or {}),
        },
        tags=tags,
    )


def export_result(name: str, made: Exported, folder: Path) -> dg.MaterializeResult[Any]:
    """The result of an asset that leaves an export in a folder, already written."""
    card = folder / "README.md"
    return dg.MaterializeResult(
        data_version=dg.DataVersion(made.digest),
        metadata={
            "dagster/row_count": made.rows,
            "path": dg.MetadataValue.path(str(folder)),
            "readme": dg.MetadataValue.url(card.as_uri()),
            "data_card": dg.MetadataValue.md(card.read_text(encoding="utf-8")),
            "rows": made.rows,
            "files": made.files,
            "bytes": made.bytes,
            "written": made.written,
            "unchanged": made.files - made.written,
            "removed": made.removed,
            "foreign": len(made.foreign),
        },
    )


def changed(changes: Changes) -> dict[str, Any]:
    """What changed since the last materialization, with the first of what did."""
    return {
        "added": changes.added,
        "removed": changes.removed,
        "remade": changes.remade,
        "unchanged": changes.unchanged,
        **previewed("first_changes", changes.first, limit=10),
    }


def share(part: int, whole: int) -> float:
    """How much of the work was done anew: 1.0 is a cold build, 0.0 one that changed nothing."""
    return part / whole if whole else 0.0


def head(path: Path, lines: int = 6, width: int = 160) -> list[str]:
    """The first lines of a text file, cut to `width`, made inert."""
    with path.open(encoding="utf-8") as file:
        return [inert(line.rstrip("\n"), width) for line in islice(file, lines)]


def fenced(lines: list[str]) -> str:
    """Lines as a block of code in markdown; nothing in them can end it early."""
    return "\n".join(["~~~~~~~~", *lines, "~~~~~~~~"])


def check_result(
    finding: Finding, roots: Roots, asset: str, check: str, split: str, picture: str | None = None
) -> dg.AssetCheckResult:
    """Render a recorded finding as the result of a check; of its offenders the first are shown.

    `picture` is markdown with an embedded image.
    """
    metadata: dict[str, Any] = {"looked_at": finding.looked_at, **finding.numbers}
    if picture:
        metadata["picture"] = dg.MetadataValue.md(picture)
    if len(finding.offenders):
        metadata["offenders"] = len(finding.offenders)
        metadata[FIRST_OFFENDERS] = preview(finding.offenders)
        metadata["all offenders"] = dg.MetadataValue.path(str(roots.offenders(asset, check, split)))
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
