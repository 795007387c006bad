"""Tables, findings and changes as Dagster metadata: what people read in the UI."""

from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pyarrow as pa

from df2_assets.checks.finding import Finding, crop_rows, number_of
from df2_assets.dataset import record
from df2_assets.defs.names import beside
from df2_assets.errors import escaped
from df2_assets.exports.folder import Exported
from df2_assets.pipeline.changes import Changes
from df2_assets.pipeline.publishing import Published
from df2_assets.report.addresses import address
from df2_assets.report.check_pictures import DRAWN
from df2_assets.report.columns import OFFENDERS_WIDTH, readable, readable_offenders, rounded
from df2_assets.report.picture_files import write_picture
from df2_assets.report.tiles import Picture
from df2_assets.settings import Settings
from df2_assets.store import tables
from df2_assets.store.layout import Roots

COLUMN_LINEAGE = "dagster/column_lineage"
SHOWN = 20
PREVIEWED = 3
HOW_TO_OPEN = (
    "The link works while `df2-assets ui` or `df2-assets serve` runs; the file needs no server."
)
FIRST_OFFENDERS = f"first {SHOWN} offenders"
IN_COMMON = f"{FIRST_OFFENDERS}: each"
ALL_OFFENDERS = "all offenders, in SKU_ROOT"

_SEVERITY = {"warn": dg.AssetCheckSeverity.WARN, "error": dg.AssetCheckSeverity.ERROR}


def columns(schema: pa.Schema, asset: record.Asset, key: dg.AssetKey) -> dict[str, Any]:
    """Return what the UI shows of columns: types, meaning, constraints, and where values come from.

    `key` is the key of the asset. A column of `schema` that the record of `asset` does not know has
    no constraint.
    """
    fields = {field.name: field for field in asset.fields}
    return {
        "dagster/column_schema": dg.TableSchema(
            [
                dg.TableColumn(
                    column.name,
                    str(column.type),
                    column.metadata[b"description"].decode(),
                    _constraints(asset, fields[column.name]) if column.name in fields else None,
                )
                for column in schema
            ]
        ),
        COLUMN_LINEAGE: column_lineage(schema, key),
    }


def _constraints(asset: record.Asset, field: record.Field) -> dg.TableColumnConstraints:
    limits = [f"{field.limits.low:,} to {field.limits.high:,}"] if field.limits else []
    return dg.TableColumnConstraints(
        nullable=field.name in asset.nullable,
        unique=field.name == asset.unique,
        other=[*limits, *([field.pattern] if field.pattern else [])],
    )


