"""Changes of rows, SKUs or crops since the last build."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd
import pyarrow as pa

from df2_assets.dataset.frames import TEXT
from df2_assets.store import tables

_FIRST = 20


@dataclass(frozen=True)
class Changes:
    """Counts of what was added, removed, remade (existed, and differs now) and left unchanged.

    `first` has the keys of the first changes, and in `what` the kind of each change.
    """

    added: int
    removed: int
    remade: int
    unchanged: int
    first: pd.DataFrame

    def __str__(self) -> str:
        counts = {"added": self.added, "removed": self.removed, "made again": self.remade}
        parts = [f"{count:,} {kind}" for kind, count in counts.items() if count]
        if not parts:
            return "Nothing changed."
        return f"{', '.join(parts)}; {self.unchanged:,} unchanged."


def compare(before: Mapping[str, object] | None, after: Mapping[str, object]) -> Changes:
    """Compare two mappings value by value. Without an earlier one, everything is added."""
    old = before or {}
    added = [key for key in after if key not in old]
    removed = [key for key in old if key not in after]
    remade = [key for key in after if key in old and after[key] != old[key]]
    return count_changes(added, removed, remade, len(after) - len(added) - len(remade))


def count_changes(
    added: list[str], removed: list[str], remade: list[str], unchanged: int
) -> Changes:
    """Return the changes with these keys."""
    kinds = (("added", added), ("removed", removed), ("remade", remade))
    first = [(key, kind) for kind, keys in kinds for key in keys[:_FIRST]]
    shown = pd.DataFrame(first[:_FIRST], columns=["key", "what"])
    return Changes(len(added), len(removed), len(remade), unchanged, shown)


def sum_changes(parts: Sequence[Changes]) -> Changes:
    """Return the changes of several parts together."""
    return Changes(
        sum(part.added for part in parts),
        sum(part.removed for part in parts),
        sum(part.remade for part in parts),
        sum(part.unchanged for part in parts),
        pd.concat([part.first for part in parts], ignore_index=True).head(_FIRST),
    )


def compare_tables(before: pa.Table | None, after: pa.Table, key: list[str]) -> Changes:
    """Compare two tables of one schema row by row; the columns `key` identify a row."""
    if before is None:
        first = _names(tables.frame(after.slice(0, _FIRST)), key).tolist()
        return replace(count_changes(first, [], [], 0), added=after.num_rows)
    if before.equals(after):
        return count_changes([], [], [], after.num_rows)
    return compare(_hashes(before, key), _hashes(after, key))


def _hashes(table: pa.Table, key: list[str]) -> dict[str, object]:
    data = tables.frame(table)
    hashes = pd.util.hash_pandas_object(data, index=False)
    return dict(zip(_names(data, key), hashes, strict=True))


def _names(rows: pd.DataFrame, key: list[str]) -> "pd.Series[str]":
    names = rows[key[0]].astype(TEXT)
    for column in key[1:]:
        names = names + " " + rows[column].astype(TEXT).fillna("-")
    return names
