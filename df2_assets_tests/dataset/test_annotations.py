"""Which items of one annotation file can be used, and what is said of the others."""

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
        (GOOD | {"bounding_box": ["1", 2, 3, 4]}, Reason.WRONG_FIELD, 'is "1" (text), not'),
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