def column_lineage(schema: pa.Schema, key: dg.AssetKey) -> dg.TableColumnLineage:
    """Return which columns of which assets each column of the asset at `key` comes from."""
    return dg.TableColumnLineage(
        {
            f.name: [
                dg.TableColumnDep(beside(key, asset), column)
                for source in f.metadata.get(b"sources", b"").decode().split()
                for asset, column in [source.split(".")]
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


def in_order(metadata: Mapping[str, Any], roots: Roots) -> dict[str, Any]:
    """Return the metadata of a materialization as a person reads it.

    Sentences come first, then pictures and links, numbers, tables, paths, and what Dagster reads.
    Within a kind the order stays. Numbers are rounded, and paths relative to SKU_ROOT: a long line
    would push all others out of sight.
    """
    entries = [_short(name, value, roots) for name, value in metadata.items()]
    return dict(sorted(entries, key=lambda entry: _rank(*entry)))


def _short(name: str, value: Any, roots: Roots) -> tuple[str, Any]:
    if not isinstance(value, dg.PathMetadataValue):
        return name, rounded(value)
    for folder in (roots.own, roots.sku_root):
        inside = (value.path or "").removeprefix(f"{folder}/")
        if inside != value.path:
            where = folder.name if folder == roots.own else "SKU_ROOT"
            return f"{name} in {where}", dg.MetadataValue.path(inside)
    return name, value


def _rank(name: str, value: object) -> int:
    if name.startswith("dagster/"):
        return 5
    if isinstance(value, str | dg.TextMetadataValue):
        return 0
    if isinstance(value, dg.UrlMetadataValue):
        return 1
    if isinstance(value, dg.MarkdownMetadataValue):
        return 1 if (value.value or "").startswith("![") else 3
    if isinstance(value, int | float):
        return 2
    return 4 if isinstance(value, dg.PathMetadataValue) else 3


def table_result(
    table: pa.Table,
    changes: Changes,
    *,
    summary: str,
    numbers: Mapping[str, int | float],
    rebuild_reason: str | None = None,
    metadata: Mapping[str, Any] | None = None,
    tags: Mapping[str, str] | None = None,
) -> dg.MaterializeResult[Any]:
    """Return the result of an asset that leaves a table, for the IO manager to write.

    `summary` says in a sentence what is in it. `rebuild_reason` says why existing rows were made
    again, where their input has not changed.
    """
    head = readable(tables.frame(table.slice(0, PREVIEWED)))
    return dg.MaterializeResult(
        value=table,
        data_version=dg.DataVersion(tables.digest(table)),
        metadata={
            "summary": f"{summary} {changes}",
            **({"rebuild_reason": rebuild_reason} if rebuild_reason else {}),
            **numbers,
            **changed(changes),
            **previewed("preview", head),
            **(metadata or {}),
            "dagster/partition_row_count": table.num_rows,
        },
        tags=tags,
    )


def document_result(
    published: Published,
    path: Path,
    preview: Mapping[str, Any],
    metadata: Mapping[str, Any] | None = None,
    tags: Mapping[str, str] | None = None,
) -> dg.MaterializeResult[Any]:
    """Return the result of an asset that leaves a contract file, already written."""
    size = path.stat().st_size
    contents = f"{number_of(published.skus, 'SKU')} with {number_of(published.crops, 'crop')}"
    return dg.MaterializeResult(
        data_version=dg.DataVersion(published.data_version),
        metadata={
            "summary": f"{contents}, {megabytes(size)}. {published.changes}",
            **({"rebuild_reason": published.rebuild_reason} if published.rebuild_reason else {}),
            "skus": published.skus,
            "crops": published.crops,
            "bytes": size,
            **changed(published.changes),
            **preview,
            "path": dg.MetadataValue.path(str(path)),
            **(metadata or {}),
            "dagster/partition_row_count": published.crops,
        },
        tags=tags,
    )


def export_result(
    settings: Settings, name: str, split: str, made: Exported
) -> dg.MaterializeResult[Any]:
    """Return the result of an asset that leaves an export in a folder, already written."""
    folder = settings.roots.export(name, split)
    card = folder / "README.md"
    contents = f"{number_of(made.rows, 'row')} in {number_of(made.files, 'file')}"
    fate = "Nothing changed."
    if made.written or made.removed:
        fate = f"{number_of(made.written, 'file')} written, {made.removed:,} removed."
    return dg.MaterializeResult(
        data_version=dg.DataVersion(made.digest),
        metadata={
            "summary": f"{contents}, {megabytes(made.bytes)}. {fate}",
            "readme": dg.MetadataValue.url(address(settings, card)),
            "how_to_open": HOW_TO_OPEN,
            "rows": made.rows,
            "files": made.files,
            "bytes": made.bytes,
            "written": made.written,
            "unchanged": made.files - made.written,
            "removed": made.removed,
            "foreign": len(made.foreign),
            "data_card": dg.MetadataValue.md(card.read_text(encoding="utf-8")),
            "path": dg.MetadataValue.path(str(folder)),
            "dagster/partition_row_count": made.rows,
        },
    )


def megabytes(size: int) -> str:
    """Return a number of bytes in megabytes, with the unit."""
    return f"{size / 1e6:,.1f} MB"


def changed(changes: Changes) -> dict[str, Any]:
    """Return what changed since the last materialization, with the first changes."""
    return {
        "added": changes.added,
        "removed": changes.removed,
        "remade": changes.remade,
        "unchanged": changes.unchanged,
        **previewed("first_changes", _readable_changes(changes.first), limit=10),
    }


def _readable_changes(first: pd.DataFrame) -> pd.DataFrame:
    """Return the changes with crops by SKU, image and item, where crops are what changed."""
    of_crops = len(first) and crop_rows(first["key"])["sku_id"].notna().all()
    return readable(first.rename(columns={"key": "crop_path"})) if of_crops else first


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
    hint = f"Not shown? Run `df2-assets serve` or open {file} in SKU_ROOT."
    return dg.MetadataValue.md(f"![{picture.alt}. {hint}]({address(settings, path)})")


def percent(part: int, whole: int) -> float:
    """Return how much of the work was done: 100.0 in a cold build, 0.0 if nothing changed."""
    return 100 * part / whole if whole else 0.0


def per_second(name: str, count: int, seconds: float) -> dict[str, float]:
    """Return the rate at which `count` things were worked on; none where there were none."""
    return {f"{name}_per_second": count / seconds} if count else {}


def fenced_head(path: Path, lines: int = 12, width: int = 46) -> str:
    """Return the first lines of a text file, cut to `width` and inert, as code in markdown."""
    with path.open(encoding="utf-8") as file:
        head = [escaped(line.rstrip("\n"), width) for line in islice(file, lines)]
    return "\n".join(["~~~~~~~~", *head, "~~~~~~~~"])  # no line of JSON can end it early


def check_result(
    finding: Finding,
    roots: Roots,
    key: dg.AssetKey,
    check: str,
    split: str,
    picture: dg.MarkdownMetadataValue | None = None,
) -> dg.AssetCheckResult:
    """Render a recorded finding as the result of a check; of its offenders the first are shown."""
    metadata: dict[str, Any] = {"note": finding.note} if finding.note else {}
    metadata |= {"checked_count": finding.checked_count, **finding.numbers}
    if picture:
        metadata["picture"] = picture
    if len(finding.offenders):
        metadata["offenders"] = len(finding.offenders)
        shown, in_common = readable_offenders(finding.offenders, SHOWN)
        metadata[FIRST_OFFENDERS] = preview(shown)
        if in_common:
            said = (f"{name} {_cell(text)}" for name, text in in_common.items())
            metadata[IN_COMMON] = ", ".join(said)
        file = roots.offenders(key.path[-1], check, split).relative_to(roots.sku_root)
        metadata[ALL_OFFENDERS] = dg.MetadataValue.path(file.as_posix())
    for name, table in finding.tables.items():
        if name not in DRAWN:
            metadata[name] = preview(readable(table, OFFENDERS_WIDTH), limit=len(table))
    return dg.AssetCheckResult(
        asset_key=key,
        check_name=check,
        passed=finding.passed,
        severity=_SEVERITY[finding.severity],
        description=finding.summary,
        metadata=metadata,
    )


def _cell(value: object) -> str:
    return "" if pd.isna(value) else escaped(str(rounded(value)), 200)  # type: ignore[call-overload]
