"""The checks of the annotation index, on data sets with one planted defect."""

from typing import Any

import pytest

from df2_assets.checks.finding import Finding
from df2_assets.checks.raw_annotation_index import furthest_past_edge
from df2_assets.dataset import taxonomy
from df2_assets.dataset.taxonomy import RELEASED, Released
from df2_assets.store.layout import Roots
from df2_assets_tests.checks import clean
from df2_assets_tests.checks.clean import fails, find, named, passes
from df2_assets_tests.support.builder import DataSet, Item, item, without

ITEM = ("split", "image_id", "item_idx")
TOP = item(1, 1, [5, 5, 70, 100])
SIZE = (160, 120)


def plant(data: DataSet, image_id: int, *items: object, split: str = "train") -> None:
    data.image(split, image_id, SIZE)
    data.annotation(split, image_id, "user", 50, dict(enumerate(items, 1)))


def judge(check: str, roots: Roots, split: str = "train") -> Finding:
    """Read the annotations of a split, and return the finding of a check on them."""
    clean.index(roots, split)
    return find(check, roots, split)


def test_what_has_no_counterpart_is_named(roots: Roots, data: DataSet) -> None:
    data.image("train", 71)
    data.annotation("train", 72, "user", 1, {1: TOP})
    data.image("train", 73)
    data.annotation("train", 73, "user", 1, {})
    finding = judge("pairing", roots)
    assert fails(finding, "warn")
    assert named(finding.offenders, "split", "image_id", "what") == [
        ("train", "000071", "image without annotation"),
        ("train", "000072", "annotation without image"),
    ]
    assert finding.numbers == {
        "images": 6,
        "annotations": 6,
        "annotations_without_items": 1,
        "images_without_annotation": 1,
        "annotations_without_image": 1,
    }


@pytest.mark.parametrize("images", [0, 1])
def test_test_without_annotations_passes_with_a_note(roots: Roots, images: int) -> None:
    roots.df2_root.mkdir()
    if images:
        DataSet(roots.df2_root).image("test", 1)
    finding = judge("pairing", roots, "test")
    assert passes(finding)
    assert finding.note is not None
    assert "released without annotations" in finding.note


def test_other_images_without_annotation_are_listed_in_every_split(roots: Roots) -> None:
    data = DataSet(roots.df2_root)
    for split in ("train", "test"):
        data.image(split, 1)
    plant(data, 2, TOP, split="test")
    roots.annotations("train").mkdir()
    for split in ("train", "test"):
        finding = judge("pairing", roots, split)
        expected = [("000001", "image without annotation")]
        assert named(finding.offenders, "image_id", "what") == expected


def test_boxes_without_area_or_outside_the_image_are_named(roots: Roots, data: DataSet) -> None:
    bad = [[150, 5, 70, 100], [60, 70, 50, 40], [160, 0, 170, 50], [-20, 5, 0, 60]]
    plant(data, 81, TOP, *(TOP | {"bounding_box": box} for box in bad))
    finding = judge("boxes", roots)
    assert fails(finding, "warn")
    assert named(finding.offenders, *ITEM, "what", "x1", "width") == [
        ("train", "000081", 3, "reversed, but fits as x, y, width, height", 60, 160),
        ("train", "000081", 2, "reversed or without area", 150, 160),
        ("train", "000081", 4, "outside the image", 160, 160),
        ("train", "000081", 5, "outside the image", -20, 160),
    ]
    assert finding.numbers["as_width_height"] == 1
    assert finding.numbers["reversed"] == finding.numbers["outside"] == 2


def test_the_boxes_that_reach_furthest_past_the_edge_come_first(
    roots: Roots, data: DataSet
) -> None:
    reach = [[5, 5, 161, 100], [-9, 5, 70, 100], [5, 5, 70, 124], [5, -1, 70, 100]]
    plant(data, 81, *(TOP | {"bounding_box": box} for box in reach), TOP)
    plant(data, 82, TOP | {"bounding_box": [400, 5, 470, 100]})
    index = clean.index(roots).index
    assert furthest_past_edge(index, 3)["item_idx"].tolist() == [2, 3, 1]
    furthest = named(furthest_past_edge(index, 9), "image_id", "x1")
    assert furthest == [("000081", x1) for x1 in (-9, 5, 5, 5)]


def test_clamped_boxes_are_named_only_above_one_percent(roots: Roots, data: DataSet) -> None:
    plant(data, 81, TOP | {"bounding_box": [5, 5, 161, 100]}, *[TOP] * 43)
    finding = judge("boxes", roots)
    assert (finding.checked_count, finding.numbers["clamped"]) == (100, 1)
    assert passes(finding)
    plant(data, 82, TOP | {"bounding_box": [5, -1, 70, 100]})
    finding = judge("boxes", roots)
    assert fails(finding, "warn")
    assert named(finding.offenders, *ITEM, "what") == [
        ("train", image_id, 1, "reaches past the edge") for image_id in ("000081", "000082")
    ]


def test_fractions_are_counted_and_named_only_above_one_percent(
    roots: Roots, data: DataSet
) -> None:
    plant(data, 81, TOP | {"bounding_box": [5.5, 5, 70, 100]}, *[TOP] * 43)
    finding = judge("boxes", roots)
    assert (finding.checked_count, finding.numbers["fractional"]) == (100, 1)
    assert finding.numbers["fractional_share"] == 0.01
    assert passes(finding)
    plant(data, 82, TOP | {"bounding_box": [5, 5, 70.0, 99.25]}, TOP | {"bounding_box": [5.0] * 4})
    finding = judge("boxes", roots)
    assert fails(finding, "warn")
    named_as = [
        name for name in named(finding.offenders, *ITEM, "what") if "fractions" in str(name)
    ]
    assert named_as == [
        ("train", image_id, 1, "has fractions of a pixel") for image_id in ("000081", "000082")
    ]
    assert "2 with fractions of a pixel" in finding.summary


