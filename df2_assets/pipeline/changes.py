"""What became of each row, SKU or crop since the last time."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd
import pyarrow as pa

from df2_assets.store import tables

_FIRST = 20


@dataclass(frozen=True)
class Changes:
    """How many were added, removed, remade (there before, but other) and left as they were.

    `first` has the keys of the first that were not left, and `what` became of them.
    """

    added: int
    removed: int
    remade: int
    unchanged: int
    first: pd.DataFrame


def between(before: Mapping[str, object] | None, after: Mapping[str, object]) -> Changes:
    """Compare two mappings, value by value; with nothing before, all is added."""
    old = before or {}
    added = sorted(after.keys() - old.keys())
    removed = sorted(old.keys() - after.keys())
    remade = sorted(key for key in after.keys() & old.keys() if after[key] != old[key])
    return counted(added, removed, remade, len(after) - len(added) - len(remade))


def counted(added: list[str], removed: list[str], remade: list[str], unchanged: int) -> Changes:
    """Changes from the keys of what changed."""
    fates = (("added", added), ("removed", removed), ("remade", remade))
    first = [(key, fate) for fate, keys in fates for key in keys[:_FIRST]]
    shown = pd.DataFrame(first[:_FIRST], columns=["key", "what"])
    return Changes(len(added), len(removed), len(remade), unchanged, shown)


def between_tables(before: pa.Table | None, after: pa.Table, key: list[str]) -> Changes:
    """Compare two tables of one schema, row by row; `key` names a row."""
    if before is not None and before.equals(after):
        return counted([], [], [], after.num_rows)
    return between(None if before is None else _hashes(before, key), _hashes(after, key))


def _hashes(table: pa.Table, key: list[str]) -> dict[str, object]:
    data = tables.frame(table)
    names = data[key[0]].astype("str")
    for column in key[1:]:
        names = names + " " + data[column].astype("str").fillna("-")
    return dict(zip(names, pd.util.hash_pandas_object(data, index=False), strict=True))
