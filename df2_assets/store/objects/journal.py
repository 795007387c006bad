"""The journal on objects, which cannot be appended to: one small object for some shards."""

import re
import time
from collections.abc import Iterator
from typing import Final

from df2_assets.store.files import put, remove, under
from df2_assets.store.objects.path import ObjectPath

_EVERY: Final = 1.0
"""Seconds that are gathered into one object: what a killed build may have to do again."""

_PART: Final = re.compile(r"[0-9]+\.jsonl")


class ObjectJournal:
    """Lines, gathered into objects below `path` that are numbered on from those that are there."""

    def __init__(self, path: ObjectPath) -> None:
        self._path = path
        self._next = max((int(name.partition(".")[0]) for name in _parts(path)), default=0) + 1
        self._lines: list[bytes] = []
        self._put = time.monotonic()

    def write(self, line: bytes, /) -> None:
        self._lines.append(line)

    def flush(self) -> None:
        """Put what was gathered, now and then. Raises StorageError or LostLockError."""
        if time.monotonic() - self._put >= _EVERY:
            self.close()

    def close(self) -> None:
        """Put what was gathered. Raises as `flush` does."""
        if self._lines:
            put(self._path / f"{self._next:08d}.jsonl", b"".join(self._lines))
            self._next += 1
            self._lines.clear()
        self._put = time.monotonic()


def read(path: ObjectPath) -> bytes:
    """All lines, oldest first."""
    return b"".join((path / name).read_bytes() for name in _parts(path))


def discard(path: ObjectPath) -> None:
    """Remove all of it."""
    if parts := list(_parts(path)):
        remove(path, parts)


def _parts(path: ObjectPath) -> Iterator[str]:
    """In order: listings are by name."""
    return (name for name in under(path) if _PART.fullmatch(name))
