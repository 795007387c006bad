"""Files of results: the official score, compared with the published rules, and malformed entries.

`plain_score` is written from evaluation.md of DeepFashion2 alone: lists and loops, its own IoU.
"""

import json
import math
import random
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from df2_assets.errors import ResultsError
from df2_assets.retrieval.protocol import COLUMNS, Protocol, make_protocol
from df2_assets.retrieval.results import find_error, iou, read_results, score_results
from df2_assets.store.layout import Roots

Entry = dict[str, Any]
Item = tuple[int, str, int, int, int, list[int]]
"""An annotated item: image, source, pair id, style, category and box."""

QUERY, OTHER, SHOP, SECOND_SHOP = 1, 2, 11, 12
BOX, FAR = [0, 0, 40, 40], [100, 100, 140, 140]


def protocol_of(items: list[Item]) -> Protocol:
    """Return the benchmark of annotated items. Items of one image are numbered from 1."""
    numbers: dict[int, int] = {}
    rows = []
    for image, source, pair_id, style, category, box in items:
        numbers[image] = numbers.get(image, 0) + 1
        key = (f"{image:06d}", numbers[image], source, pair_id, style, category)
        rows.append((*key, *box, None))
    index = pd.DataFrame(rows, columns=COLUMNS)
    ids = [f"{image:06d}" for image in (1, 2, 3, 11, 12, 13)]
    return make_protocol("validation", index, ids)


ITEMS: list[Item] = [
    (QUERY, "user", 1, 1, 5, BOX),
    (QUERY, "user", 1, 0, 8, FAR),
    (OTHER, "user", 2, 1, 5, BOX),
    (SHOP, "shop", 1, 1, 6, BOX),
    (SHOP, "shop", 1, 0, 8, FAR),
    (SECOND_SHOP, "shop", 2, 1, 5, BOX),
]


def entry(image: int = QUERY, hit_at: int | None = 1, **change: Any) -> Entry:
    """Return an entry whose hit is at a rank. The other retrieved boxes are elsewhere."""
    boxes = [BOX if place == hit_at else FAR for place in range(1, 21)]
    return {
        "query_image_id": image,
        "query_bbox": BOX,
        "query_cls": 5,
        "query_score": 0.5,
        "gallery_image_id": [SHOP] * 20,
        "gallery_bbox": boxes,
    } | change


def score(entries: list[Entry], roots: Roots, items: list[Item] = ITEMS) -> dict[str, Any]:
    """Return the numbers of a file of results, read from disk."""
    path = roots.sku_root / "results.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(entries))
    protocol = protocol_of(items)
    return score_results(protocol, read_results(path, protocol, roots)).numbers


def tops(numbers: dict[str, Any]) -> list[float]:
    return [numbers[f"top-{k}"] for k in (1, 5, 10, 15, 20)]


@pytest.mark.parametrize(
    ("hit_at", "hits"),
    [
        (1, [1, 1, 1, 1, 1]),
        (2, [0, 1, 1, 1, 1]),
        (5, [0, 1, 1, 1, 1]),
        (6, [0, 0, 1, 1, 1]),
        (15, [0, 0, 0, 1, 1]),
        (20, [0, 0, 0, 0, 1]),
        (None, [0, 0, 0, 0, 0]),
    ],
)
def test_the_rank_of_the_first_hit_decides(
    roots: Roots, hit_at: int | None, hits: list[int]
) -> None:
    numbers = score([entry(hit_at=hit_at)], roots)
    assert tops(numbers) == [hit / 2 for hit in hits]
    assert (numbers["queries"], numbers["missed"], numbers["gallery"]) == (2, 1, 3)


def test_an_empty_file_misses_every_query(roots: Roots) -> None:
    numbers = score([], roots)
    assert (numbers["queries"], numbers["missed"], *tops(numbers)) == (2, 2, 0, 0, 0, 0, 0)


def test_of_several_detections_the_one_with_the_highest_score_stands_for_the_query(
    roots: Roots,
) -> None:
    good, bad = entry(query_score=0.6), entry(hit_at=None, query_score=0.7)
    assert tops(score([good, bad], roots)) == [0] * 5
    assert tops(score([good, bad | {"query_score": 0.5}], roots)) == [1 / 2] * 5


def test_of_equal_scores_the_first_in_the_file_counts(roots: Roots) -> None:
    good, bad = entry(), entry(hit_at=None)
    assert tops(score([good, bad], roots)) == [1 / 2] * 5
    assert tops(score([bad, good], roots)) == [0] * 5


