"""Dagster metadata, as people read it in the UI: tables, findings, changes, pictures, links."""

from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pyarrow as pa

from df2_assets.checks.finding import Finding, crop_rows, number_of
from df2_assets.dataset import record
from df2_assets.defs.names import sibling_key
from df2_assets.errors import escape_controls
from df2_assets.exports.folder import ExportResult
from df2_assets.pipeline.changes import Changes
from df2_assets.pipeline.publishing import Published
from df2_assets.report.addresses import address
from df2_assets.report.check_pictures import DRAWN
from df2_assets.report.columns import (
    OFFENDERS_WIDTH,
    make_offenders_readable,
    make_readable,
    round_number,
)
from df2_assets.report.picture_files import write_picture
from df2_assets.report.tiles import Picture
from df2_assets.settings import Settings
from df2_assets.store import tables
from df2_assets.store.layout import Roots

COLUMN_LINEAGE = "dagster/column_lineage"
SHOWN = 20
PREVIEWED = 3
HOW_TO_OPEN = (
    "The link works while `df2-assets ui` or `df2-assets serve` runs. The file needs no server."
)
FIRST_OFFENDERS = f"first {SHOWN} offenders"
IN_COMMON = f"{FIRST_OFFENDERS} have in common"
ALL_OFFENDERS = "all offenders, in SKU_ROOT"

_SEVERITY = {"warn": dg.AssetCheckSeverity.WARN, "error": dg.AssetCheckSeverity.ERROR}


