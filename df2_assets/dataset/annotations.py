"""Reading one annotation file: which items can be used, and why the others are refused.

The rules for fields come from the README of DeepFashion2. The ranges are in `dataset.taxonomy`.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Collection
from typing import Any, Final

import msgspec

from df2_assets.dataset.boxes import Box, is_reversed
from df2_assets.dataset.reasons import Reason
from df2_assets.dataset.record import INDEX, MORE_LABELS
from df2_assets.dataset.taxonomy import CATEGORIES, DOMAINS, LABELS, PAIR_IDS, Range
from df2_assets.errors import escape_untrusted, quote_json

CODE_VERSION: Final = "3"
"""Raise this with each change to what the index reads from a file, or refuses in it."""

MAX_BYTES: Final = 16 * 1024 * 1024
"""The largest size of an annotation. Real ones have some tens of kilobytes."""

_ITEM_KEY: Final = re.compile(r"item([1-9][0-9]{0,5})", re.ASCII)
_LIMIT: Final = 2**31 - 1
"""The largest number that a table column can hold. No image is that large."""

_DIGITS: Final = 4300
"""The digits of the longest integer that Python reads. A longer one stops json, in any field."""

_LABELS: Final = {field.name: field.limits for field in INDEX.pick("style", *LABELS)}
_ITEM_FIELDS: Final = ("category_id", "category_name", "bounding_box", *_LABELS)

_decode = msgspec.json.Decoder().decode
_decode_raw_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class Refused(Exception):
    """A file or an item that cannot be used. `detail` says what is wrong."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail


class Item(msgspec.Struct):
    """One item of an image, and the reason if it is refused.

    `labels` has the values of index columns, by name, as far as they could be read.
    `is_fractional` says whether the box had fractions of a pixel, which are cut off.
    """

    item_idx: int | None
    labels: dict[str, Any] = {}
    box: Box | None = None
    is_fractional: bool | None = None
    reason: Reason | None = None
    detail: str | None = None


class Annotation(msgspec.Struct):
    """The source of an image (`shop` or `user`), its pair id, and its items in order of index."""

    source: str
    pair_id: int
    items: list[Item]


class _Object(dict[str, Any]):
    """A JSON object that remembers the keys that appeared more than once."""

    repeated: frozenset[str] = frozenset()


def parse(data: bytes) -> Annotation:
    """Parse the content of an annotation file.

    Items that cannot be used are returned too, with their reasons. Raises Refused if the whole file
    cannot be used.
    """
    top = _load(data)
    for key in sorted(top.repeated):
        if not _is_item_key(key):
            raise Refused(Reason.WRONG_FIELD, f"the key {quote_json(key)} appears twice")
    source = _require_field(top, "source")
    if not isinstance(source, str) or source not in DOMAINS:
        raise Refused(Reason.UNKNOWN_SOURCE, f"source is {quote_json(source)}, not shop or user")
    pair_id = _require_integer("pair_id", _require_field(top, "pair_id"), PAIR_IDS)
    items = [
        _read_item(key, value, top.repeated) for key, value in top.items() if _is_item_key(key)
    ]
    items.sort(key=lambda item: (item.item_idx or 0, item.reason is not None))
    return Annotation(source, pair_id, items)


def read_items(data: bytes, names: Collection[str]) -> dict[int, dict[str, Any]]:
    """Return the fields `names` of the items of an annotation file, by item number, as they are.

    Items that are no objects are left out. Raises Refused if the file cannot be read.
    """
    items = {}
    for key, value in _load(data, names).items():
        if (match := _ITEM_KEY.fullmatch(key)) and isinstance(value, _Object):
            items[int(match[1])] = {name: value[name] for name in names if name in value}
    return items


def _is_item_key(key: str) -> bool:
    """Return whether a key is meant for an item: `item1`, or misspelt, `item_1` or `Item1`."""
    return key[:4] == "item" or key.strip()[:4].casefold() == "item"


def _load(data: bytes, names: Collection[str] = _ITEM_FIELDS) -> _Object:
    """Return the file as an object whose items are objects, without unneeded fields.

    The fast way reads only the fields `names` of items. It is correct for a file with as many
    colons as keys. Any other file (a repeated key, NaN, a BOM, a colon in a text) is parsed in
    full.
    """
    try:
        data.decode()  # skipped fields must be text, too
        raw = _decode_raw_object(data)
        keys = len(raw)
        top = _Object()
        for key, value in raw.items():
            if _is_item_key(key):
                fields = _decode_raw_object(value)
                keys += len(fields)
                top[key] = _Object(
                    {name: _decode(fields[name]) for name in names if name in fields}
                )
            elif key in ("source", "pair_id"):
                top[key] = _decode(value)
        if data.count(b":") == keys:
            return top
    except (msgspec.DecodeError, ValueError, RecursionError):
        pass
    return _load_in_full(data)