def test_an_entry_that_appears_twice_changes_nothing(roots: Roots) -> None:
    assert score([entry()] * 2, roots) == score([entry()], roots)


def test_a_detection_of_another_category_does_not_count(roots: Roots) -> None:
    """It does not hide a detection of the right category with a lower score, either."""
    wrong = entry(query_cls=6, query_score=0.9)
    assert score([wrong], roots)["missed"] == 2
    assert tops(score([wrong, entry()], roots)) == [1 / 2] * 5


def test_a_detection_belongs_to_the_item_that_it_overlaps_most(roots: Roots) -> None:
    """The item may have style 0: then the detection stands for no query."""
    assert score([entry(query_bbox=FAR)], roots)["missed"] == 2


def test_a_detection_that_overlaps_nothing_belongs_to_the_first_item(roots: Roots) -> None:
    """So the official script decides: the first of equal values is the largest one."""
    assert tops(score([entry(query_bbox=[300, 300, 310, 310])], roots)) == [1 / 2] * 5


def test_the_category_of_a_retrieved_item_does_not_matter(roots: Roots) -> None:
    """The shop item of pair 1 and style 1 has category 6, the query category 5."""
    assert tops(score([entry()], roots)) == [1 / 2] * 5


def test_an_item_of_another_pair_or_of_style_0_is_no_hit(roots: Roots) -> None:
    other_pair = entry(gallery_image_id=[SECOND_SHOP] * 20, gallery_bbox=[BOX] * 20)
    style_0 = entry(gallery_bbox=[FAR] * 20)
    assert tops(score([other_pair], roots)) == tops(score([style_0], roots)) == [0] * 5


@pytest.mark.parametrize(
    ("box", "is_hit"),
    [
        ([0, 0, 40, 20], True),  # half of the box: an IoU of exactly 0.5
        ([0, 0, 40, 19.99], False),
        ([0.0, 0.0, 40.0, 80.0], True),
        ([0, 0, 40, 80.1], False),
        ([0, 0, 0, 0], False),
    ],
)
def test_a_retrieved_box_is_a_hit_from_an_iou_of_one_half(
    roots: Roots, box: list[float], is_hit: bool
) -> None:
    found = score([entry(gallery_bbox=[box] + [FAR] * 19)], roots)
    assert tops(found) == [is_hit / 2] * 5


def test_a_retrieved_image_may_have_several_positives(roots: Roots) -> None:
    again: Item = (SHOP, "shop", 1, 1, 6, FAR)
    assert tops(score([entry(hit_at=None)], roots, [*ITEMS, again])) == [1 / 2] * 5


def test_a_query_without_any_positive_counts_as_a_failure(roots: Roots) -> None:
    lonely: Item = (3, "user", 9, 4, 5, BOX)
    numbers = score([entry(), entry(3)], roots, [*ITEMS, lonely])
    assert (numbers["queries"], numbers["missed"], numbers["top-20"]) == (3, 1, 1 / 3)


def test_only_the_first_20_of_a_longer_list_count(roots: Roots) -> None:
    longer = entry(hit_at=None)
    longer["gallery_image_id"] = [SHOP] * 21
    longer["gallery_bbox"] = [FAR] * 20 + [BOX]
    assert tops(score([longer], roots)) == [0] * 5