def column_metadata(schema: pa.Schema, asset: record.Asset, key: dg.AssetKey) -> dict[str, Any]:
    """Return the types, meanings, constraints and sources of the columns of an asset.

    `key` is the key of the asset. A column of `schema` that is not a field of `asset` has no
    constraints.
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
    """Return the source columns of each column of the asset at `key`."""
    return dg.TableColumnLineage(
        {
            f.name: [
                dg.TableColumnDep(sibling_key(key, asset), column)
                for source in f.metadata.get(b"sources", b"").decode().split()
                for asset, column in [source.split(".")]
            ]
            for f in schema
        }
    )


def preview(rows: pd.DataFrame, limit: int = SHOWN) -> dg.TableMetadataValue:
    """Return the first rows as a table. Text in them is escaped."""
    head = rows.head(limit)
    columns = [dg.TableColumn(str(name), "string") for name in head.columns]
    records = [
        dg.TableRecord({str(name): _cell(value) for name, value in row.items()})
        for row in head.to_dict("records")
    ]
    return dg.TableMetadataValue(records, dg.TableSchema(columns))


def preview_entry(name: str, rows: pd.DataFrame, limit: int = SHOWN) -> dict[str, Any]:
    """Return a preview as an entry of metadata, without empty columns; no entry for no rows."""
    filled = rows.head(limit).dropna(axis="columns", how="all")
    return {name: preview(filled, limit)} if len(filled) else {}


def sort_metadata(metadata: Mapping[str, Any], roots: Roots) -> dict[str, Any]:
    """Sort the metadata of a materialization for people to read.

    Sentences come first, then pictures and links, numbers, tables, paths, and Dagster's own
    entries. Within a kind the order stays. Numbers are rounded, and paths are relative to SKU_ROOT,
    because a long line would push the others out of sight.
    """
    entries = [_short(name, value, roots) for name, value in metadata.items()]
    return dict(sorted(entries, key=lambda entry: _rank(*entry)))


def _short(name: str, value: Any, roots: Roots) -> tuple[str, Any]:
    if not isinstance(value, dg.PathMetadataValue):
        return name, round_number(value)
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
    """Return the result of an asset with a table, which the IO manager writes.

    `summary` is a sentence about the contents. `rebuild_reason` says why rows were rebuilt although
    their input did not change.
    """
    head = make_readable(tables.frame(table.slice(0, PREVIEWED)))
    return dg.MaterializeResult(
        value=table,
        data_version=dg.DataVersion(tables.digest(table)),
        metadata={
            "summary": f"{summary} {changes}",
            **({"rebuild_reason": rebuild_reason} if rebuild_reason else {}),
            **numbers,
            **change_metadata(changes),
            **preview_entry("preview", head),
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
    """Return the result of an asset with a contract file, which is already written."""
    size = path.stat().st_size
    contents = f"{number_of(published.skus, 'SKU')} with {number_of(published.crops, 'crop')}"
    return dg.MaterializeResult(
        data_version=dg.DataVersion(published.data_version),
        metadata={
            "summary": f"{contents}, {format_megabytes(size)}. {published.changes}",
            **({"rebuild_reason": published.rebuild_reason} if published.rebuild_reason else {}),
            "skus": published.skus,
            "crops": published.crops,
            "bytes": size,
            **change_metadata(published.changes),
            **preview,
            "path": dg.MetadataValue.path(str(path)),
            **(metadata or {}),
            "dagster/partition_row_count": published.crops,
        },
        tags=tags,
    )


def export_result(
    settings: Settings, name: str, split: str, exported: ExportResult
) -> dg.MaterializeResult[Any]:
    """Return the result of an export, which is already written."""
    folder = settings.roots.export(name, split)
    card = folder / "README.md"
    contents = f"{number_of(exported.rows, 'row')} in {number_of(exported.files, 'file')}"
    changes = "Nothing changed."
    if exported.written or exported.removed:
        changes = f"{number_of(exported.written, 'file')} written, {exported.removed:,} removed."
    return dg.MaterializeResult(
        data_version=dg.DataVersion(exported.digest),
        metadata={
            "summary": f"{contents}, {format_megabytes(exported.bytes)}. {changes}",
            "readme": dg.MetadataValue.url(address(settings, card)),
            "how_to_open": HOW_TO_OPEN,
            "rows": exported.rows,
            "files": exported.files,
            "bytes": exported.bytes,
            "written": exported.written,
            "unchanged": exported.files - exported.written,
            "removed": exported.removed,
            "foreign": len(exported.foreign),
            "data_card": dg.MetadataValue.md(card.read_text(encoding="utf-8")),
            "path": dg.MetadataValue.path(str(folder)),
            "dagster/partition_row_count": exported.rows,
            **({"lacks": exported.note} if exported.note else {}),
        },
    )


def format_megabytes(size: int) -> str:
    """Return a number of bytes as text in megabytes, such as `1.5 MB`."""
    return f"{size / 1e6:,.1f} MB"


def change_metadata(changes: Changes) -> dict[str, Any]:
    """Return how many rows changed since the last materialization, and the first of them."""
    return {
        "added": changes.added,
        "removed": changes.removed,
        "remade": changes.remade,
        "unchanged": changes.unchanged,
        **preview_entry("first_changes", _readable_changes(changes.first), limit=5),
    }


def _readable_changes(first: pd.DataFrame) -> pd.DataFrame:
    """Return the changes for people to read: crops by SKU, image and item instead of path."""
    of_crops = len(first) and crop_rows(first["key"])["sku_id"].notna().all()
    return make_readable(first.rename(columns={"key": "crop_path"})) if of_crops else first


def write_pictures(
    settings: Settings, asset: str, split: str, **drawn: Picture | None
) -> dict[str, dg.MarkdownMetadataValue]:
    """Write the pictures of an asset and return them as metadata. None is left out."""
    return {
        name: picture_link(
            settings, write_picture(settings.roots, f"{asset}.{name}", split, picture), picture
        )
        for name, picture in drawn.items()
        if picture
    }


def picture_link(settings: Settings, path: Path, picture: Picture) -> dg.MarkdownMetadataValue:
    """Return the markdown of a picture: short, so that the UI shows it inline.

    Its text is shown where no server serves the reports.
    """
    file = path.relative_to(settings.roots.sku_root).as_posix()
    hint = f"Not shown? Run `df2-assets serve` or open {file} in SKU_ROOT."
    return dg.MetadataValue.md(f"![{picture.alt}. {hint}]({address(settings, path)})")


def percent(part: int, whole: int) -> float:
    """Return `part` in percent of `whole`; 0.0 where `whole` is 0."""
    return 100 * part / whole if whole else 0.0


def per_second(name: str, count: int, seconds: float) -> dict[str, float]:
    """Return how many things were processed per second, as metadata; nothing for a count of 0."""
    return {f"{name}_per_second": count / seconds} if count else {}


def fenced_head(path: Path, lines: int = 12, width: int = 46) -> str:
    """Return the first lines of a text file as code in markdown, escaped and cut to `width`."""
    with path.open(encoding="utf-8") as file:
        head = [escape_controls(line.rstrip("\n"), width) for line in islice(file, lines)]
    return "\n".join(["~~~~~~~~", *head, "~~~~~~~~"])  # no line of JSON can end it early


def check_result(
    finding: Finding,
    roots: Roots,
    key: dg.AssetKey,
    check: str,
    split: str,
    picture: dg.MarkdownMetadataValue | None = None,
) -> dg.AssetCheckResult:
    """Return a recorded finding as the result of a check, with its first offenders."""
    metadata: dict[str, Any] = {"note": finding.note} if finding.note else {}
    metadata["checked_count"] = finding.checked_count
    metadata |= {name: round_number(number) for name, number in finding.numbers.items()}
    if picture:
        metadata["picture"] = picture
    if len(finding.offenders):
        metadata["offenders"] = len(finding.offenders)
        shown, in_common = make_offenders_readable(finding.offenders, SHOWN)
        metadata[FIRST_OFFENDERS] = preview(shown)
        if in_common:
            metadata[IN_COMMON] = describe_offender(
                {name: _cell(value) for name, value in in_common.items()}
            )
        file = roots.offenders(key.path[-1], check, split).relative_to(roots.sku_root)
        metadata[ALL_OFFENDERS] = dg.MetadataValue.path(file.as_posix())
    for name, table in finding.tables.items():
        if name not in DRAWN:
            metadata[name] = preview(make_readable(table, OFFENDERS_WIDTH), limit=len(table))
    return dg.AssetCheckResult(
        asset_key=key,
        check_name=check,
        passed=finding.passed,
        severity=_SEVERITY[finding.severity],
        description=finding.summary,
        metadata=metadata,
    )


def describe_offender(cells: Mapping[str, object]) -> str:
    """Return the cells of an offender as text: first where it is, then what is wrong with it."""
    place = ", ".join(
        f"{name} {value}" for name, value in cells.items() if name != "what" and value
    )
    return ": ".join(str(part) for part in (place, cells.get("what")) if part)


def _cell(value: object) -> str:
    return "" if pd.isna(value) else escape_controls(str(round_number(value)), 200)  # type: ignore[call-overload]
