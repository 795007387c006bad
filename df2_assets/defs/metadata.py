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
from df2_assets.errors import escaped
from df2_assets.exports.folder import Exported
from df2_assets.pipeline.changes import Changes
from df2_assets.pipeline.publishing import Published
from df2_assets.report.addresses import address
from df2_assets.report.picture_files import write_picture
from df2_assets.report.tiles import Picture
from df2_assets.settings import Settings
from df2_assets.store import tables
from df2_assets.store.layout import Roots

SHOWN = 20
PREVIEWED = 3
HOW_TO_OPEN = "Links need df2-assets serve, which make ui starts; the files need no server."
FIRST_OFFENDERS = f"first {SHOWN} offenders"

_SEVERITY = {"warn": dg.AssetCheckSeverity.WARN, "error": dg.AssetCheckSeverity.ERROR}


def columns(schema: pa.Schema) -> dict[str, Any]:
    """Return what the UI shows of columns: their types and meaning, and where values come from."""
    return {
        "dagster/column_schema": dg.TableSchema(
            [
                dg.TableColumn(f.name, str(f.type), f.metadata[b"description"].decode())
                for f in schema
            ]
        ),
        "dagster/column_lineage": column_lineage(schema),
    }


def column_lineage(schema: pa.Schema) -> dg.TableColumnLineage:
    """Return which columns of which assets each column comes from."""
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
    """Return the first rows as a table; text in them is inert."""
    head = rows.head(limit)
    columns = [dg.TableColumn(str(name), "string") for name in head.columns]
    records = [
        dg.TableRecord({str(name): _cell(value) for name, value in row.items()})
        for row in head.to_dict("records")
    ]
    return dg.TableMetadataValue(records, dg.TableSchema(columns))


def previewed(name: str, rows: pd.DataFrame, limit: int = SHOWN) -> dict[str, Any]:
    """Return the same by name, to be kept in an event: no columns without values, nor no rows."""
    filled = rows.head(limit).dropna(axis="columns", how="all")
    return {name: preview(filled, limit)} if len(filled) else {}


def table_result(
    asset: str,
    table: pa.Table,
    changes: Changes,
    *,
    numbers: Mapping[str, int | float],
    rebuild_reason: str | None = None,
    metadata: Mapping[str, Any] | None = None,
    tags: Mapping[str, str] | None = None,
) -> dg.MaterializeResult[Any]:
    """Return the result of an asset that leaves a table, for the IO manager to write.

    `rebuild_reason` says why existing rows were made again, where their input has not changed.
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
            **({"rebuild_reason": rebuild_reason} if rebuild_reason else {}),
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
    """Return the result of an asset that leaves a contract file, already written."""
    return dg.MaterializeResult(
        data_version=dg.DataVersion(published.data_version),
        metadata={
            "dagster/row_count": published.crops,
            "dagster/column_lineage": column_lineage(DOCUMENTS[asset]),
            "path": dg.MetadataValue.path(str(path)),
            "bytes": path.stat().st_size,
            "skus": published.skus,
            "crops": published.crops,
            "preview": dg.MetadataValue.md(fenced_head(path)),
            **changed(published.changes),
            **({"rebuild_reason": published.rebuild_reason} if published.rebuild_reason else {}),
            **(metadata or {}),
        },
        tags=tags,
    )


def export_result(
    settings: Settings, name: str, split: str, made: Exported
) -> dg.MaterializeResult[Any]:
    """Return the result of an asset that leaves an export in a folder, already written."""
    folder = settings.roots.export(name, split)
    card = folder / "README.md"
    return dg.MaterializeResult(
        data_version=dg.DataVersion(made.digest),
        metadata={
            "dagster/row_count": made.rows,
            "path": dg.MetadataValue.path(str(folder)),
            "how_to_open": HOW_TO_OPEN,
            "readme": dg.MetadataValue.url(address(settings, card)),
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
    """Return what changed since the last materialization, with the first changes."""
    return {
        "added": changes.added,
        "removed": changes.removed,
        "remade": changes.remade,
        "unchanged": changes.unchanged,
        **previewed("first_changes", changes.first, limit=10),
    }


def pictures(
    settings: Settings, asset: str, split: str, **drawn: Picture | None
) -> dict[str, dg.MarkdownMetadataValue]:
    """Write pictures of an asset, and return them as metadata; without those that show nothing."""
    return {
        name: linked(
            settings, write_picture(settings.roots, f"{asset}.{name}", split, picture), picture
        )
        for name, picture in drawn.items()
        if picture
    }


def linked(settings: Settings, path: Path, picture: Picture) -> dg.MarkdownMetadataValue:
    """Return a picture that was written as markdown: short, so that the UI shows it inline.

    The words beside it are seen where no server shows the reports.
    """
    file = path.relative_to(settings.roots.sku_root).as_posix()
    hint = f"Not shown? Run df2-assets serve, or open {file} in SKU_ROOT."
    return dg.MetadataValue.md(f"![{picture.alt}. {hint}]({address(settings, path)})")


def share(part: int, whole: int) -> float:
    """Return how much of the work was done: 1.0 is a cold build, 0.0 one that changed nothing."""
    return part / whole if whole else 0.0


def fenced_head(path: Path, lines: int = 6, width: int = 160) -> str:
    """Return the first lines of a text file, cut to `width` and inert, as code in markdown."""
    with path.open(encoding="utf-8") as file:
        head = [escaped(line.rstrip("\n"), width) for line in islice(file, lines)]
    return "\n".join(["~~~~~~~~", *head, "~~~~~~~~"])  # no line of JSON can end it early


def check_result(
    finding: Finding,
    roots: Roots,
    asset: str,
    check: str,
    split: str,
    picture: dg.MarkdownMetadataValue | None = None,
) -> dg.AssetCheckResult:
    """Render a recorded finding as the result of a check; of its offenders the first are shown."""
    metadata: dict[str, Any] = {"looked_at": finding.looked_at, **finding.numbers}
    if picture:
        metadata["picture"] = picture
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
    return "" if pd.isna(value) else escaped(str(value), 200)  # type: ignore[call-overload]