MALFORMED: list[tuple[Entry, str]] = [
    ({"query_score": math.nan}, "query_score is NaN; expected a finite number"),
    ({"query_score": math.inf}, "query_score is Infinity; expected a finite number"),
    ({"query_score": "0.9"}, 'query_score is "0.9"; expected a finite number'),
    ({"query_score": True}, "query_score is true; expected a finite number"),
    ({"query_score": 10**400}, "query_score is 1000"),
    ({"query_image_id": 7}, "query_image_id is 7, which is no image of validation; expected a "),
    ({"query_image_id": SHOP}, "query_image_id is 11, which is a shop image; expected a consumer"),
    ({"query_image_id": "000001"}, 'query_image_id is "000001"; expected the number of a consumer'),
    ({"query_image_id": -1}, "query_image_id is -1, which is no image of validation"),
    ({"query_cls": 14}, "query_cls is 14; expected a category_id, 1 to 13"),
    ({"query_cls": 5.0}, "query_cls is 5.0; expected a category_id, 1 to 13"),
    ({"query_bbox": [1, 2, 3]}, "query_bbox is [1, 2, 3]; expected four finite numbers"),
    ({"query_bbox": [0, 0, math.nan, 1]}, "query_bbox is [0, 0, NaN, 1]; expected four finite"),
    ({"query_bbox": [50, 50, 40, 60]}, "query_bbox is [50, 50, 40, 60]; expected [x1, y1, x2, y2]"),
    ({"gallery_image_id": [SHOP] * 19}, "gallery_image_id has 19 images; expected the numbers of"),
    ({"gallery_image_id": SHOP}, "gallery_image_id is 11; expected the numbers of 20 shop images"),
    (
        {"gallery_image_id": [SHOP] * 18 + [99, 98]},
        "gallery_image_id at place 19 is 99, which is no image of validation; expected a shop",
    ),
    (
        {"gallery_image_id": [QUERY] + [SHOP] * 19},
        "gallery_image_id at place 1 is 1, which is a consumer image; expected a shop image",
    ),
    (
        {"gallery_bbox": [BOX] * 19},
        "gallery_image_id has 20 images and gallery_bbox has 19 boxes; expected one box per image",
    ),
    (
        {"gallery_bbox": [BOX] * 19 + [[1, 2]]},
        "gallery_bbox at place 20 is [1, 2]; expected four finite numbers",
    ),
    ({"gallery_bbox": {}}, "gallery_bbox is {}; expected one box per retrieved shop image"),
]


@pytest.mark.parametrize(("change", "message"), MALFORMED, ids=str)
def test_a_malformed_entry_is_named_with_what_is_expected(
    roots: Roots, change: Entry, message: str
) -> None:
    with pytest.raises(ResultsError) as error:
        score([entry(), entry(**change)], roots)
    assert "1 of the 2 entries of " in str(error.value)
    assert f"The first: entry 2: {message}" in str(error.value)


@pytest.mark.parametrize("name", list(entry()))
def test_a_missing_field_is_named(roots: Roots, name: str) -> None:
    incomplete = {key: value for key, value in entry().items() if key != name}
    assert find_error(incomplete, protocol_of(ITEMS)) == f"{name} is missing"


def test_all_malformed_entries_are_listed_in_a_file(roots: Roots) -> None:
    with pytest.raises(ResultsError, match="9 of the 10 entries") as error:
        score([entry()] + [entry(query_cls=n) for n in range(20, 29)], roots)
    listing = roots.malformed_results("validation")
    assert str(listing) in str(error.value)
    assert str(error.value).count("query_cls is ") == 3
    lines = listing.read_text().splitlines()
    assert lines[0] == "entry 2: query_cls is 20; expected a category_id, 1 to 13"
    assert [line.split(":")[0] for line in lines] == [f"entry {n}" for n in range(2, 11)]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not JSON"),
        (b"\xff\xfe", "is not JSON"),
        (b"[" * 200_000, "is not JSON: "),
        (b'{"results": []}', 'holds {"results": \\[\\]}: expected a list with one object per'),
        (b"[3]", "entry 1: it is 3; expected an object"),
    ],
    ids=["empty", "bytes", "nested", "object", "number"],
)
def test_another_file_is_refused(roots: Roots, content: bytes, message: str) -> None:
    path = roots.sku_root / "results.json"
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(ResultsError, match=message):
        read_results(path, protocol_of(ITEMS), roots)


def overlap(one: Sequence[float], other: Sequence[float]) -> Fraction:
    """Return the IoU of two boxes, exactly."""
    a, b = [Fraction(edge) for edge in one], [Fraction(edge) for edge in other]
    width = max(min(a[2], b[2]) - max(a[0], b[0]), Fraction(0))
    height = max(min(a[3], b[3]) - max(a[1], b[1]), Fraction(0))
    areas = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1])
    shared = Fraction(width * height)
    return shared / (areas - shared) if shared else shared


def plain_score(items: list[Item], entries: list[Entry]) -> list[float]:
    """Return top-1, 5, 10, 15 and 20, from the text of evaluation.md."""
    truth = [row for row in items if row[1] == "user"]
    hits = [0] * 5
    queries = [row for row in truth if row[3] > 0]
    for query in queries:
        image, _, pair_id, style, category, _ = query
        in_image = [row for row in truth if row[0] == image]
        candidates = []
        for detection in entries:
            if detection["query_image_id"] != image or detection["query_cls"] != category:
                continue
            overlaps = [overlap(detection["query_bbox"], row[5]) for row in in_image]
            if in_image[overlaps.index(max(overlaps))] is query:
                candidates.append(detection)
        if not candidates:
            continue
        best = max(candidate["query_score"] for candidate in candidates)
        chosen = next(c for c in candidates if c["query_score"] == best)
        positives = [row for row in items if row[1:4] == ("shop", pair_id, style)]
        retrieved = list(zip(chosen["gallery_image_id"], chosen["gallery_bbox"], strict=True))
        for column, k in enumerate((1, 5, 10, 15, 20)):
            hits[column] += any(
                row[0] == shop and overlap(box, row[5]) >= Fraction(1, 2)
                for shop, box in retrieved[:k]
                for row in positives
            )
    return [hit / len(queries) if queries else 0.0 for hit in hits]


