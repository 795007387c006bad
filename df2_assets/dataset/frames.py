"""Frames, row by row."""

from collections.abc import Iterator
from typing import Any

import pandas as pd
import pyarrow as pa


def rows(data: pd.DataFrame, *columns: str) -> Iterator[tuple[Any, ...]]:
    """The values of `columns` as plain Python, a tuple a row; null is None.

    Arrow turns a whole column into Python at once; pandas would go through it value by value.
    """
    return zip(*(pa.array(data[name]).to_pylist() for name in columns), strict=True)
