"""Conversions between Arrow tables, pandas frames and rows of plain Python values."""

from collections.abc import Iterator
from typing import Any, Final

import pandas as pd
import pyarrow as pa

TEXT: Final = pd.ArrowDtype(pa.string())
"""The type of a text column that `frame` returns.

The meaning of `str` depends on the version of pandas: before 3.0 it is `object`, and turns a null
into the text `None`.
"""


def rows(data: pd.DataFrame, *columns: str) -> Iterator[tuple[Any, ...]]:
    """Yield the values of `columns` as plain Python values, one tuple per row. A null is None.

    Arrow converts a whole column in one call; pandas would convert it value by value.
    """
    return zip(*(pa.array(data[name]).to_pylist() for name in columns), strict=True)


def frame(table: pa.Table) -> pd.DataFrame:
    """Return a table as a frame with Arrow types: a column of integers may have nulls."""
    data: pd.DataFrame = table.to_pandas(types_mapper=pd.ArrowDtype)
    return data


def from_frame(data: pd.DataFrame, schema: pa.Schema) -> pa.Table:
    """Return the columns of `schema` from a frame, converted to the types of the schema."""
    table = pa.Table.from_pandas(data[schema.names], preserve_index=False)
    return table.replace_schema_metadata(None).cast(schema.remove_metadata()).cast(schema)
