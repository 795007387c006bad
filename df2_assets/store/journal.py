"""The journal beside a manifest: the rows of each shard that a build has finished.

A killed build loses no finished shard: in the next build, rows of the journal replace those of the
manifest.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from df2_assets.errors import name_os_errors
from df2_assets.store.crop_sets import CropRow, CropSet
from df2_assets.store.layout import Roots
from df2_assets.store.store import Lines


@contextmanager
def journal(roots: Roots, crops: CropSet) -> Iterator["Journal"]:
    """Open the journal of a set of crops for appending."""
    path = roots.journal(crops.split, crops.table)
    with roots.sku.append(path) as lines:
        yield Journal(lines, path)


class Journal:
    """A journal that is open for appending, with one line per finished shard."""

    def __init__(self, lines: Lines, path: Path) -> None:
        self._lines, self._path = lines, path

    def add(self, rows: Sequence[CropRow]) -> None:
        with name_os_errors(self._path):
            self._lines.write(msgspec.json.encode(rows) + b"\n")
            self._lines.flush()


def read(roots: Roots, crops: CropSet) -> list[CropRow]:
    """Return the rows of all finished shards. Skip a line that a killed build left unfinished."""
    rows: list[CropRow] = []
    decode = msgspec.json.Decoder(list[crops.row]).decode  # type: ignore[name-defined]
    try:
        data = roots.sku.read_journal(roots.journal(crops.split, crops.table))
    except FileNotFoundError:
        return rows
    for line in data.split(b"\n")[:-1]:
        try:
            rows += decode(line)
        except msgspec.DecodeError:
            continue
    return rows
