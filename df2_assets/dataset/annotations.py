"""One annotation file: which of its items can be used, and why the others cannot.

Field rules are those of the DeepFashion2 README; the ranges stand in `dataset.taxonomy`.
"""

import json
import math
import re
from collections import Counter
from typing import Any, Final

import msgspec

from df2_assets.dataset.boxes import Box, is_reversed
from df2_assets.dataset.reasons import Reason
from df2_assets.dataset.record import INDEX, MORE_LABELS
from df2_assets.dataset.taxonomy import CATEGORIES, DOMAINS, LABELS, PAIR_IDS, Range
from df2_assets.errors import escape_untrusted, quote_json

CODE_VERSION: Final = "3"
"""Raise it with each change to what the index reads from a file or refuses in it."""

MAX_BYTES: Final = 16 * 1024 * 1024
"""A real annotation has some tens of kilobytes; more than this is no annotation."""

_ITEM_KEY: Final = re.compile(r"item([1-9][0-9]{0,5})", re.ASCII)
_LIMIT: Final = 2**31 - 1
"""What a column of a table can hold; no image is that large."""

_DIGITS: Final = 4300
"""Digits of the longest integer that Python reads; json stops at a longer one in any field."""

_LABELS: Final = {field.name: field.limits for field in INDEX.pick("style", *LABELS)}
_ITEM_FIELDS: Final = ("category_id", "category_name", "bounding_box", *_LABELS)

_decode = msgspec.json.Decoder().decode
_decode_raw_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class Refused(Exception):
    """A file or an item cannot be used: `reason` is the code, `detail` says what is wrong."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail


class Item(msgspec.Struct):
    """An item of an image, and why it is refused, if it is.

    `labels` are values of columns of the index, by name: all that could be read. `is_fractional`
    tells whether the box had fractions of a pixel, which are cut off.
    """

    item_idx: int | None
    labels: dict[str, Any] = {}
    box: Box | None = None
    is_fractional: bool | None = None
    reason: Reason | None = None
    detail: str | None = None


class Annotation(msgspec.Struct):
    """An image's source (`shop` or `user`), its pair id, and its items in order of index."""

    source: str
    pair_id: int
    items: list[Item]


class _Object(dict[str, Any]):
    """A JSON object that remembers which of its keys appeared more than once."""

    repeated: frozenset[str] = frozenset()


def parse(data: bytes) -> Annotation:
    """Read an annotation file's content.

    Raises Refused where the whole file cannot be used; an item that cannot be used is returned
    with its reason, beside its usable neighbours.
    """
    top = _load(data)
    for key in sorted(top.repeated):
        if not _is_of_item(key):
            raise Refused(Reason.WRONG_FIELD, f"the key {quote_json(key)} appears twice")
    source = _field(top, "source")
    if not isinstance(source, str) or source not in DOMAINS:
        raise Refused(Reason.UNKNOWN_SOURCE, f"source is {quote_json(source)}, not shop or user")
    pair_id = _integer("pair_id", _field(top, "pair_id"), PAIR_IDS)
    items = [_item(key, value, top.repeated) for key, value in top.items() if _is_of_item(key)]
    items.sort(key=lambda item: (item.item_idx or 0, item.reason is not None))
    return Annotation(source, pair_id, items)


def _is_of_item(key: str) -> bool:
    """Whether a key is meant to be an item's, well formed or not: `item1`, `item_1`, `Item1`."""
    return key[:4] == "item" or key.strip()[:4].casefold() == "item"