def _load_in_full(data: bytes) -> _Object:
    try:
        text = data.decode("utf-8-sig")
        top = json.loads(text, object_pairs_hook=_make_object, parse_int=_parse_integer)
    except (ValueError, RecursionError) as error:
        raise Refused(
            Reason.UNREADABLE_JSON, escape_untrusted(str(error) or "nested too deeply")
        ) from None
    if not isinstance(top, _Object):
        raise Refused(Reason.NOT_AN_OBJECT, f"the file holds {quote_json(top)}")
    return top


def _parse_integer(digits: str) -> int | float:
    """Return an integer, or infinity, which every field refuses, if it has too many digits."""
    return int(digits) if len(digits) <= _DIGITS else math.inf


def _make_object(entries: list[tuple[str, Any]]) -> _Object:
    result = _Object(entries)
    if len(result) < len(entries):
        counts = Counter(key for key, _ in entries)
        result.repeated = frozenset(key for key, count in counts.items() if count > 1)
    return result


def _read_item(key: str, value: object, repeated: frozenset[str]) -> Item:
    match = _ITEM_KEY.fullmatch(key)
    digits = key.strip()[4:]
    has_number = digits.isascii() and digits.isdigit() and len(digits) <= 6
    item = Item(int(digits) if has_number else None)
    try:
        if match is None:
            raise Refused(Reason.WRONG_FIELD, f"the key {quote_json(key)} is not item1, item2, ...")
        if key in repeated:
            raise Refused(Reason.WRONG_FIELD, f"{key} appears twice")
        _read_fields(item, value)
    except Refused as refused:
        item.reason, item.detail = refused.reason, refused.detail
    return item


def _read_fields(item: Item, value: object) -> None:
    """Read the fields of an item in order. Raises Refused at the first that cannot be used."""
    if not isinstance(value, _Object):
        raise Refused(Reason.NOT_AN_OBJECT, f"the item is {_describe_value(value)}")
    if value.repeated:
        raise Refused(
            Reason.WRONG_FIELD, f"the key {quote_json(min(value.repeated))} appears twice"
        )
    for name, limits in _LABELS.items():
        if name in value or name not in MORE_LABELS:
            item.labels[name] = _require_integer(name, _require_field(value, name), limits)
    category_id, category_name = (
        _require_field(value, "category_id"),
        _require_field(value, "category_name"),
    )
    category_id = _require_integer("category_id", category_id)
    if category_id not in CATEGORIES:
        problem = f"category_id is {quote_json(category_id)}, not 1 to {len(CATEGORIES)}"
        raise Refused(Reason.WRONG_CATEGORY, problem)
    if category_name != CATEGORIES[category_id]:
        problem = f"category_name of {category_id} is {quote_json(category_name)}"
        raise Refused(Reason.WRONG_CATEGORY, f"{problem}, not {CATEGORIES[category_id]}")
    item.labels |= {"category_id": category_id, "category_name": category_name}
    edges = _require_field(value, "bounding_box")
    box = _require_box(edges)
    x1, y1, x2, y2 = (min(max(edge, -_LIMIT), _LIMIT) for edge in box)
    item.box, item.is_fractional = (x1, y1, x2, y2), edges != list(box)
    if is_reversed(box):
        shown = edges if item.is_fractional else list(item.box)
        raise Refused(Reason.BOX_REVERSED, f"bounding_box is {escape_untrusted(shown, 200)}")


def _require_field(fields: dict[str, Any], name: str) -> Any:
    if name not in fields:
        raise Refused(Reason.MISSING_FIELD, f"{name} is missing")
    return fields[name]


def _require_integer(name: str, value: object, limits: Range | None = None) -> int:
    if type(value) is float and value.is_integer():
        value = int(value)
    if type(value) is not int:
        raise Refused(Reason.WRONG_FIELD, f"{name} is {_describe_value(value)}, not a whole number")
    if limits and not limits.low <= value <= limits.high:
        problem = f"{name} is {quote_json(value)}, not {limits.low} to {limits.high}"
        raise Refused(Reason.WRONG_FIELD, problem)
    return value


def _require_box(value: object) -> Box:
    """Return a box in whole pixels. Fractions are cut off, as `int` does in the original recipe."""
    if not isinstance(value, list) or len(value) != 4:
        raise Refused(
            Reason.WRONG_FIELD, f"bounding_box is {_describe_value(value)}, not four numbers"
        )
    for edge in value:
        if not _is_number(edge):
            raise Refused(
                Reason.WRONG_FIELD,
                f"an edge of bounding_box is {_describe_value(edge)}, not a number",
            )
    x1, y1, x2, y2 = map(int, value)
    return x1, y1, x2, y2


def _is_number(value: object) -> bool:
    return type(value) is int or (type(value) is float and math.isfinite(value))


def _describe_value(value: object) -> str:
    """Return a value as JSON. A string is marked as text, since quotes are easily overlooked."""
    return f"{quote_json(value)} (text)" if isinstance(value, str) else quote_json(value)
