"""One Parquet file of plain rows, for pandas, polars, DuckDB and other readers of Parquet.

A box is four columns of numbers, as in all tables of this project, so that `x2 - x1 >= 48` is the
same filter everywhere. A list would be one NumPy array per row in pandas, and SQL would have to
unnest it. No other column is nested either, so no reader needs any options.
"""

import re
from typing import Any, Final

import pyarrow as pa

from df2_assets.dataset.record import EDGES
from df2_assets.dataset.tables import SKU_GROUPS
from df2_assets.dataset.taxonomy import SPLIT_NAME
from df2_assets.exports.folder import ExportFolder
from df2_assets.exports.format import Export
from df2_assets.exports.source import Row, Source
from df2_assets.exports.streams import encode_parquet


def schema_of(source: Source) -> pa.Schema:
    """Return the columns of `Source.schema`, in order. The box is four columns."""
    columns: list[pa.Field] = []
    for column in source.schema:
        columns += [SKU_GROUPS.field(edge) for edge in EDGES] if column.name == "bbox" else [column]
    return pa.schema(column.remove_metadata() for column in columns)


def write(folder: ExportFolder) -> None:
    """Write one row per crop, in the order of the JSONL."""
    source = folder.source
    rows = encode_parquet(schema_of(source), map(_flat, folder.count_rows(source.rows())))
    folder.publish(f"{source.split}.parquet", rows)


def _flat(row: Row) -> dict[str, Any]:
    return row.fields | dict(zip(EDGES, row.fields["bbox"], strict=True))


EXPORT: Final = Export(
    name="table",
    title="Table",
    description="""
    `{split}.parquet`: one row per crop with the fields of the JSONL, `sku_uid` and further labels.
    Ids and paths are texts. The box that was cut is the four columns `x1, y1, x2, y2`, half-open,
    in pixels of `orig_image_path`. Paths are relative to `SKU_ROOT`, `orig_image_path` to
    `DF2_ROOT`.
    """,
    loading_code="""
path = "data/DeepFashion2_SKU/_df2_assets/exports/table/SPLIT/SPLIT.parquet"

import pandas

rows = pandas.read_parquet(path)
wide = rows[rows["x2"] - rows["x1"] >= 48]

import polars

lazy = polars.scan_parquet(path).filter(polars.col("x2") - polars.col("x1") >= 48)

import duckdb

count = duckdb.sql(f"SELECT count(*) FROM '{path}' WHERE x2 - x1 >= 48").fetchall()
""",
    kinds=("parquet",),
    own_paths=re.compile(rf"{SPLIT_NAME}\.parquet", re.ASCII),
    write=write,
    code_version="2",
)
