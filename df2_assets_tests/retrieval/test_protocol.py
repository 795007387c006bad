"""Which items take part in the benchmark, and how they compare with the published ground truth."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from df2_assets.engines.progress import silent
from df2_assets.engines.serial import SerialEngine
from df2_assets.errors import MissingTableError
from df2_assets.pipeline.indexing import build_index
from df2_assets.retrieval.protocol import (
    Protocol,
    Score,
    compare_ground_truth,
    item_keys,
    read_protocol,
)
from df2_assets.store import tables
from df2_assets.store.layout import Roots
from df2_assets_tests.support.builder import DataSet, item, png

SPLIT = "validation"
LEFT, RIGHT = [5, 5, 70, 100], [80, 10, 150, 110]


@pytest.fixture
def data(roots: Roots) -> DataSet:
    """Write two pairs: each has a shop and a user image, and items without a counterpart."""
    data = DataSet(roots.df2_root)
    for image in (1, 2, 3, 4, 5):
        data.image(SPLIT, image)
    data.annotation(SPLIT, 1, "user", 1, {1: item(1, 1, LEFT), 2: item(8, 0, RIGHT)})
    data.annotation(SPLIT, 2, "user", 2, {1: item(1, 1, LEFT)})
    data.annotation(SPLIT, 3, "shop", 1, {1: item(1, 1, LEFT), 2: item(8, 0, RIGHT)})
    data.annotation(SPLIT, 4, "shop", 2, {1: item(2, 1, LEFT), 3: item(8, 7, RIGHT)})
    data.annotation(SPLIT, 5, "shop", 3, {})
    return data


def index(roots: Roots) -> Protocol:
    """Index the split as a build does, and return its benchmark."""
    indexed = build_index(roots, SPLIT, SerialEngine(), silent)
    tables.write(roots, "raw_annotation_index", SPLIT, indexed.table, {})
    return read_protocol(roots, SPLIT)


def named(items: pd.DataFrame) -> list[str]:
    """Return items as image, number of the item, and style."""
    columns = (items[name].tolist() for name in ("image_id", "item_idx", "style"))
    return [f"{int(image)}/{item} {style}" for image, item, style in zip(*columns, strict=True)]


def test_queries_have_a_style_and_the_gallery_has_every_shop_item(
    data: DataSet, roots: Roots
) -> None:
    protocol = index(roots)
    assert named(protocol.queries) == ["1/1 1", "2/1 1"]
    assert named(protocol.consumer_items) == ["1/1 1", "1/2 0", "2/1 1"]
    assert named(protocol.gallery) == ["3/1 1", "3/2 0", "4/1 1", "4/3 7"]
    assert protocol.shop_images - protocol.consumer_images == {"000003", "000004"}
    assert "000005" in protocol.shop_images, "an image without items"


def test_positives_are_of_one_pair_and_style_whatever_the_category(
    data: DataSet, roots: Roots
) -> None:
    protocol = index(roots)
    matches = item_keys(protocol.queries)[:, None] == item_keys(protocol.gallery)
    assert matches.tolist() == [[True, False, False, False], [False, False, True, False]]


def test_an_item_outside_its_image_stays_a_query_and_has_a_reason(
    data: DataSet, roots: Roots
) -> None:
    """The published ground truth has it as well. It has no crop, so it is missed."""
    data.annotation(SPLIT, 2, "user", 2, {1: item(1, 1, [900, 900, 950, 950])})
    queries = index(roots).queries
    assert named(queries) == ["1/1 1", "2/1 1"]
    assert queries["reason"].tolist()[1] == "box_outside"


def test_items_without_category_or_box_take_no_part(data: DataSet, roots: Roots) -> None:
    data.annotation(SPLIT, 2, "user", 2, {1: item(1, 1, LEFT) | {"category_id": 99}})
    data.annotation(SPLIT, 3, "shop", 1, {1: item(1, 1, LEFT) | {"bounding_box": "left"}})
    protocol = index(roots)
    assert named(protocol.queries) == ["1/1 1"]
    assert named(protocol.gallery) == ["4/1 1", "4/3 7"]


def test_an_image_whose_source_is_unknown_counts_as_either(data: DataSet, roots: Roots) -> None:
    data.raw_image(SPLIT, 1, png())
    protocol = index(roots)
    assert "000001" in protocol.consumer_images & protocol.shop_images
    assert named(protocol.queries) == ["2/1 1"]


def test_without_an_index_it_says_what_to_materialize(roots: Roots) -> None:
    with pytest.raises(MissingTableError, match="materialize raw_annotation_index first"):
        read_protocol(roots, SPLIT)


def test_accuracy_is_the_share_of_queries_with_a_hit_among_the_first_k() -> None:
    numbers = Score(np.array([1, 5, 6, 20, 21, 0, 0, 0]), missed=2, gallery=99).numbers
    assert numbers == {
        "queries": 8,
        "missed": 2,
        "gallery": 99,
        "top-1": 1 / 8,
        "top-5": 2 / 8,
        "top-10": 3 / 8,
        "top-15": 3 / 8,
        "top-20": 4 / 8,
    }


def test_without_queries_the_accuracy_is_zero() -> None:
    assert Score(np.array([], np.int64), 0, 0).numbers["top-20"] == 0


def publish(roots: Roots, **change: Any) -> Path:
    """Write the ground truth of the data set in the published formats; return its folder."""
    folder = roots.ground_truth(SPLIT)
    folder.mkdir(parents=True, exist_ok=True)
    files: dict[str, Any] = {
        "retrieval_val_consumer_information": {"images": [{"id": 1}, {"id": 2}]},
        "retrieval_val_shop_information": {"images": [{"id": 3}, {"id": 4}]},
        "val_query": [
            {"query_image_id": 1, "style": 1, "cls": 1, "pair_id": 1, "bbox": LEFT},
            {"query_image_id": 1, "style": 0, "cls": 8, "pair_id": 1, "bbox": RIGHT},
            {"query_image_id": 2, "style": 1, "cls": 1, "pair_id": 2, "bbox": LEFT},
        ],
        "val_gallery": [
            {"gallery_image_id": 3, "style": 1, "pair_id": 1, "bbox": LEFT},
            {"gallery_image_id": 3, "style": 0, "pair_id": 1, "bbox": RIGHT},
            {"gallery_image_id": 4, "style": 1, "pair_id": 2, "bbox": [5.0, 5.0, 70.5, 100.9]},
            {"gallery_image_id": 4, "style": 7, "pair_id": 2, "bbox": RIGHT},
        ],
    }
    for name, content in (files | change).items():
        text = content if isinstance(content, str) else json.dumps(content)
        (folder / f"{name}.json").write_text(text)
    return folder


def compared(roots: Roots, protocol: Protocol) -> dict[str, list[str]]:
    """Return the lines about each file, without the name of the file."""
    lines = {}
    for difference in compare_ground_truth(roots, protocol):
        first, *more = difference.lines()
        name, text = first.split(".json", 1)
        lines[name] = [text.strip(": "), *map(str.strip, more)]
    return lines


def test_equal_ground_truth_has_no_differences(data: DataSet, roots: Roots) -> None:
    protocol = index(roots)
    assert compared(roots, protocol) == {}, "nothing is published"
    publish(roots)
    same = "entries; no entry differs from the annotations"
    assert compared(roots, protocol) == {
        "retrieval_val_consumer_information": [f"2 {same}"],
        "retrieval_val_shop_information": [f"2 {same}"],
        "val_query": [f"3 {same}"],
        "val_gallery": [f"4 {same}"],
    }


def test_differences_are_counted_and_the_first_are_named(data: DataSet, roots: Roots) -> None:
    protocol = index(roots)
    queries = [
        {"query_image_id": 1, "style": 2, "cls": 1, "pair_id": 1, "bbox": LEFT},
        {"query_image_id": 2, "style": 1, "cls": 1, "pair_id": 2, "bbox": LEFT},
        *({"query_image_id": 9, "style": 1, "cls": 1, "pair_id": 4, "bbox": LEFT},) * 5,
    ]
    publish(roots, val_query=queries, retrieval_val_shop_information={"images": [{"id": 3}]})
    lines = compared(roots, protocol)
    named_entry = "image 000009, box [5, 5, 70, 100], style 1, pair_id 4, category_id 1"
    assert lines["val_query"] == [
        "7 entries; 5 only in the file, 1 only in the annotations, 1 with other labels, "
        "1 of those only in the annotations are of style 0",
        f"only in the file: {'; '.join([named_entry] * 3)}; and 2 more",
        "only in the annotations: "
        "image 000001, box [80, 10, 150, 110], style 0, pair_id 1, category_id 8",
        "with other labels: image 000001, box [5, 5, 70, 100], style 2, pair_id 1, category_id 1",
    ]
    assert lines["retrieval_val_shop_information"] == [
        "1 entries; 1 only in the annotations",
        "only in the annotations: image 000004",
    ]
    (query,) = (d for d in compare_ground_truth(roots, protocol) if d.file == "val_query.json")
    numbers = query.numbers()
    assert [numbers[kind] for kind in ("missing", "additional", "different")] == [5, 1, 1]
    assert numbers["additional_of_style_0"] == 1
    assert numbers["first"]["different"] == [lines["val_query"][3].split(": ")[1]]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("[{", "truncated"),
        ([{"query_image_id": 1}], "missing required field `style`"),
        ({"queries": []}, "Expected `array`, got `object`"),
    ],
)
def test_a_file_in_another_form_is_named_with_the_reason(
    data: DataSet, roots: Roots, content: Any, reason: str
) -> None:
    publish(roots, val_query=content)
    (line,) = compared(roots, index(roots))["val_query"]
    assert line.startswith("cannot be compared with the annotations: ")
    assert reason in line


def test_the_train_split_has_no_published_ground_truth(data: DataSet, roots: Roots) -> None:
    protocol = index(roots)
    publish(roots)
    unpublished = Protocol("train", *(getattr(protocol, name) for name in PARTS))
    assert compare_ground_truth(roots, unpublished) == []


PARTS = ("consumer_items", "gallery", "consumer_images", "shop_images")