EDGE = st.integers(0, 6)
BOXES = st.tuples(EDGE, EDGE, st.integers(1, 4), st.integers(1, 4)).map(
    lambda side: [side[0], side[1], side[0] + side[2], side[1] + side[3]]
)
"""Small boxes on a small grid, so that many overlap, and many overlaps are equal or exactly 0.5."""

LABELS = (st.integers(1, 2), st.integers(0, 2), st.integers(1, 2))
CONSUMER = st.tuples(st.sampled_from((1, 2, 3)), st.just("user"), *LABELS, BOXES)
SHOPS = st.tuples(st.sampled_from((11, 12, 13)), st.just("shop"), *LABELS, BOXES)


@st.composite
def files(draw: st.DrawFn) -> tuple[list[Item], list[Entry]]:
    """Draw annotated items, and a file of results about them."""
    consumers = draw(st.lists(CONSUMER, max_size=6))
    shops = draw(st.lists(SHOPS, max_size=6))
    pairs = {image: draw(LABELS[0]) for image in (1, 2, 3, 11, 12, 13)}
    items: list[Item] = [
        (image, source, pairs[image], style, category, box)
        for image, source, _, style, category, box in [*consumers, *shops]
    ]
    candidates = [(row[0], row[5]) for row in items if row[1] == "shop"]
    candidates += draw(st.lists(st.tuples(st.sampled_from((11, 12, 13)), BOXES), min_size=3))
    rng = random.Random(draw(st.integers(0, 2**32)))  # drawing 20 at a time would take long
    entries = []
    for _ in range(draw(st.integers(0, 5))):
        lists = rng.choices(candidates, k=rng.choice((20, 21)))
        entries.append(
            {
                "query_image_id": draw(st.sampled_from((1, 2, 3))),
                "query_bbox": draw(BOXES),
                "query_cls": draw(LABELS[2]),
                "query_score": draw(st.sampled_from((0, 0.25, 0.5))),
                "gallery_image_id": [image for image, _ in lists],
                "gallery_bbox": [box for _, box in lists],
            }
        )
    return items, entries


def assert_published(folder: pytest.TempPathFactory, drawn: tuple[list[Item], list[Entry]]) -> None:
    """Assert that the score of a file is that of the published rules."""
    items, entries = drawn
    base = folder.getbasetemp()
    roots = Roots(base / "df2", base / "sku", str(base / "sku"))
    assert tops(score(entries, roots, items)) == plain_score(items, entries)


@settings(max_examples=25, deadline=None)
@given(drawn=files())
def test_scores_equal_those_of_the_published_rules(
    tmp_path_factory: pytest.TempPathFactory, drawn: tuple[list[Item], list[Entry]]
) -> None:
    assert_published(tmp_path_factory, drawn)


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(drawn=files())
def test_many_scores_equal_those_of_the_published_rules(
    tmp_path_factory: pytest.TempPathFactory, drawn: tuple[list[Item], list[Entry]]
) -> None:
    assert_published(tmp_path_factory, drawn)


@given(BOXES, BOXES)
def test_the_overlap_is_the_intersection_over_the_union(one: list[int], other: list[int]) -> None:
    assert iou(one, other) == pytest.approx(float(overlap(one, other)), abs=1e-12)
    assert iou(one, one) == 1


@pytest.mark.exports
def test_the_overlap_equals_that_of_pycocotools() -> None:
    import numpy as np
    from pycocotools import mask

    draw = np.random.default_rng(0)
    corners = draw.random((2, 400, 2)) * 50
    boxes = np.concatenate([corners, corners + draw.random((2, 400, 2)) * 30], axis=2)
    sides = np.concatenate([boxes[..., :2], boxes[..., 2:] - boxes[..., :2]], axis=2)
    official = mask.iou(sides[0], sides[1], np.zeros(400))
    ours = [[iou(one, other) for other in boxes[1].tolist()] for one in boxes[0].tolist()]
    assert official.tolist() == ours
