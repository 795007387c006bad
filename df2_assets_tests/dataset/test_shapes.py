"""Shapes of an item: what is refused, and what a crop gets of the others."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from df2_assets.dataset.masks import decode_mask
from df2_assets.dataset.shapes import (
    SHAPE_MEANINGS,
    CropLabels,
    ShapeReason,
    Shapes,
    carry,
    label_crop,
    move,
    read_polygons,
    read_shape_fields,
)
from df2_assets.dataset.taxonomy import CATEGORIES, LANDMARK_STARTS, LANDMARKS, LANDMARKS_IN_ALL
from df2_assets.dataset.variants import CropVariant, plan_cut
from df2_assets_tests.support import builder

BOX = (10, 20, 50, 60)
POLYGON = [10, 20, 30, 20, 30, 60, 10, 60]
SKIRT = 9
POINTS = [12.5, 20, 2, 30, 61, 1, 30, 60, 1, 50, 20, 2, 9, 30, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0]


def labels(*others: dict[str, Any], **fields: Any) -> CropLabels:
    """Return the labels of item 1 with these fields, read from a file that has others, too."""
    shapes: dict[str, Any] = {"segmentation": [POLYGON], "landmarks": POINTS} | fields
    items = [builder.item(SKIRT, 1, BOX, **shapes), *others]
    text = builder.annotation_text("shop", 1, dict(enumerate(items, 1)))
    return label_crop(read_shape_fields(text.encode()), 1, BOX)


def other(polygon: Sequence[float]) -> dict[str, Any]:
    return builder.item(1, 0, BOX, segmentation=[polygon], landmarks=[])


def test_landmarks_of_all_categories_are_those_of_the_data_set() -> None:
    assert LANDMARKS.keys() == CATEGORIES.keys()
    assert LANDMARKS_IN_ALL == 294
    starts = [0, 25, 58, 89, 128, 143, 158, 168, 182, 190, 219, 256, 275]
    assert [*LANDMARK_STARTS.items()] == [*enumerate(starts, 1)]


def test_a_crop_gets_the_shapes_of_its_item_in_its_own_coordinates() -> None:
    crop = labels()
    assert crop.reason is None
    assert crop.polygons == [[0, 0, 20, 0, 20, 40, 0, 40]]
    assert crop.landmarks is not None
    assert crop.landmarks[:6] == [2.5, 0, 2, 20, 41, 1]
    assert crop.landmarks[-9:] == [0] * 9, "a landmark that is not labelled has no place"
    assert (crop.area, crop.box_share, crop.overlap) == (800, 0.5, 0)
    mask = decode_mask(crop.mask or "", 40, 40)
    assert mask[:, :20].all()
    assert not mask[:, 20:].any()


def test_landmarks_are_visible_occluded_or_outside_the_crop() -> None:
    crop = labels()
    numbers = (crop.landmarks_visible, crop.landmarks_occluded, crop.landmarks_outside)
    assert numbers == (2, 1, 2), "one on the edge of the box is inside"


def test_the_overlap_counts_every_other_item_once() -> None:
    quarter, same = other([10, 20, 20, 20, 20, 40, 10, 40]), other([10, 20, 20, 20, 20, 40, 10, 40])
    outside, refused = other([200, 200, 300, 200, 300, 300]), other([1, 2, 3])
    assert labels(quarter, same, outside, refused).overlap == 0.25
    assert labels(other(POLYGON)).overlap == 1


REFUSED: list[tuple[str, str, dict[str, Any]]] = [
    ("missing_field", "segmentation is missing", {"segmentation": ...}),
    ("missing_field", "landmarks is missing", {"landmarks": ...}),
    ("wrong_field", 'segmentation is "x", not a list', {"segmentation": "x"}),
    ("wrong_field", "segmentation has 5, not a list", {"segmentation": [5]}),
    ("wrong_field", 'segmentation has "1", not a number of pixels', {"segmentation": [["1"]]}),
    ("wrong_field", "landmarks has NaN, not a number of pixels", {"landmarks": [float("nan")]}),
    ("wrong_field", "landmarks has true, not a number of pixels", {"landmarks": [True]}),
    ("wrong_field", "segmentation has 1e+300, not a number", {"segmentation": [[1e300] * 6]}),
    (
        "wrong_field",
        "an outline of 2,000,008 pixels",
        {"segmentation": [[0, 0, 1_000_000, 0, 0, 9]]},
    ),
    ("odd_coordinates", "a polygon of 7 coordinates", {"segmentation": [POLYGON[:7]]}),
    ("too_few_points", "a polygon of 2 points", {"segmentation": [POLYGON, POLYGON[:4]]}),
    ("no_area", "the polygons cover no pixel of the crop", {"segmentation": []}),
    ("no_area", "the polygons cover no pixel of the crop", {"segmentation": [[9, 9] * 3]}),
    ("no_area", "the polygons cover no pixel of the crop", {"segmentation": [[0, 0, 9, 0, 9, 9]]}),
    (
        "wrong_landmarks",
        "21 numbers, not 24: category 9 has 8 landmarks",
        {"landmarks": POINTS[:21]},
    ),
    (
        "wrong_visibility",
        "a visibility of 3, not 0, 1 or 2",
        {"landmarks": [1, 1, 3, *POINTS[3:]]},
    ),
]


@pytest.mark.parametrize(("reason", "detail", "fields"), REFUSED, ids=lambda value: str(value)[:40])
def test_shapes_that_cannot_be_used_are_refused(
    reason: str, detail: str, fields: dict[str, Any]
) -> None:
    absent = [name for name, value in fields.items() if value is ...]
    item = builder.item(SKIRT, 1, BOX, segmentation=[POLYGON], landmarks=POINTS)
    text = json.dumps({"item1": builder.without(item | fields, *absent)})
    crop = label_crop(read_shape_fields(text.encode()), 1, BOX)
    assert (crop.reason, (crop.detail or "")[: len(detail)]) == (reason, detail)
    is_of_mask = "segmentation" in fields
    assert (crop.mask is None, crop.polygons is None, crop.area is None) == (is_of_mask,) * 3
    assert (crop.landmarks is None, crop.landmarks_visible is None) == (not is_of_mask,) * 2


def test_every_reason_has_a_meaning_and_a_test() -> None:
    assert SHAPE_MEANINGS.keys() == set(ShapeReason)
    assert {reason for reason, _, _ in REFUSED} | {"unreadable"} == set(ShapeReason)


def test_a_row_names_both_shapes_that_are_refused() -> None:
    crop = labels(segmentation=[[1, 2]], landmarks=[])
    assert crop.reason == "too_few_points"
    assert crop.detail == "a polygon of 1 points; 0 numbers, not 24: category 9 has 8 landmarks"


def test_shapes_are_read_from_files_that_only_json_reads() -> None:
    """A byte order mark, or a field twice outside of the shapes, and unknown keys."""
    item = builder.item(SKIRT, 1, BOX, segmentation=[POLYGON], note="a: b")
    items = read_shape_fields(b"\xef\xbb\xbf" + json.dumps({"item1": item, "item2": 5}).encode())
    assert read_polygons(items[1]) == [POLYGON]
    assert items.keys() == {1}


def test_a_repeated_point_changes_nothing() -> None:
    assert labels(segmentation=[POLYGON + POLYGON[:2]]).mask == labels().mask


def test_shapes_come_back_from_a_variant_as_they_were() -> None:
    crop = labels()
    shapes = Shapes(crop.polygons, crop.landmarks)
    there = carry(shapes, BOX[:2], lambda x, y: (x * 0.5 + 3, y * 0.25 - 1))
    assert there.polygons == [[8, 4, 18, 4, 18, 14, 8, 14]]
    assert there.landmarks is not None
    assert there.landmarks[:3] == [12.5 * 0.5 + 3, 4, 2]
    assert there.landmarks[-3:] == [0, 0, 0]
    back = carry(there, (0, 0), lambda x, y: ((x - 3) / 0.5 - 10, (y + 1) / 0.25 - 20))
    assert back == shapes
    assert carry(Shapes(None, None), (1, 2), lambda x, y: (x, y)) == (None, None)


@pytest.mark.parametrize("square", ["pad", "widen", None])
def test_the_affine_map_of_a_variant_carries_shapes_there_and_back(square: Any) -> None:
    variant = CropVariant("small", margin=0.07, square=square, size=224)
    affine = plan_cut(variant, BOX, 160, 120).affine
    crop = labels()
    shapes = Shapes(crop.polygons, crop.landmarks)
    back = move(carry(shapes, BOX[:2], affine.apply), affine.inverse().apply)
    assert (back.polygons or [[]])[0] == pytest.approx(POLYGON, abs=1e-9)
    assert back.landmarks == pytest.approx(POINTS, abs=1e-9)
