"""What the index says of the annotations, on data sets with one thing planted."""

import pytest

from df2_assets.checks.finding import Finding
from df2_assets.checks.raw_annotation_index import (
    boxes,
    furthest_past_edge,
    known_answers,
    labels,
    pairing,
    refusals_within_limit,
)
from df2_assets.dataset import taxonomy
from df2_assets.dataset.taxonomy import RELEASED, Released
from df2_assets.store.layout import Roots
from df2_assets_tests.checks import clean
from df2_assets_tests.checks.clean import fails, named, passes
from df2_assets_tests.support.builder import DataSet, Item, item, without

ITEM = ("split", "image_id", "item_idx")
TOP = item(1, 1, [5, 5, 70, 100])
SIZE = (160, 120)


@pytest.fixture
def data(roots: Roots) -> DataSet:
    data = DataSet(roots.df2_root)
    clean.write(data, "train", looks=2)
    return data


def plant(data: DataSet, image_id: int, *items: object, split: str = "train") -> None:
    data.image(split, image_id, SIZE)
    data.annotation(split, image_id, "user", 50, dict(enumerate(items, 1)))


def test_every_image_with_its_annotation_passes(roots: Roots, data: DataSet) -> None:
    finding = pairing("train", clean.index(roots).files)
    assert passes(finding)
    assert (finding.looked_at, finding.numbers["images"]) == (4, 4)


def test_what_has_no_counterpart_is_named(roots: Roots, data: DataSet) -> None:
    data.image("train", 71)
    data.annotation("train", 72, "user", 1, {1: TOP})
    data.image("train", 73)
    data.annotation("train", 73, "user", 1, {})
    finding = pairing("train", clean.index(roots).files)
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


def test_test_without_annotations_is_one_warning_without_a_list(roots: Roots) -> None:
    data = DataSet(roots.df2_root)
    data.image("test", 1)
    finding = pairing("test", clean.index(roots, "test").files)
    assert fails(finding, "warn")
    assert finding.offenders.empty
    assert "released without annotations" in finding.summary


def test_the_warning_of_test_does_not_depend_on_its_folder(roots: Roots) -> None:
    finding = pairing("test", clean.index(roots, "test").files)
    assert fails(finding, "warn")


def test_test_with_annotations_is_paired_like_any_split(roots: Roots) -> None:
    data = DataSet(roots.df2_root)
    data.image("test", 1)
    plant(data, 2, TOP, split="test")
    finding = pairing("test", clean.index(roots, "test").files)
    assert named(finding.offenders, "image_id") == [("000001",)]


def test_train_without_any_annotation_lists_its_images(roots: Roots) -> None:
    data = DataSet(roots.df2_root)
    data.image("train", 1)
    roots.annotations("train").mkdir()
    finding = pairing("train", clean.index(roots).files)
    assert named(finding.offenders, "image_id", "what") == [("000001", "image without annotation")]


def test_nothing_refused_passes(roots: Roots, data: DataSet) -> None:
    indexed = clean.index(roots)
    finding = refusals_within_limit("train", indexed.index, indexed.files, 0.01)
    assert passes(finding)
    assert finding.numbers["refused_items"] == finding.numbers["refused_images"] == 0


def test_two_refused_of_a_kind_are_a_warning_however_small_the_data_set(
    roots: Roots, data: DataSet
) -> None:
    plant(data, 81, TOP, TOP | {"style": -1}, without(TOP, "viewpoint"))
    data.raw_annotation("train", 82, b"{")
    data.image("train", 82)
    data.annotation("train", 83, "user", 1, {1: TOP})
    indexed = clean.index(roots)
    finding = refusals_within_limit("train", indexed.index, indexed.files, 0.0)
    assert fails(finding, "warn")
    assert named(finding.offenders, *ITEM, "reason") == [
        ("train", "000081", 2, "wrong_field"),
        ("train", "000081", 3, "missing_field"),
        ("train", "000082", None, "unreadable_json"),
        ("train", "000083", None, "missing_image"),
    ]
    assert named(finding.tables["by reason"], "reason", "files", "items") == [
        ("unreadable_json", 1, 0),
        ("missing_field", 0, 1),
        ("wrong_field", 0, 1),
        ("missing_image", 1, 0),
    ]
    assert finding.numbers["refused_images_share"] == pytest.approx(2 / 7)
    assert finding.numbers["refused_items_share"] == pytest.approx(2 / (4 * 14 + 3))


