"""Properties of every box, every set of items and every prompt."""

import itertools
import json
import random
from collections import defaultdict
from typing import Any
from unittest.mock import patch

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from df2_assets.dataset import annotations, boxes, skus
from df2_assets.dataset.prompts import prompt
from df2_assets.dataset.record import ANNOTATED
from df2_assets.dataset.tables import RAW_ANNOTATION_INDEX, SKU_GROUPS
from df2_assets.dataset.taxonomy import CATEGORIES, DOMAINS
from df2_assets.store.tables import frame, from_frame
from df2_assets_tests.support import oracle
from df2_assets_tests.support.builder import CATEGORY_NAMES, item, without

# A busy machine is no failure.
settings.register_profile("at leisure", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("at leisure")

SIDES = st.integers(1, 60)
EDGES = st.integers(-30, 90)
BOXES = st.tuples(EDGES, EDGES, EDGES, EDGES)
LENGTHS = st.integers(1, 120)
UPRIGHT = st.builds(
    lambda x, y, width, height: (x, y, x + width, y + height), EDGES, EDGES, LENGTHS, LENGTHS
)


@given(UPRIGHT, SIDES, SIDES)
def test_a_clamped_box_holds_the_pixels_that_the_box_and_the_image_share(
    box: boxes.Box, width: int, height: int
) -> None:
    assert not boxes.is_reversed(box)
    x1, y1, x2, y2 = boxes.clamp(box, width, height)
    assert 0 <= x1 <= x2 <= width
    assert 0 <= y1 <= y2 <= height
    assert set(range(x1, x2)) == set(range(box[0], box[2])) & set(range(width))
    assert set(range(y1, y2)) == set(range(box[1], box[3])) & set(range(height))


@given(BOXES | UPRIGHT, SIDES, SIDES)
def test_a_box_is_used_or_refused_as_the_independent_reading_says(
    box: boxes.Box, width: int, height: int
) -> None:
    try:
        _, fields = oracle.read_item(_pairs(item(1, 1, box)), (width, height))
        expected = fields["bbox"]
    except oracle.Refused as why:
        expected = str(why)
    clamped = boxes.clamp(box, width, height)
    if boxes.is_reversed(box):
        assert expected == "box_reversed"
    elif boxes.is_reversed(clamped):
        assert expected == "box_outside"
    else:
        assert expected == list(clamped)


def _pairs(value: Any) -> Any:
    """Return a JSON value in the form of the independent reading."""
    return json.loads(json.dumps(value), object_pairs_hook=oracle.Object)


@st.composite
def indexes(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Draw rows of an index: some images of one pair and source each, with items."""
    rows: list[dict[str, Any]] = []
    for image_id in draw(st.lists(st.integers(1, 999_999), max_size=8, unique=True)):
        of_image = {
            "split": "train",
            "image_id": f"{image_id:06d}",
            "source": draw(st.sampled_from(("shop", "user"))),
            "pair_id": draw(st.sampled_from((1, 1, 999_999))),
            "width": draw(st.integers(40, 80)),
            "height": draw(st.integers(40, 80)),
        }
        if draw(st.sampled_from((False, False, False, False, True))):
            rows.append(of_image | {"reason": "missing_image", "detail": "it is not there"})
            continue
        for index in draw(st.lists(st.integers(1, 12), min_size=1, max_size=3, unique=True)):
            rows.append(of_image | {"item_idx": index} | draw(items()))
    return rows


@st.composite
def items(draw: st.DrawFn) -> dict[str, Any]:
    """Draw the part of a row about the item: usable, or refused for its style or box."""
    category_id = draw(st.sampled_from((1, 13)))
    row: dict[str, Any] = {
        "style": draw(st.sampled_from((0, 1, 99))),
        "category_id": category_id,
        "category_name": CATEGORY_NAMES[category_id - 1],
        "occlusion": draw(st.integers(1, 3)),
        "viewpoint": draw(st.integers(1, 3)),
        "scale": draw(st.integers(1, 3)),
    }
    x1, y1 = draw(st.integers(-9, 39)), draw(st.integers(-9, 39))
    x2, y2 = draw(st.integers(max(x1, 0) + 1, 99)), draw(st.integers(max(y1, 0) + 1, 99))
    row |= {"x1": x1, "y1": y1, "x2": x2, "y2": y2}
    refused = draw(st.sampled_from(("", "", "", "", "style", "box")))
    if refused == "style":
        row |= {"style": None, "reason": "wrong_field", "detail": "style is -1"}
    elif refused == "box":
        row |= {"x2": x1, "reason": "box_reversed", "detail": "the box has no width"}
    return row


def index_frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    return frame(pa.Table.from_pylist(rows, schema=RAW_ANNOTATION_INDEX))


def identity(row: dict[str, Any]) -> tuple[int, int, int]:
    return row["pair_id"], row["style"], row["category_id"]


def sources_by_sku(rows: list[dict[str, Any]]) -> dict[tuple[int, int, int], set[str]]:
    """Return the sources of every (pair, style, category) of a usable item with a style."""
    sources = defaultdict(set)
    for row in rows:
        if "reason" not in row and row["style"] > 0:
            sources[identity(row)].add(row["source"])
    return sources


@given(indexes())
def test_a_sku_with_both_domains_is_kept_with_all_of_its_items(
    rows: list[dict[str, Any]],
) -> None:
    sources = sources_by_sku(rows)
    expected = {
        (row["image_id"], row["item_idx"], DOMAINS[row["source"]], *identity(row))
        for row in rows
        if "reason" not in row and len(sources.get(identity(row), ())) == 2
    }
    groups = skus.group(index_frame(rows))
    names = ("image_id", "item_idx", "domain", *skus.KEY)
    found = list(zip(*(groups[name] for name in names), strict=True))
    assert len(found) == len(set(found))
    assert set(found) == expected
    by_sku = groups.groupby("sku_id")["domain"].agg(set)
    assert all(domains == {"catalog", "query"} for domains in by_sku)


@pytest.mark.slow
@given(indexes())
def test_with_skus_of_one_domain_every_usable_item_with_a_style_is_kept(
    rows: list[dict[str, Any]],
) -> None:
    index = pa.Table.from_pylist(rows, schema=RAW_ANNOTATION_INDEX)
    groups, paired = (skus.group_index(index, only_pairs=only) for only in (False, True))
    assert (skus.has_only_pairs(groups), skus.has_only_pairs(paired)) == (False, True)
    usable = [row for row in rows if "reason" not in row and row["style"] > 0]
    kept = frame(groups)
    assert set(zip(kept["image_id"], kept["item_idx"], strict=True)) == {
        (row["image_id"], row["item_idx"]) for row in usable
    }
    assert len(kept) == len(usable)
    both = kept[skus.find_paired(kept[["sku_id"]], kept["domain"])]
    assert from_frame(both, SKU_GROUPS).equals(paired)
    alone = sum(len(sources) == 1 for sources in sources_by_sku(rows).values())
    assert skus.count_unpaired(kept) == alone


@given(indexes(), st.randoms(use_true_random=False))
def test_the_order_of_the_index_never_matters(
    rows: list[dict[str, Any]], rng: random.Random
) -> None:
    shuffled = rng.sample(rows, len(rows))
    pd.testing.assert_frame_equal(skus.group(index_frame(shuffled)), skus.group(index_frame(rows)))


@given(indexes(), st.integers(1, 12))
def test_grouping_by_ranges_of_pairs_gives_the_same_as_grouping_everything(
    rows: list[dict[str, Any]], at_once: int
) -> None:
    index = pa.Table.from_pylist(rows, schema=RAW_ANNOTATION_INDEX)
    with patch.object(skus, "_ROWS", at_once):
        by_ranges = skus.group_index(index)
    assert by_ranges.equals(from_frame(skus.group(frame(index)), SKU_GROUPS))


@given(indexes())
def test_crops_come_by_sku_then_domain_then_image_then_item(rows: list[dict[str, Any]]) -> None:
    groups = skus.group(index_frame(rows))
    names = ("sku_id", "domain", "image_id", "item_idx")
    order = list(zip(*(groups[name] for name in names), strict=True))
    assert order == sorted(order)


@given(indexes())
def test_each_crop_has_a_path_of_its_own_and_a_box_inside_its_image(
    rows: list[dict[str, Any]],
) -> None:
    by_item = {(row["image_id"], row.get("item_idx")): row for row in rows}
    paths = set()
    for crop in skus.group(index_frame(rows)).to_dict("records"):
        row = by_item[crop["image_id"], crop["item_idx"]]
        given_box = (row["x1"], row["y1"], row["x2"], row["y2"])
        box = (crop["x1"], crop["y1"], crop["x2"], crop["y2"])
        assert box == boxes.cut(given_box, row["width"], row["height"])
        assert given_box == tuple(crop[edge] for edge in ANNOTATED)
        name = f"{crop['image_id']}_item{crop['item_idx']}.jpg"
        sku_id = "{:06d}_{:02d}_{:02d}".format(*identity(row))
        assert crop["sku_id"] == sku_id
        assert crop["crop_path"] == f"train/{crop['domain']}/{sku_id}/{name}"
        assert crop["orig_image_path"] == f"train/image/{crop['image_id']}.jpg"
        paths.add(crop["crop_path"])
    assert len(paths) == len(skus.group(index_frame(rows)))


@given(indexes())
def test_every_item_is_either_kept_or_left_out(rows: list[dict[str, Any]]) -> None:
    index = index_frame(rows)
    excluded = skus.count_excluded(index)
    sources = sources_by_sku(rows)
    assert excluded == {
        "SKUs with catalog crops only": sum(found == {"shop"} for found in sources.values()),
        "SKUs with query crops only": sum(found == {"user"} for found in sources.values()),
        "items of style 0": sum(row.get("style") == 0 and "reason" not in row for row in rows),
        "refused items": sum("reason" in row and "item_idx" in row for row in rows),
        "refused files": sum("reason" in row and "item_idx" not in row for row in rows),
    }
    kept = skus.group(index)["sku_id"].nunique()
    assert kept == sum(len(found) == 2 for found in sources.values())


@pytest.mark.parametrize("category", CATEGORY_NAMES)
def test_a_prompt_says_what_the_independent_reading_says(category: str) -> None:
    for domain, occlusion, viewpoint in itertools.product(DOMAINS.values(), (1, 2, 3), (1, 2, 3)):
        said = prompt(domain, category, occlusion, viewpoint)
        assert said == oracle.prompt(domain, occlusion, viewpoint, category)


def test_the_categories_are_those_of_the_contract() -> None:
    assert oracle.CATEGORIES == CATEGORIES


ODDITIES = st.sampled_from(
    [
        *(None, True, False, -1, 0, 1, 3, 4, 8, 99, 100, 1.0, 2.5, 1e400, float("nan")),
        *("", "1", "trousers", "a: b", '{"style": 1}', "é\u2028\U0001f600", "\x00\x1b[31m"),
        *([], [1, 2, 3, 4], {}, {"style": 1}, [[1], {"a": {"b": [None]}}]),
    ]
)
FIELDS = tuple(item(1, 1, [0, 0, 9, 9]))
SIZE = (100, 100)


@st.composite
def item_values(draw: st.DrawFn) -> Any:
    """Draw an item with at most one field replaced, removed or added, or no item at all."""
    if draw(st.integers(0, 9)) == 0:
        return draw(ODDITIES.filter(lambda value: value != {"style": 1}))
    fields = item(draw(st.integers(1, 13)), draw(st.integers(0, 99)), draw(BOX_LISTS))
    change = draw(st.sampled_from(("none", "none", "replaced", "removed", "added")))
    name = draw(st.sampled_from(FIELDS))
    if change == "replaced":
        fields[name] = draw(ODDITIES)
    elif change == "removed":
        fields = without(fields, name)
    elif change == "added":
        fields[draw(st.text(max_size=6))] = draw(ODDITIES)
    return {name: fields[name] for name in draw(st.permutations(list(fields)))}


EDGES = st.one_of(st.integers(-20, 99), st.floats(-20, 99))
BOX_LISTS = st.lists(EDGES, min_size=4, max_size=4)


@st.composite
def annotation_files(draw: st.DrawFn) -> bytes:
    """Draw the bytes of an annotation: items and fields in any order, with any spacing."""
    fields: dict[str, Any] = {
        "source": draw(st.sampled_from(("shop", "user"))),
        "pair_id": draw(st.integers(0, 999_999)),
    }
    for index in draw(st.sets(st.integers(0, 30), max_size=3)):
        fields[f"item{index}"] = draw(item_values())
    change = draw(st.sampled_from(("none", "none", "none", "replaced", "removed")))
    name = draw(st.sampled_from(("source", "pair_id")))
    if change == "replaced":
        fields[name] = draw(ODDITIES)
    elif change == "removed":
        del fields[name]
    shuffled = {name: fields[name] for name in draw(st.permutations(list(fields)))}
    text = json.dumps(
        shuffled,
        indent=draw(st.sampled_from((None, 1))),
        ensure_ascii=draw(st.booleans()),
        separators=draw(st.sampled_from(((",", ":"), (", ", ": "), (" ,", " : ")))),
    )
    return text.encode()


@given(annotation_files())
def test_any_annotation_is_read_as_the_independent_reading_reads_it(data: bytes) -> None:
    assert read_by_the_platform(data) == read_independently(data)


Reading = str | dict[int | None, object]


def read_independently(data: bytes) -> Reading:
    try:
        annotation, domain, pair_id = oracle.read_annotation(data)
    except oracle.Refused as why:
        return str(why)
    found: dict[int | None, object] = {}
    for index, read in oracle.read_items(annotation, SIZE):
        found[index] = str(read) if isinstance(read, oracle.Refused) else (domain, pair_id, read)
    return found


def read_by_the_platform(data: bytes) -> Reading:
    try:
        annotation = annotations.parse(data)
    except annotations.Refused as why:
        return str(why.reason)
    found: dict[int | None, object] = {}
    for read in annotation.items:
        if read.reason is not None:
            found[read.item_idx] = str(read.reason)
            continue
        assert read.box is not None
        box = boxes.cut(read.box, *SIZE)
        labels = ("category_id", "category_name", "occlusion", "viewpoint")
        fields = {"bbox": list(box), **{name: read.labels[name] for name in labels}}
        usable = (DOMAINS[annotation.source], annotation.pair_id, (read.labels["style"], fields))
        found[read.item_idx] = "box_outside" if boxes.is_reversed(box) else usable
    return found
