"""Items that cannot be used, or that a check must name: one item of a good file is spoilt."""

import json
import math
from collections.abc import Callable
from typing import Final

from df2_assets.dataset.boxes import Box
from df2_assets.dataset.reasons import Reason
from df2_assets.sample.annotating import scale_of
from df2_assets.sample.faults.fault import BOXES, LABELS, TINY, Draft, Fault

BoxRule = Callable[[Box, int, int], tuple[int, ...]]


def _lacks(field: str) -> Fault:
    def spoil(draft: Draft) -> None:
        del draft.item[field]

    return Fault(f"item without {field}", spoil, Reason.MISSING_FIELD)


def _has(name: str, field: str, value: object, reason: Reason | None, *checks: str) -> Fault:
    def spoil(draft: Draft) -> None:
        draft.item[field] = value

    return Fault(name, spoil, reason, checks)


def _boxed(name: str, rule: BoxRule, reason: Reason | None, *checks: str) -> Fault:
    """`rule` makes the new box of the old one and the image's width and height."""

    def spoil(draft: Draft) -> None:
        x1, y1, x2, y2 = draft.item["bounding_box"]
        draft.item["bounding_box"] = list(rule((x1, y1, x2, y2), *draft.size))

    return Fault(name, spoil, reason, checks)


def _tiny(name: str, width: int, height: int) -> Fault:
    def spoil(draft: Draft) -> None:
        x, y, *_ = draft.item["bounding_box"]
        draft.item["bounding_box"] = [x + 3, y + 3, x + 3 + width, y + 3 + height]
        draft.item["scale"] = 1

    return Fault(name, spoil, checks=(TINY,))


def _belied_scale(draft: Draft) -> None:
    x1, y1, x2, y2 = draft.item["bounding_box"]
    share = (x2 - x1) * (y2 - y1) / (draft.size[0] * draft.size[1])
    draft.item["scale"] = 3 if share < 0.2 else 1


def _past_edge(draft: Draft) -> None:
    x1, y1, _, y2 = draft.item["bounding_box"]
    width, height = draft.size
    draft.item["bounding_box"] = [x1, y1, width + 7, y2]
    draft.item["scale"] = scale_of((x1, y1, width, y2), (width, height))


def _renamed(name: str, rename: Callable[[int], str], index: Callable[[int], int | None]) -> Fault:
    def spoil(draft: Draft) -> None:
        draft.labels[rename(int(draft.key[4:]))] = draft.labels.pop(draft.key)

    return Fault(name, spoil, Reason.WRONG_FIELD, index=index)


def _not_an_object(draft: Draft) -> None:
    draft.labels[draft.key] = list(draft.item.values())


def _twice(draft: Draft) -> None:
    again = json.dumps({draft.key: draft.item})
    draft.text = f"{again[:-1]}, {json.dumps(draft.labels)[1:]}".encode()


def _field_twice(draft: Draft) -> None:
    item = json.dumps(draft.item)
    draft.text = json.dumps(draft.labels).replace(item, f'{{"style": 7, {item[1:]}').encode()


ITEM_FAULTS: Final = (
    Fault("item that is a list", _not_an_object, Reason.NOT_AN_OBJECT),
    _lacks("category_id"),
    _lacks("category_name"),
    _lacks("bounding_box"),
    _lacks("style"),
    _lacks("occlusion"),
    _lacks("viewpoint"),
    _has("style below 0", "style", -1, Reason.WRONG_FIELD),
    _has("style above 99", "style", 100, Reason.WRONG_FIELD),
    _has("style as text", "style", "1", Reason.WRONG_FIELD),
    _has("style that is true", "style", True, Reason.WRONG_FIELD),
    _has("style that is no number", "style", math.nan, Reason.WRONG_FIELD),
    _has("style that is not whole", "style", 1.5, Reason.WRONG_FIELD),
    _has("occlusion 0", "occlusion", 0, Reason.WRONG_FIELD, LABELS),
    _has("occlusion 4", "occlusion", 4, Reason.WRONG_FIELD, LABELS),
    _has("viewpoint 0", "viewpoint", 0, Reason.WRONG_FIELD, LABELS),
    _has("viewpoint null", "viewpoint", None, Reason.WRONG_FIELD, LABELS),
    _has("box of three numbers", "bounding_box", [10, 10, 90], Reason.WRONG_FIELD),
    _has("box of texts", "bounding_box", ["10", "10", "90", "90"], Reason.WRONG_FIELD),
    _has("box with an infinity", "bounding_box", [0, 0, math.inf, 90], Reason.WRONG_FIELD),
    _has("box that is an object", "bounding_box", {"x": 10, "y": 10}, Reason.WRONG_FIELD),
    _renamed("item0", lambda n: "item0", lambda n: 0),
    _renamed("item with a leading zero", lambda n: f"item0{n}", int),
    _renamed("item with a letter for a number", lambda n: "itemA", lambda n: None),
    Fault("item twice", _twice, Reason.WRONG_FIELD),
    Fault("field of an item twice", _field_twice, Reason.WRONG_FIELD),
    _has("category 0", "category_id", 0, Reason.WRONG_CATEGORY, LABELS),
    _has("category 14", "category_id", 14, Reason.WRONG_CATEGORY, LABELS),
    _has("category as text", "category_id", "1", Reason.WRONG_FIELD),
    _has("category name of none", "category_name", "kimono", Reason.WRONG_CATEGORY, LABELS),
    _has("category name in capitals", "category_name", "SKIRT", Reason.WRONG_CATEGORY, LABELS),
    _has(
        "category name with markup",
        "category_name",
        "<script>alert('skirt')</script> [skirt](javascript:alert(1))",
        Reason.WRONG_CATEGORY,
        LABELS,
    ),
    _has(
        "category name with a terminal's escapes",
        "category_name",
        "\x1b[2J\x1b[31mskirt\x07\r\n",
        Reason.WRONG_CATEGORY,
        LABELS,
    ),
    _boxed(
        "box with x swapped", lambda b, w, h: (b[2], b[1], b[0], b[3]), Reason.BOX_REVERSED, BOXES
    ),
    _boxed(
        "box with y swapped", lambda b, w, h: (b[0], b[3], b[2], b[1]), Reason.BOX_REVERSED, BOXES
    ),
    _boxed(
        "box without width", lambda b, w, h: (b[0], b[1], b[0], b[3]), Reason.BOX_REVERSED, BOXES
    ),
    _boxed(
        "box as x, y, width, height",
        lambda b, w, h: (w * 11 // 20, h // 5, w * 3 // 10, h // 2),
        Reason.BOX_REVERSED,
        BOXES,
    ),
    _boxed(
        "box right of the image",
        lambda b, w, h: (w + 12, b[1], w + 96, b[3]),
        Reason.BOX_OUTSIDE,
        BOXES,
    ),
    _boxed(
        "box below the image", lambda b, w, h: (b[0], h, b[2], h + 80), Reason.BOX_OUTSIDE, BOXES
    ),
    _boxed("box at negative places", lambda b, w, h: (-90, -70, -8, -5), Reason.BOX_OUTSIDE, BOXES),
    Fault("scale that the box belies", _belied_scale, checks=(LABELS,)),
    _has("scale 0", "scale", 0, None, LABELS),
    _has("scale 4", "scale", 4, None, LABELS),
    _tiny("box 20 pixels wide", 20, 34),
    _tiny("box 6 pixels high", 34, 6),
)

PAST_EDGE: Final = Fault("box past the edge, one of too many", _past_edge, checks=(BOXES,))