def test_labels_out_of_range_are_named_and_other_refusals_are_not(
    roots: Roots, data: DataSet
) -> None:
    wrong: list[Item] = [
        {"category_id": 14},
        {"category_name": "trousers"},
        {"occlusion": 4},
        {"viewpoint": 0},
        {"scale": 4},
        {"zoom_in": 0},
        {"style": 100},
        {"bounding_box": [1, 2, 3]},
        {"bounding_box": [70, 5, 5, 100]},
    ]
    plant(data, 81, TOP, *(TOP | fields for fields in wrong), without(TOP, "occlusion"))
    finding = judge("labels", roots)
    assert fails(finding, "warn")
    assert named(finding.offenders, *ITEM, "what") == [
        ("train", "000081", 2, "category out of range or misnamed"),
        ("train", "000081", 3, "category out of range or misnamed"),
        ("train", "000081", 4, "label out of range"),
        ("train", "000081", 5, "label out of range"),
        ("train", "000081", 6, "label out of range"),
        ("train", "000081", 7, "label out of range"),
    ]
    details = [detail for (detail,) in named(finding.offenders, "detail")]
    assert "14" in str(details[0])
    assert "occlusion is 4" in str(details[2])


def test_scale_labels_are_called_into_question_beyond_a_factor_of_two(
    roots: Roots, data: DataSet
) -> None:
    """Shares of a 160 x 120 image: 32 x 120 is 0.2, 8 x 120 is 0.05, 128 x 120 is 0.8."""
    good = {(1, 31), (2, 8), (2, 127), (3, 32), (3, 160)}
    bad = {(1, 32), (2, 7), (2, 128), (3, 31)}
    cases = sorted(good | bad)
    plant(data, 81, *(TOP | {"scale": s, "bounding_box": [0, 0, w, 120]} for s, w in cases))
    small_inside = TOP | {"scale": 1, "bounding_box": [-100, -100, 20, 60]}
    plant(data, 82, small_inside, without(TOP, "scale"))
    finding = judge("labels", roots)
    assert {what for (what,) in named(finding.offenders, "what")} == {"scale does not suit the box"}
    assert set(finding.offenders["image_id"]) == {"000081"}
    assert {cases[int(str(n)) - 1] for (n,) in named(finding.offenders, "item_idx")} == bad


@pytest.mark.parametrize("known", [(9, 4), (10, 4), (9, 5)])
def test_a_full_train_split_is_compared_with_the_known_numbers_of_pairs(
    roots: Roots, monkeypatch: pytest.MonkeyPatch, known: tuple[int, int]
) -> None:
    """Pair 1, style 1 has three user items in two images and three shop items in two images.

    Style 0 and styles of one source do not count.
    """
    monkeypatch.setitem(RELEASED, "train", Released(4, 4))
    monkeypatch.setattr(taxonomy, "TRAIN_INSTANCE_PAIRS", known[0])
    monkeypatch.setattr(taxonomy, "TRAIN_IMAGE_PAIRS", known[1])
    data = DataSet(roots.df2_root)
    beside: dict[str, Any] = {"bounding_box": [80, 5, 150, 100]}
    content: dict[int, tuple[str, list[Item]]] = {
        1: ("user", [TOP, TOP | beside]),
        2: ("user", [TOP, item(8, 0, [80, 5, 150, 100]), TOP | {"style": 3}]),
        3: ("shop", [TOP, item(8, 1, [80, 5, 150, 100])]),
        4: ("shop", [TOP, item(8, 2, [80, 5, 150, 100])]),
    }
    for image_id, (source, items) in content.items():
        data.image("train", image_id, SIZE)
        data.annotation("train", image_id, source, 1, dict(enumerate(items, 1)))
    finding = judge("known_answers", roots)
    assert finding.passed == (known == (9, 4))
    assert finding.severity == "warn"
    assert finding.numbers == {"instance_pairs": 9, "image_pairs": 4}
    table = finding.tables["known answers"]
    assert named(table, "found", "known") == [(9, known[0]), (4, known[1])]
    both = finding.tables["without and with the category"]
    assert named(both, "same pair and style", "same SKU") == [(9, 6), (4, 4)]


@pytest.mark.parametrize(("user", "passed"), [(2, True), (3, False)])
def test_a_full_validation_is_compared_with_the_numbers_of_user_and_shop_images(
    roots: Roots, monkeypatch: pytest.MonkeyPatch, user: int, passed: bool
) -> None:
    monkeypatch.setitem(RELEASED, "validation", Released(3, 3, user, 3 - user))
    data = DataSet(roots.df2_root)
    for image_id, source in ((1, "user"), (2, "user"), (3, "shop")):
        data.image("validation", image_id, SIZE)
        data.annotation("validation", image_id, source, 1, {1: TOP, 2: TOP | {"occlusion": 9}})
    finding = judge("known_answers", roots, "validation")
    assert (finding.passed, finding.severity) == (passed, "warn")
    assert finding.numbers == {"user_images": 2, "shop_images": 1}
    assert named(finding.tables["known answers"], "what", "found", "known") == [
        ("user images", 2, user),
        ("shop images", 1, 3 - user),
    ]


def test_a_part_of_train_has_no_known_answer(roots: Roots, data: DataSet) -> None:
    finding = judge("known_answers", roots)
    assert finding.passed
    assert not finding.numbers
