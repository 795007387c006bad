"""Conversion between pandas frames, Arrow tables and rows."""

from collections.abc import Iterator
from typing import Any, Final

import pandas as pd
import pyarrow as pa

TEXT: Final = pd.ArrowDtype(pa.string())
"""The type of a column of texts, as `frame` gives it. What `str` means depends on pandas: before
3.0 it is `object`, and makes the text `None` of a null."""


def rows(data: pd.DataFrame, *columns: str) -> Iterator[tuple[Any, ...]]:
    """Yield the values of `columns` as plain Python, one tuple per row; null is None.

    Arrow converts a whole column in one call; pandas would convert it value by value.
    """
    return zip(*(pa.array(data[name]).to_pylist() for name in columns), strict=True)


def frame(table: pa.Table) -> pd.DataFrame:
    """Return a table as pandas, with Arrow's types: integers stay integers beside nulls."""
    data: pd.DataFrame = table.to_pandas(types_mapper=pd.ArrowDtype)
    return data


def from_frame(data: pd.DataFrame, schema: pa.Schema) -> pa.Table:
    """Return the columns of `schema` from a frame, in its types."""
    table = pa.Table.from_pandas(data[schema.names], preserve_index=False)
    return table.replace_schema_metadata(None).cast(schema.remove_metadata()).cast(schema)
