"""Parquet as a stream of bytes: rows go out group by group, and are never all in memory."""

import io
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Final, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

T = TypeVar("T")

_GROUP: Final = 65_536
"""Rows of a row group."""


class _Chunks(io.RawIOBase):
    """Takes what is written, to be handed on."""

    def __init__(self) -> None:
        self.chunks: list[bytes] = []
        self._at = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.chunks.append(bytes(data))
        self._at += len(self.chunks[-1])
        return len(self.chunks[-1])

    def tell(self) -> int:
        return self._at


def groups_of(rows: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of `size` rows, and one of what is left."""
    rest = iter(rows)
    while group := list(islice(rest, size)):
        yield group


def parquet(schema: pa.Schema, rows: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    """A Parquet file of `rows`; its bytes, as they come."""
    sink = _Chunks()
    with pq.ParquetWriter(sink, schema, compression="zstd") as writer:
        for group in groups_of(rows, _GROUP):
            writer.write_table(pa.Table.from_pylist(group, schema=schema))
            yield b"".join(sink.chunks)
            sink.chunks.clear()
    yield b"".join(sink.chunks)


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a Parquet file, a batch at a time."""
    with path.open("rb") as data, pq.ParquetFile(data) as file:
        for batch in file.iter_batches(batch_size=1024):
            yield from batch.to_pylist()
