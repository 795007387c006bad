"""Rows as CSV or Parquet, a stream of bytes: they are never all in memory."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Final, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

T = TypeVar("T")

_GROUP: Final = 65_536
"""Rows of a row group."""


def delimited(rows: Iterable[Sequence[object]], delimiter: str = ",") -> Iterator[bytes]:
    """Yield rows as lines of UTF-8, with quotes where they are needed."""
    for row in rows:
        line = io.StringIO()
        csv.writer(line, delimiter=delimiter, lineterminator="\n").writerow(row)
        yield line.getvalue().encode()


class _Chunks(io.RawIOBase):
    """A file that keeps what was written until it is taken."""

    def __init__(self) -> None:
        self._chunks: list[bytes] = []
        self._at = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._chunks.append(bytes(data))
        self._at += len(self._chunks[-1])
        return len(self._chunks[-1])

    def tell(self) -> int:
        return self._at

    def take(self) -> bytes:
        chunks, self._chunks = self._chunks, []
        return b"".join(chunks)


def groups_of(rows: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield lists of `size` rows, and one of the rest."""
    rest = iter(rows)
    while group := list(islice(rest, size)):
        yield group


def parquet(schema: pa.Schema, rows: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    """Yield the bytes of a Parquet file of `rows`."""
    sink = _Chunks()
    with pq.ParquetWriter(sink, schema, compression="zstd") as writer:
        for group in groups_of(rows, _GROUP):
            writer.write_table(pa.Table.from_pylist(group, schema=schema))
            yield sink.take()
    yield sink.take()