def _load(data: bytes) -> _Object:
    """Return the file as an object whose items are objects, without fields that nobody needs.

    The fast way skips segmentation and landmarks. It is right for a file that has as many colons
    as keys; any other (a repeated key, NaN, a BOM, a colon in a text) is read in full.
    """
    try:
        data.decode()  # what is skipped has to be text too
        raw = _decode_raw_object(data)
        keys = len(raw)
        top = _Object()
        for key, value in raw.items():
            if _is_of_item(key):
                fields = _decode_raw_object(value)
                keys += len(fields)
                top[key] = _Object(
                    {name: _decode(fields[name]) for name in _ITEM_FIELDS if name in fields}
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
        top = json.loads(text, object_pairs_hook=_object, parse_int=_long_integer)
    except (ValueError, RecursionError) as error:
        raise Refused(
            Reason.UNREADABLE_JSON, escape_untrusted(str(error) or "nested too deeply")
        ) from None
    if not isinstance(top, _Object):
        raise Refused(Reason.NOT_AN_OBJECT, f"the file holds {quote_json(top)}")
    return top


def _long_integer(digits: str) -> int | float:
    """Return an integer; infinity, which no field can be, for more digits than Python reads."""
    return int(digits) if len(digits) <= _DIGITS else math.inf


def _object(pairs: list[tuple[str, Any]]) -> _Object:
    result = _Object(pairs)
    if len(result) < len(pairs):
        times = Counter(key for key, _ in pairs)
        result.repeated = frozenset(key for key, count in times.items() if count > 1)
    return result


def _item(key: str, value: object, repeated: frozenset[str]) -> Item:
    match = _ITEM_KEY.fullmatch(key)
    digits = key.strip()[4:]
    named = digits.isascii() and digits.isdigit() and len(digits) <= 6
    item = Item(int(digits) if named else None)
    try:
        if match is None:
            raise Refused(Reason.WRONG_FIELD, f"the key {quote_json(key)} is not item1, item2, ...")
        if key in repeated:
            raise Refused(Reason.WRONG_FIELD, f"{key} appears twice")
        _fill(item, value)
    except Refused as refused:
        item.reason, item.detail = refused.reason, refused.detail
    return item


def _fill(item: Item, value: object) -> None:
    """Read an item's fields in turn. Raises Refused at the first that cannot be used."""
    if not isinstance(value, _Object):
        raise Refused(Reason.NOT_AN_OBJECT, f"the item is {_typed(value)}")
    if value.repeated:
        raise Refused(
            Reason.WRONG_FIELD, f"the key {quote_json(min(value.repeated))} appears twice"
        )
    for name, limits in _LABELS.items():
        if name in value or name not in MORE_LABELS:
            item.labels[name] = _integer(name, _field(value, name), limits)
    category_id, category_name = _field(value, "category_id"), _field(value, "category_name")
    category_id = _integer("category_id", category_id)
    if category_id not in CATEGORIES:
        problem = f"category_id is {quote_json(category_id)}, not 1 to {len(CATEGORIES)}"
        raise Refused(Reason.WRONG_CATEGORY, problem)
    if category_name != CATEGORIES[category_id]:
        problem = f"category_name of {category_id} is {quote_json(category_name)}"
        raise Refused(Reason.WRONG_CATEGORY, f"{problem}, not {CATEGORIES[category_id]}")
    item.labels |= {"category_id": category_id, "category_name": category_name}
    edges = _field(value, "bounding_box")
    box = _box(edges)
    x1, y1, x2, y2 = (min(max(edge, -_LIMIT), _LIMIT) for edge in box)
    item.box, item.is_fractional = (x1, y1, x2, y2), edges != list(box)
    if is_reversed(box):
        shown = edges if item.is_fractional else list(item.box)
        raise Refused(Reason.BOX_REVERSED, f"bounding_box is {escape_untrusted(shown, 200)}")


def _field(fields: dict[str, Any], name: str) -> Any:
    if name not in fields:
        raise Refused(Reason.MISSING_FIELD, f"{name} is missing")
    return fields[name]


def _integer(name: str, value: object, limits: Range | None = None) -> int:
    if type(value) is float and value.is_integer():
        value = int(value)
    if type(value) is not int:
        raise Refused(Reason.WRONG_FIELD, f"{name} is {_typed(value)}, not a whole number")
    if limits and not limits.low <= value <= limits.high:
        problem = f"{name} is {quote_json(value)}, not {limits.low} to {limits.high}"
        raise Refused(Reason.WRONG_FIELD, problem)
    return value


def _box(value: object) -> Box:
    """Return a box in whole pixels: fractions are cut off, as the original recipe's `int` does."""
    if not isinstance(value, list) or len(value) != 4:
        raise Refused(Reason.WRONG_FIELD, f"bounding_box is {_typed(value)}, not four numbers")
    for edge in value:
        if not _is_number(edge):
            raise Refused(
                Reason.WRONG_FIELD, f"an edge of bounding_box is {_typed(edge)}, not a number"
            )
    x1, y1, x2, y2 = map(int, value)
    return x1, y1, x2, y2


def _is_number(value: object) -> bool:
    return type(value) is int or (type(value) is float and math.isfinite(value))


def _typed(value: object) -> str:
    """Return a value as JSON; a text says that it is one: quotes are easily overlooked."""
    return f"{quote_json(value)} (text)" if isinstance(value, str) else quote_json(value)
