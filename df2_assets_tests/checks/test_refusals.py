"""The checks of refusals in the index, and in index and crops, on data sets with some planted."""

import pytest

from df2_assets.checks.finding import Finding
from df2_assets.store.layout import Roots
from df2_assets_tests.checks import clean
from df2_assets_tests.checks.clean import fails, find, named, passes
from df2_assets_tests.support.builder import DataSet, item, jpeg, truncated, without

ITEM = ("split", "image_id", "item_idx")
TOP = item(1, 1, [5, 5, 70, 100])
SIZE = (160, 120)


def plant(data: DataSet, image_id: int, *items: object) -> None:
    data.image("train", image_id, SIZE)
    data.annotation("train", image_id, "user", 50, dict(enumerate(items, 1)))


def truncate(data: DataSet, *image_ids: int) -> None:
    for image_id in image_ids:
        data.raw_image("train", image_id, truncated(jpeg(clean.SIZE, seed=image_id)))


def judge(roots: Roots, max_refused: float = 0.01) -> Finding:
    """Read the annotations, and return the finding of the check of the index."""
    clean.index(roots)
    return find("refusals_within_limit", roots, max_refused=max_refused)


def judge_all(roots: Roots, max_refused: float = 0.01) -> Finding:
    """Cut the crops, and return the finding of their check."""
    clean.build(roots)
    return find("all_refusals_within_limit", roots, max_refused=max_refused)


def test_two_refused_of_a_kind_are_a_warning_however_small_the_data_set(
    roots: Roots, data: DataSet
) -> None:
    plant(data, 81, TOP, TOP | {"style": -1}, without(TOP, "viewpoint"))
    data.raw_annotation("train", 82, b"{")
    data.image("train", 82)
    data.annotation("train", 83, "user", 1, {1: TOP})
    finding = judge(roots, 0.0)
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
    assert named(finding.offenders, "file") == [
        ("train/annos/000081.json",),
        ("train/annos/000081.json",),
        ("train/annos/000082.json",),
        ("train/image/000083.jpg",),
    ]
    assert finding.numbers["refused_images_share"] == pytest.approx(2 / 7)
    assert finding.numbers["refused_items_share"] == pytest.approx(2 / (4 * 14 + 3))


@pytest.mark.parametrize(("limit", "severity"), [(0.01, "error"), (0.5, "warn")])
@pytest.mark.parametrize("kind", ["images", "items"])
def test_too_many_refused_of_a_kind_are_an_error(
    roots: Roots, data: DataSet, kind: str, limit: float, severity: str
) -> None:
    expected: list[tuple[str, int | None]]
    if kind == "items":
        plant(data, 81, TOP, *[TOP | {"occlusion": 4}] * 3)
        expected = [("000081", item_idx) for item_idx in (2, 3, 4)]
    else:
        for image_id in (81, 82, 83):
            data.raw_annotation("train", image_id, b"[]")
        expected = [(f"{image_id:06d}", None) for image_id in (81, 82, 83)]
    finding = judge(roots, limit)
    assert fails(finding, severity)
    assert named(finding.offenders, "image_id", "item_idx") == expected


def test_images_without_annotation_do_not_thin_out_the_refused(roots: Roots, data: DataSet) -> None:
    for image_id in range(100, 300):
        data.raw_image("train", image_id, b"")
    for image_id in (81, 82, 83):
        data.raw_annotation("train", image_id, b"[]")
    assert judge(roots, 0.01).severity == "error"


def test_an_item_key_without_a_number_is_an_item_and_no_file(roots: Roots, data: DataSet) -> None:
    data.image("train", 81)
    data.annotation("train", 81, "user", 1, {1: TOP, "itemless": TOP})
    numbers = judge(roots).numbers
    assert (numbers["refused_items"], numbers["refused_images"]) == (1, 0)


def test_refusals_while_reading_and_while_cutting_count_together(
    roots: Roots, data: DataSet
) -> None:
    """Of four images one is truncated, and one is not a JPEG; a fifth has a bad item."""
    truncate(data, 1)
    data.raw_image("train", 3, b"GIF89a")
    plant(data, 81, TOP, TOP | {"style": -1})
    early, late = judge(roots, 0.3), judge_all(roots, 0.3)
    assert fails(early, "warn")
    assert early.numbers["refused_images"] == 1
    assert fails(late, "warn")
    assert late.numbers == {
        "refused_images": 2,
        "refused_images_share": 2 / 5,
        "refused_items": 1,
        "refused_items_share": pytest.approx(1 / (3 * 14 + 2)),
        "refused_crops": 13,
    }
    assert named(late.offenders, "image_id", "item_idx", "reason", "file") == [
        *(("000001", n, "unreadable_image", "train/image/000001.jpg") for n in range(1, 14)),
        ("000003", None, "not_a_jpeg", "train/image/000003.jpg"),
        ("000081", 2, "wrong_field", "train/annos/000081.json"),
    ]
    assert named(late.tables["by reason"], "reason", "files", "items") == [
        ("wrong_field", 0, 1),
        ("not_a_jpeg", 1, 0),
        ("unreadable_image", 1, 0),
    ]
    assert "13 crops could not be cut" in late.summary
    assert "Repair the files that are listed" in late.summary


def test_images_of_both_stages_add_up_to_too_many(roots: Roots, data: DataSet) -> None:
    """Two of each stage may be refused alone; together they are too many."""
    truncate(data, 1, 2)
    data.raw_annotation("train", 3, b"[]")
    assert judge(roots).severity == "warn"
    finding = judge_all(roots)
    assert fails(finding, "error")
    assert "Too many images of train" in finding.summary
    assert judge_all(roots, max_refused=0.75).severity == "warn"


def test_a_data_set_in_which_every_image_is_truncated_is_an_error(
    roots: Roots, data: DataSet
) -> None:
    truncate(data, 1, 2, 3, 4)
    assert passes(judge(roots))
    finding = judge_all(roots)
    assert fails(finding, "error")
    assert finding.numbers["refused_images_share"] == 1.0
    assert finding.numbers["refused_crops"] == len(finding.offenders) == 4 * 13


def test_an_unpaired_crop_and_an_item_of_style_0_are_not_refused(
    roots: Roots, data: DataSet
) -> None:
    """Both query images are truncated, so the catalog crops are left out, which could be cut."""
    truncate(data, 3, 4)
    built = clean.build(roots)
    assert (built.manifest["reason"] == "unpaired").sum() == 26
    finding = find("all_refusals_within_limit", roots)
    assert finding.numbers["refused_images"] == 2
    assert set(finding.offenders["image_id"]) == {"000003", "000004"}
