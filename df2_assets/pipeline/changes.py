"""What became of each row, SKU or crop since the last time."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd
import pyarrow as pa

from df2_assets.dataset.frames import TEXT
from df2_assets.store import tables

_FIRST = 20


@dataclass(frozen=True)
class Changes:
    """How many were added, removed, remade (they existed and differ) and left unchanged.

    `first` has the keys of the first that changed, and `what` became of them.
    """

    added: int
    removed: int
    remade: int
    unchanged: int
    first: pd.DataFrame

    def __str__(self) -> str:
        counts = {"added": self.added, "removed": self.removed, "made again": self.remade}
        fates = [f"{count:,} {fate}" for fate, count in counts.items() if count]
        if not fates:
            return "Nothing changed."
        return f"{', '.join(fates)}; {self.unchanged:,} unchanged."


def between(before: Mapping[str, object] | None, after: Mapping[str, object]) -> Changes:
    """Compare two mappings, value by value; with nothing before, all is added."""
    old = before or {}
    added = [key for key in after if key not in old]
    removed = [key for key in old if key not in after]
    remade = [key for key in after if key in old and after[key] != old[key]]
    return counted(added, removed, remade, len(after) - len(added) - len(remade))


def counted(added: list[str], removed: list[str], remade: list[str], unchanged: int) -> Changes:
    """Return changes from the keys of what changed, each list in its order."""
    fates = (("added", added), ("removed", removed), ("remade", remade))
    first = [(key, fate) for fate, keys in fates for key in keys[:_FIRST]]
    shown = pd.DataFrame(first[:_FIRST], columns=["key", "what"])
    return Changes(len(added), len(removed), len(remade), unchanged, shown)


def between_tables(before: pa.Table | None, after: pa.Table, key: list[str]) -> Changes:
    """Compare two tables of one schema, row by row; `key` names a row."""
    if before is None:
        return counted(_names(tables.frame(after), key).tolist(), [], [], 0)
    if before.equals(after):
        return counted([], [], [], after.num_rows)
    return between(_hashes(before, key), _hashes(after, key))


def _hashes(table: pa.Table, key: list[str]) -> dict[str, object]:
    data = tables.frame(table)
    hashes = pd.util.hash_pandas_object(data, index=False)
    return dict(zip(_names(data, key), hashes, strict=True))


def _names(rows: pd.DataFrame, key: list[str]) -> "pd.Series[str]":
    names = rows[key[0]].astype(TEXT)
    for column in key[1:]:
        names = names + " " + rows[column].astype(TEXT).fillna("-")
    return names
