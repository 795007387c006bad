"""The journal beside the manifest: what a build has finished, shard by shard.

A killed build loses no finished shard: the next one reads the manifest and, over it, the journal.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import msgspec

from df2_assets.errors import os_errors_name
from df2_assets.store.layout import Roots
from df2_assets.store.objects import journal as objects
from df2_assets.store.objects.path import ObjectPath


class CropRow(msgspec.Struct, array_like=True, gc=False):
    """A row of the manifest, in the order of its columns."""

    crop_path: str
    size: int | None = None
    mtime_ns: int | None = None
    sha256: str | None = None
    width: int | None = None
    height: int | None = None
    fingerprint: str | None = None
    reason: str | None = None
    detail: str | None = None


_decode = msgspec.json.Decoder(list[CropRow]).decode


@contextmanager
def journal(roots: Roots, split: str) -> Iterator["Journal"]:
    """Open the journal of a split for appending."""
    path = roots.journal(split)
    if isinstance(path, ObjectPath):
        gathered = objects.ObjectJournal(path)
        try:
            yield Journal(gathered, path)
        finally:
            gathered.close()
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    _drop_torn_line(path)
    with path.open("ab") as file:
        yield Journal(file, path)


class _Lines(Protocol):
    """What lines are appended to; `flush` leaves them where a later build finds them."""

    def write(self, line: bytes, /) -> object: ...

    def flush(self) -> object: ...


class Journal:
    """Takes the rows of a finished shard, one line per shard."""

    def __init__(self, file: _Lines, path: Path) -> None:
        self._file, self._path = file, path

    def add(self, rows: list[CropRow]) -> None:
        with os_errors_name(self._path):
            self._file.write(msgspec.json.encode(rows) + b"\n")
            self._file.flush()


def read(roots: Roots, split: str) -> list[CropRow]:
    """Return all rows of finished shards; skip what a kill left of an unfinished line."""
    rows: list[CropRow] = []
    try:
        lines = _content(roots.journal(split)).split(b"\n")[:-1]
    except FileNotFoundError:
        return rows
    for line in lines:
        try:
            rows += _decode(line)
        except msgspec.DecodeError:
            continue
    return rows


def discard(path: Path) -> None:
    """Remove a journal whose rows are in the manifest by now."""
    if isinstance(path, ObjectPath):
        objects.discard(path)
    else:
        path.unlink(missing_ok=True)


def _content(path: Path) -> bytes:
    return objects.read(path) if isinstance(path, ObjectPath) else path.read_bytes()


def _drop_torn_line(path: Path) -> None:
    """Cut what follows the last whole line, so that the next line starts a line."""
    if path.exists():
        data = path.read_bytes()
        with path.open("r+b") as file:
            file.truncate(data.rfind(b"\n") + 1)
