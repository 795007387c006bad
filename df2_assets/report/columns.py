"""Which columns of a table people read on a page, and how: few, short, and no two alike.

The stored tables and offenders keep all of theirs.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

import pandas as pd

from df2_assets.checks.finding import crop_rows
from df2_assets.dataset.frames import TEXT, rows
from df2_assets.dataset.record import ANNOTATED, EDGES, TABLES
from df2_assets.dataset.taxonomy import LABELS

WIDTH: Final = 52
OFFENDERS_WIDTH: Final = 62
"""Characters side by side in a table of Dagster's UI in a window of 1280 pixels: on the page of an
asset's partition, and on that of a check."""

_PADDING: Final = 2
_PATH: Final = 44
_WORD: Final = 30
_SHORTEST: Final = 12
"""Characters of the longest path and of the longest other word, which is cut further where room is
short, but never below the last."""

_SUBJECT: Final = ("sku_id", "image_id", "item_idx", "path")
_PROBLEM: Final = ("reason", "what", "detail")
_OTHER_CROPS: Final = ("like", "same_as", "unlike")
_TECHNICAL: Final = frozenset(
    field.name
    for asset in TABLES.values()
    for field in asset.fields
    if field.technical or field.volatile
)
_IMPLIED: Final = {
    "sku_id": ("pair_id", "style"),
    "image_id": ("orig_image_path",),
    "like": ("like_sku",),
}
"""Columns that another column says already."""

_RENAMED: Final = {"size": "bytes"}


class _Merged(NamedTuple):
    """Columns that are shown as one, under `name`."""

    name: str
    columns: tuple[str, ...]
    text: Callable[..., str]


def _box(*edges: int) -> str:
    return ", ".join(map(str, edges))


def _labels(*values: int | None) -> str:
    named = zip(LABELS, values, strict=True)
    return ", ".join(f"{name} {value}" for name, value in named if not pd.isna(value))


_MERGED: Final = (
    _Merged("box", EDGES, _box),
    _Merged("annotated_box", ANNOTATED, _box),
    _Merged("pixels", ("width", "height"), "{} x {}".format),
    _Merged("category", ("category_id", "category_name"), "{} {}".format),
    _Merged("labels", tuple(LABELS), _labels),
)


def make_readable(table: pd.DataFrame, width: int = WIDTH) -> pd.DataFrame:
    """Return the columns for people, as text, in as much width as a page has.

    What a row is about comes first, then what is wrong with it. A crop's path becomes its SKU,
    image and item. Boxes, sizes, categories and labels are one column each. Left out are the split
    if it is one, digests, times in nanoseconds, columns without values, what another column says
    already, and columns for which there is no room.
    """
    return _fitting(_texts(table), width)


def make_offenders_readable(
    offenders: pd.DataFrame, limit: int
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Return the first offenders as people read them, and apart from them what all have in common.

    The first one of each reason is in front; else the order stays.
    """
    kind = next((name for name in _PROBLEM if name in offenders), None)
    if kind is not None:
        further = offenders.groupby(kind, sort=False, dropna=False).cumcount() > 0
        offenders = offenders.loc[further.sort_values(kind="stable").index]
    columns = _texts(offenders.head(limit))
    alike = [name for name, texts in columns.items() if len(texts) > 1 and len({*texts}) == 1]
    in_common = {name: columns.pop(name)[0] for name in alike if name not in _SUBJECT}
    return _fitting(columns, OFFENDERS_WIDTH), in_common


def _texts(table: pd.DataFrame) -> dict[str, list[str]]:
    """Return the columns for people that have any value, the most important ones first."""
    table = _without_paths(table)
    columns: dict[str, Iterable[Any]] = {name: table[name] for name in _SUBJECT if name in table}
    implied = {name for by, names in _IMPLIED.items() if by in table for name in names}
    whole = [merged for merged in _MERGED if set(merged.columns) <= {*table}]
    for name in [*(name for name in _PROBLEM if name in table), *table]:
        merged = next((m for m in whole if name in m.columns), None)
        if merged:
            columns[merged.name] = _merge(table, merged)
        elif name not in _TECHNICAL | implied and (name != "split" or table[name].nunique() > 1):
            columns[_RENAMED.get(name, name)] = table[name]
    texts = {
        name: ["" if pd.isna(value) else str(round_number(value)) for value in values]
        for name, values in columns.items()
    }
    return {name: column for name, column in texts.items() if any(column)}


def _fitting(columns: dict[str, list[str]], room: int) -> pd.DataFrame:
    """Return the columns for which there is room beside the ones before them.

    Long words are cut to the room that is left, if that is enough to recognise them.
    """
    shown: dict[str, list[str]] = {}
    for name, texts in columns.items():
        longest = min(_PATH if name == "path" else _WORD, max(room - _PADDING, _SHORTEST))
        cut = [" ".join(_cut(word, longest) for word in text.split(" ")) for text in texts]
        width = _PADDING + max(len(word) for text in (name, *cut) for word in text.split(" "))
        if width <= room:
            shown[name] = cut
            room -= width
    return pd.DataFrame(shown, dtype=TEXT)


def round_number(value: Any) -> Any:
    """Return a number with two decimals, or four where it is a fraction of one."""
    return round(value, 2 if abs(value) >= 1 else 4) if isinstance(value, float) else value


def _cut(word: str, longest: int) -> str:
    """Return a word whose middle is left out where it is too long."""
    end = longest // 2
    return word if len(word) <= longest else f"{word[: longest - end - 3]}...{word[-end:]}"


def _without_paths(table: pd.DataFrame) -> pd.DataFrame:
    """Name crops by SKU, image and item; a file that is no crop keeps its path, as `path`."""
    changes: dict[str, Any] = {}
    if "crop_path" in table:
        paths = table["crop_path"].fillna("").astype(str)
        crops = crop_rows(paths.tolist()).set_index(table.index)
        for name in ("sku_id", "image_id", "item_idx"):
            given = table[name] if name in table else crops[name]
            changes[name] = given.where(given.notna(), crops[name])
        changes["path"] = paths.where(crops["sku_id"].isna() & (paths != ""))
    for name in _OTHER_CROPS:
        if name in table:
            changes[name] = _named(table, name)
    return table.assign(**changes).drop(columns="crop_path", errors="ignore")


def _named(table: pd.DataFrame, column: str) -> list[str | None]:
    """Return the crops of a column of paths as SKU, image and item, with the split if another."""
    crops = crop_rows(table[column].fillna("").tolist())
    here = table["split"] if "split" in table else crops["split"]
    names: list[str | None] = []
    for own, (split, sku_id, image_id, item, path) in zip(here, rows(crops, *crops), strict=True):
        where = "" if split == own else f"{split} "
        names.append(f"{where}{sku_id} {image_id} item {item}" if sku_id else path or None)
    return names


def _merge(table: pd.DataFrame, merged: _Merged) -> list[str | None]:
    return [
        None if all(map(pd.isna, values)) else merged.text(*values)
        for values in rows(table, *merged.columns)
    ]
