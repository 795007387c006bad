"""The columns that a page shows of a table: few, short, and without repetition.

The stored tables and offenders keep all of their columns.
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
"""The width of a table in Dagster's UI, in characters, for a window of 1280 pixels.

`WIDTH` is for the page of a partition, `OFFENDERS_WIDTH` for the page of a check.
"""

_PADDING: Final = 2
_PATH: Final = 44
_WORD: Final = 30
_SHORTEST: Final = 12
"""The longest path and the longest other word, in characters.

Where space is short, words are cut further, but never below `_SHORTEST`.
"""

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
    "sku_id": ("sku_uid", "pair_id", "style"),
    "image_id": ("orig_image_path",),
    "like": ("like_sku_uid",),
}
"""Columns that are left out, by the column that implies them."""

_RENAMED: Final = {"size": "bytes"}


class _Merged(NamedTuple):
    """Columns that are shown as a single one, called `name`."""

    name: str
    columns: tuple[str, ...]
    text: Callable[..., str]


def _format_box(*edges: int) -> str:
    return ", ".join(map(str, edges))


def _format_labels(*values: int | None) -> str:
    labels = zip(LABELS, values, strict=True)
    return ", ".join(f"{name} {value}" for name, value in labels if not pd.isna(value))


_MERGED: Final = (
    _Merged("box", EDGES, _format_box),
    _Merged("annotated_box", ANNOTATED, _format_box),
    _Merged("pixels", ("width", "height"), "{} x {}".format),
    _Merged("category", ("category_id", "category_name"), "{} {}".format),
    _Merged("labels", tuple(LABELS), _format_labels),
)


def make_readable(table: pd.DataFrame, width: int = WIDTH) -> pd.DataFrame:
    """Return the columns of a table that people read, as text, at most `width` characters wide.

    The subject of a row comes first, then the problem. The path of a crop becomes its SKU, image
    and item. Boxes, sizes, categories and labels are one column each. These columns are left out:
    the split if all rows have the same, digests, times in nanoseconds, empty columns, columns that
    another one implies, and columns that do not fit.
    """
    return _fit(_format_columns(table), width)


def make_offenders_readable(
    offenders: pd.DataFrame, limit: int
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Return the first offenders for people to read, and the values that all of them share.

    The first offender of each reason comes first. Otherwise, the order does not change.
    """
    kind = next((name for name in _PROBLEM if name in offenders), None)
    if kind is not None:
        further = offenders.groupby(kind, sort=False, dropna=False).cumcount() > 0
        offenders = offenders.loc[further.sort_values(kind="stable").index]
    columns = _format_columns(offenders.head(limit))
    alike = [name for name, texts in columns.items() if len(texts) > 1 and len({*texts}) == 1]
    in_common = {name: columns.pop(name)[0] for name in alike if name not in _SUBJECT}
    return _fit(columns, OFFENDERS_WIDTH), in_common


def _format_columns(table: pd.DataFrame) -> dict[str, list[str]]:
    """Return the columns for people that have a value, the most important ones first."""
    table = _replace_paths(table)
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


def _fit(columns: dict[str, list[str]], room: int) -> pd.DataFrame:
    """Return the columns that fit next to the ones before them.

    Long words are shortened if the remaining space is enough to recognise them.
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
    """Round a number to two decimals, or four if it is below 1. Return other values unchanged."""
    return round(value, 2 if abs(value) >= 1 else 4) if isinstance(value, float) else value


def _cut(word: str, longest: int) -> str:
    """Return a word, without its middle if it is too long."""
    end = longest // 2
    return word if len(word) <= longest else f"{word[: longest - end - 3]}...{word[-end:]}"


def _replace_paths(table: pd.DataFrame) -> pd.DataFrame:
    """Identify crops by SKU, image and item. Other files keep their path, in the column `path`."""
    changes: dict[str, Any] = {}
    if "crop_path" in table:
        paths = table["crop_path"].fillna("").astype(str)
        crops = crop_rows(paths.tolist()).set_index(table.index)
        for name in ("sku_id", "image_id", "item_idx"):
            values = table[name] if name in table else crops[name]
            changes[name] = values.where(values.notna(), crops[name])
        changes["path"] = paths.where(crops["sku_id"].isna() & (paths != ""))
    for name in _OTHER_CROPS:
        if name in table:
            changes[name] = _describe_crops(table, name)
    return table.assign(**changes).drop(columns="crop_path", errors="ignore")


def _describe_crops(table: pd.DataFrame, column: str) -> list[str | None]:
    """Return paths of crops as SKU, image and item, with the split if it is another one."""
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
