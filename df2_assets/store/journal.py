"""The journal beside the manifest: the rows of each shard that a build has finished.

A killed build loses no finished shard: in the next build, rows of the journal replace those of the
manifest.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from df2_assets.errors import name_os_errors
from df2_assets.store.layout import Roots
from df2_assets.store.store import Lines


class CropRow(msgspec.Struct, array_like=True, gc=False):
    """A row of the manifest, in the order of its columns, without `sku_uid`."""

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
    with roots.sku.append(path) as lines:
        yield Journal(lines, path)


class Journal:
    """A journal that is open for appending, with one line per finished shard."""

    def __init__(self, lines: Lines, path: Path) -> None:
        self._lines, self._path = lines, path

    def add(self, rows: list[CropRow]) -> None:
        with name_os_errors(self._path):
            self._lines.write(msgspec.json.encode(rows) + b"\n")
            self._lines.flush()


def read(roots: Roots, split: str) -> list[CropRow]:
    """Return the rows of all finished shards. Skip a line that a killed build left unfinished."""
    rows: list[CropRow] = []
    try:
        lines = roots.sku.read_journal(roots.journal(split)).split(b"\n")[:-1]
    except FileNotFoundError:
        return rows
    for line in lines:
        try:
            rows += _decode(line)
        except msgspec.DecodeError:
            continue
    return rows
