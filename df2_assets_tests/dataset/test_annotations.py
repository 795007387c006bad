"""Which items of an annotation file can be used, and the reasons of the others."""

import json
from typing import Any

import pytest

from df2_assets.dataset.annotations import Refused, parse
from df2_assets.dataset.reasons import Reason
from df2_assets_tests.support.builder import annotation_text, item, without

GOOD = item(1, 2, (10, 20, 110, 220))


@pytest.mark.parametrize(
    ("fields", "reason", "detail"),
    [
        (1, Reason.NOT_AN_OBJECT, "the item is 1"),
        ("1", Reason.NOT_AN_OBJECT, 'the item is "1" (text)'),
        (without(GOOD, "viewpoint"), Reason.MISSING_FIELD, "viewpoint is missing"),
        (GOOD | {"style": -1}, Reason.WRONG_FIELD, "style is -1, not 0 to 99"),
        (GOOD | {"occlusion": 4}, Reason.WRONG_FIELD, "occlusion is 4, not 1 to 3"),
        (GOOD | {"viewpoint": 1.5}, Reason.WRONG_FIELD, "viewpoint is 1.5, not a whole number"),
        (GOOD | {"style": "1"}, Reason.WRONG_FIELD, 'style is "1" (text), not a whole number'),
        (GOOD | {"zoom_in": True}, Reason.WRONG_FIELD, "zoom_in is true, not a whole number"),
        (GOOD | {"scale": None}, Reason.WRONG_FIELD, "scale is null, not a whole number"),
        (GOOD | {"category_id": "5"}, Reason.WRONG_FIELD, 'category_id is "5" (text), not'),
        (GOOD | {"category_id": 14}, Reason.WRONG_CATEGORY, "category_id is 14, not 1 to 13"),
        (GOOD | {"category_id": 2}, Reason.WRONG_CATEGORY, "category_name of 2 is"),
        (GOOD | {"category_name": "\x7f"}, Reason.WRONG_CATEGORY, r'is "\u007f", not short sleeve'),
        (GOOD | {"bounding_box": [1, 2, 3]}, Reason.WRONG_FIELD, "not four numbers"),
        (GOOD | {"bounding_box": "1234"}, Reason.WRONG_FIELD, 'is "1234" (text), not four numbers'),
        (
            GOOD | {"bounding_box": ["1", 2, 3, 4]},
            Reason.WRONG_FIELD,
            'an edge of bounding_box is "1" (text)',
        ),
        (GOOD | {"bounding_box": [9, 9, 9, 20]}, Reason.BOX_REVERSED, "[9, 9, 9, 20]"),
    ],
)
def test_an_unusable_item_says_why(fields: Any, reason: Reason, detail: str) -> None:
    (refused,) = parse(annotation_text("shop", 7, {1: fields}).encode()).items
    assert refused.reason == reason
    assert detail in (refused.detail or "")


@pytest.mark.parametrize(
    ("text", "reason", "detail"),
    [
        ("{", Reason.UNREADABLE_JSON, "Expecting"),
        ("[]", Reason.NOT_AN_OBJECT, "the file holds []"),
        ('{"pair_id": 1}', Reason.MISSING_FIELD, "source is missing"),
        ('{"source": "street", "pair_id": 1}', Reason.UNKNOWN_SOURCE, 'source is "street", not'),
        ('{"source": "shop", "pair_id": 1000000}', Reason.WRONG_FIELD, "pair_id is 1000000, not"),
        ('{"source": "shop", "pair_id": "7"}', Reason.WRONG_FIELD, 'pair_id is "7" (text), not'),
        ('{"source": "shop", "pair_id": 1, "pair_id": 1}', Reason.WRONG_FIELD, '"pair_id" appears'),
    ],
)
def test_an_unusable_file_is_refused_as_a_whole(text: str, reason: Reason, detail: str) -> None:
    with pytest.raises(Refused) as refused:
        parse(text.encode())
    assert refused.value.reason == reason
    assert detail in refused.value.detail


def test_a_key_that_appears_twice_is_refused() -> None:
    good = json.dumps(GOOD)
    text = f'{{"source": "shop", "pair_id": 1, "item1": {good}, "item1": {good}}}'
    assert [read.detail for read in parse(text.encode()).items] == ["item1 appears twice"]


@pytest.mark.parametrize(
    ("box", "whole"),
    [
        ([10.5, 20.999, 110.01, 220], (10, 20, 110, 220)),
        ([-0.5, -1.5, 110, 220], (0, -1, 110, 220)),
        ([1e1, 2e1, 1.1e2, 220.0], (10, 20, 110, 220)),
        ([10, 20, 1e300, 220], (10, 20, 2**31 - 1, 220)),
    ],
)
def test_fractions_of_a_pixel_are_cut_off_as_int_does(
    box: list[float], whole: tuple[int, ...]
) -> None:
    (read,) = parse(annotation_text("shop", 7, {1: GOOD | {"bounding_box": box}}).encode()).items
    assert (read.box, read.reason) == (whole, None)
    assert read.is_fractional == any(edge != int(edge) for edge in box)


@pytest.mark.parametrize(
    "edge",
    ["NaN", "Infinity", "-Infinity", "1e400", '"9"', "true", "null", "[9]", "{}", "9" * 5000],
    ids=lambda edge: edge[:9],
)
def test_an_edge_that_is_not_a_number_is_refused(edge: str) -> None:
    fields = json.dumps(GOOD).replace("[10, 20,", f"[{edge}, 20,")
    (read,) = parse(f'{{"source": "shop", "pair_id": 7, "item1": {fields}}}'.encode()).items
    assert read.reason == Reason.WRONG_FIELD
    assert "not a number" in (read.detail or "")


def test_a_refused_box_with_fractions_is_shown_as_annotated() -> None:
    fields = GOOD | {"bounding_box": [10.25, 20, 10.75, 220]}
    (read,) = parse(annotation_text("shop", 7, {1: fields}).encode()).items
    assert (read.reason, read.detail) == (
        Reason.BOX_REVERSED,
        "bounding_box is [10.25, 20, 10.75, 220]",
    )


@pytest.mark.parametrize(
    ("key", "item_idx"),
    [
        *(("Item1", 1), ("ITEM1", 1), (" item1", 1), ("item1 ", 1), ("item01", 1)),
        *(("item_1", None), ("Item_1", None), ("items", None), ("Items", None), ("iTem", None)),
    ],
)
def test_a_misspelt_item_key_is_refused(key: str, item_idx: int | None) -> None:
    good, refused = sorted(
        parse(annotation_text("shop", 7, {2: GOOD, key: GOOD}).encode()).items,
        key=lambda read: read.reason is not None,
    )
    assert (good.item_idx, good.reason) == (2, None)
    assert (refused.item_idx, refused.reason) == (item_idx, Reason.WRONG_FIELD)
    assert refused.detail is not None
    assert key in refused.detail
    assert "is not item1, item2" in refused.detail