@pytest.mark.parametrize(("limit", "severity"), [(0.01, "error"), (0.05, "warn")])
def test_too_many_refused_items_are_an_error(
    roots: Roots, data: DataSet, limit: float, severity: str
) -> None:
    plant(data, 81, TOP, *[TOP | {"occlusion": 4}] * 3)
    indexed = clean.index(roots)
    finding = refusals_within_limit("train", indexed.index, indexed.files, limit)
    assert not finding.passed
    assert finding.severity == severity
    assert named(finding.offenders, "image_id", "item_idx") == [("000081", n) for n in (2, 3, 4)]


@pytest.mark.parametrize(("limit", "severity"), [(0.01, "error"), (0.5, "warn")])
def test_too_many_refused_images_are_an_error(
    roots: Roots, data: DataSet, limit: float, severity: str
) -> None:
    for image_id in (81, 82, 83):
        data.raw_annotation("train", image_id, b"[]")
        data.image("train", image_id)
    indexed = clean.index(roots)
    finding = refusals_within_limit("train", indexed.index, indexed.files, limit)
    assert not finding.passed
    assert finding.severity == severity
    assert named(finding.offenders, "image_id", "reason") == [
        (image_id, "not_an_object") for image_id in ("000081", "000082", "000083")
    ]


def test_images_without_annotation_do_not_thin_out_the_refused(roots: Roots, data: DataSet) -> None:
    for image_id in range(100, 400):
        data.raw_image("train", image_id, b"")
    for image_id in (81, 82, 83):
        data.raw_annotation("train", image_id, b"[]")
    indexed = clean.index(roots)
    assert refusals_within_limit("train", indexed.index, indexed.files, 0.01).severity == "error"


def test_an_item_key_without_a_number_is_an_item_and_no_file(roots: Roots, data: DataSet) -> None:
    data.image("train", 81)
    data.annotation("train", 81, "user", 1, {1: TOP, "itemless": TOP})
    indexed = clean.index(roots)
    finding = refusals_within_limit("train", indexed.index, indexed.files, 0.01)
    assert (finding.numbers["refused_items"], finding.numbers["refused_images"]) == (1, 0)


def test_boxes_inside_their_image_pass(roots: Roots, data: DataSet) -> None:
    finding = boxes(clean.index(roots).index)
    assert finding.passed
    assert finding.looked_at == 4 * 14
    assert finding.offenders.empty


def test_boxes_without_area_or_outside_the_image_are_named(roots: Roots, data: DataSet) -> None:
    bad = [[150, 5, 70, 100], [60, 70, 50, 40], [160, 0, 170, 50], [-20, 5, 0, 60]]
    plant(data, 81, TOP, *(TOP | {"bounding_box": box} for box in bad))
    finding = boxes(clean.index(roots).index)
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
    reach = {1: [5, 5, 161, 100], 2: [-9, 5, 70, 100], 3: [5, 5, 70, 124], 4: [5, -1, 70, 100]}
    plant(data, 81, *(TOP | {"bounding_box": box} for box in reach.values()), TOP)
    plant(data, 82, TOP | {"bounding_box": [400, 5, 470, 100]})
    index = clean.index(roots).index
    assert furthest_past_edge(index, 3)["item_idx"].tolist() == [2, 3, 1]
    assert list(named(furthest_past_edge(index, 9), "image_id", "x1")) == [
        ("000081", -9),
        ("000081", 5),
        ("000081", 5),
        ("000081", 5),
    ]


def test_clamped_boxes_are_named_only_above_one_percent(roots: Roots, data: DataSet) -> None:
    past = TOP | {"bounding_box": [5, 5, 161, 100]}
    plant(data, 81, past, *[TOP] * 43)
    finding = boxes(clean.index(roots).index)
    assert (finding.looked_at, finding.numbers["clamped"]) == (100, 1)
    assert passes(finding)
    plant(data, 82, TOP | {"bounding_box": [5, -1, 70, 100]})
    finding = boxes(clean.index(roots).index)
    assert fails(finding, "warn")
    assert named(finding.offenders, *ITEM, "what") == [
        ("train", "000081", 1, "reaches past the edge"),
        ("train", "000082", 1, "reaches past the edge"),
    ]


