"""Encoding of rows as CSV or Parquet, in chunks, so that they need not be in memory together."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from tempfile import SpooledTemporaryFile
from typing import Any, Final, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

T = TypeVar("T")

_GROUP: Final = 65_536
"""Rows per row group."""

_IN_MEMORY: Final = 64 * 1024 * 1024
_BLOCK: Final = 1024 * 1024


def encode_delimited(rows: Iterable[Sequence[object]], delimiter: str = ",") -> Iterator[bytes]:
    """Yield rows as lines in UTF-8, with quotes where needed."""
    for row in rows:
        line = io.StringIO()
        csv.writer(line, delimiter=delimiter, lineterminator="\n").writerow(row)
        yield line.getvalue().encode()


def group_rows(rows: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield lists of `size` rows; the last one may be shorter."""
    rest = iter(rows)
    while group := list(islice(rest, size)):
        yield group


def encode_parquet(schema: pa.Schema, rows: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    """Yield the bytes of a Parquet file of `rows`. A large one uses a temporary file."""
    with SpooledTemporaryFile(_IN_MEMORY) as file:
        with pq.ParquetWriter(file, schema, compression="zstd") as writer:
            for group in group_rows(rows, _GROUP):
                writer.write_table(pa.Table.from_pylist(group, schema=schema))
        file.seek(0)
        yield from iter(partial(file.read, _BLOCK), b"")