def test_labels_in_range_that_suit_their_boxes_pass(roots: Roots, data: DataSet) -> None:
    plant(data, 81, without(TOP, "scale"))
    finding = labels(clean.index(roots).index)
    assert passes(finding)


def test_labels_out_of_range_are_named_and_other_refusals_are_not(
    roots: Roots, data: DataSet
) -> None:
    wrong: dict[int, Item] = {
        2: {"category_id": 14},
        3: {"category_name": "trousers"},
        4: {"occlusion": 4},
        5: {"viewpoint": 0},
        6: {"scale": 4},
        7: {"style": 100},
        8: {"bounding_box": [1, 2, 3]},
        9: {"bounding_box": [70, 5, 5, 100]},
    }
    plant(data, 81, TOP, *(TOP | fields for fields in wrong.values()), without(TOP, "occlusion"))
    finding = labels(clean.index(roots).index)
    assert fails(finding, "warn")
    assert named(finding.offenders, *ITEM, "what") == [
        ("train", "000081", 2, "category out of range or misnamed"),
        ("train", "000081", 3, "category out of range or misnamed"),
        ("train", "000081", 4, "occlusion or viewpoint out of range"),
        ("train", "000081", 5, "occlusion or viewpoint out of range"),
        ("train", "000081", 6, "scale out of range"),
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
    finding = labels(clean.index(roots).index)
    assert {what for (what,) in named(finding.offenders, "what")} == {"scale does not suit the box"}
    found = {cases[int(str(n)) - 1] for (n,) in named(finding.offenders, "item_idx")}
    assert found == bad


def test_the_share_is_that_of_the_part_inside_the_image(roots: Roots, data: DataSet) -> None:
    plant(data, 81, TOP | {"scale": 1, "bounding_box": [-100, -100, 20, 60]})
    assert labels(clean.index(roots).index).passed


@pytest.fixture
def full(roots: Roots, monkeypatch: pytest.MonkeyPatch) -> Roots:
    """A full train split of four images, whose answers are counted by hand below.

    Pair 1, style 1: two user items in image 1, one in image 2; two shop items in image 3, one in
    image 4. Style 0 and styles of one source do not count.
    """
    monkeypatch.setitem(RELEASED, "train", Released(4, 4))
    data = DataSet(roots.df2_root)
    other_box = TOP | {"bounding_box": [80, 5, 150, 100]}
    content: dict[int, tuple[str, int, dict[int | str, Item]]] = {
        1: ("user", 1, {1: TOP, 2: other_box}),
        2: ("user", 1, {1: TOP, 2: item(8, 0, [80, 5, 150, 100]), 3: TOP | {"style": 3}}),
        3: ("shop", 1, {1: TOP, 2: item(8, 1, [80, 5, 150, 100])}),
        4: ("shop", 1, {1: TOP, 2: item(8, 2, [80, 5, 150, 100])}),
    }
    for image_id, (source, pair_id, items) in content.items():
        data.image("train", image_id, SIZE)
        data.annotation("train", image_id, source, pair_id, items)
    return roots


def answers(roots: Roots, monkeypatch: pytest.MonkeyPatch, instances: int, images: int) -> Finding:
    monkeypatch.setattr(taxonomy, "TRAIN_INSTANCE_PAIRS", instances)
    monkeypatch.setattr(taxonomy, "TRAIN_IMAGE_PAIRS", images)
    indexed = clean.index(roots)
    return known_answers("train", indexed.index, indexed.files)


def test_the_known_numbers_of_pairs_pass(full: Roots, monkeypatch: pytest.MonkeyPatch) -> None:
    finding = answers(full, monkeypatch, 3 * 3, 2 * 2)
    assert finding.passed
    assert finding.numbers == {"instance_pairs": 9, "image_pairs": 4}


@pytest.mark.parametrize("known", [(10, 4), (9, 5)])
def test_other_numbers_of_pairs_are_a_warning(
    full: Roots, monkeypatch: pytest.MonkeyPatch, known: tuple[int, int]
) -> None:
    finding = answers(full, monkeypatch, *known)
    assert fails(finding, "warn")
    table = finding.tables["known answers"]
    assert named(table, "found", "known") == [(9, known[0]), (4, known[1])]


def test_a_part_of_train_has_no_known_answer(roots: Roots, data: DataSet) -> None:
    indexed = clean.index(roots)
    finding = known_answers("train", indexed.index, indexed.files)
    assert finding.passed
    assert not finding.numbers
