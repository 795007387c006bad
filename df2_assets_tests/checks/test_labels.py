"""Labels belong to the crops on disk, and few shapes are refused."""

import pandas as pd
import pytest

from df2_assets.checks.labels import labels_match, refused_shapes
from df2_assets.dataset.frames import TEXT
from df2_assets.dataset.masks import rasterize
from df2_assets_tests.checks import clean

PATHS = [f"train/query/000001_01_01/00000{number}_item1.jpg" for number in range(1, 6)]
MASK = rasterize([[0, 0, 4, 0, 4, 5, 0, 5]], 8, 5)


@pytest.fixture
def manifest() -> pd.DataFrame:
    """Four crops of 8 by 5 pixels, and one that was not made."""
    reasons = [None, None, None, None, "unreadable_image"]
    rows = {"crop_path": PATHS, "width": 8, "height": 5, "reason": reasons}
    return pd.DataFrame(rows).convert_dtypes(dtype_backend="pyarrow")


@pytest.fixture
def labels() -> pd.DataFrame:
    """The labels of the four crops: a mask over the left half of each."""
    return (
        pd.DataFrame(
            {
                "crop_path": PATHS[:4],
                "mask": MASK,
                "landmarks": "0, 0, 2",
                "area": 20,
                "box_share": 0.5,
                "overlap": 0.25,
                "reason": None,
                "detail": None,
            }
        )
        .convert_dtypes(dtype_backend="pyarrow")
        .astype({"reason": TEXT, "detail": TEXT})
    )


def test_labels_of_the_crops_pass(manifest: pd.DataFrame, labels: pd.DataFrame) -> None:
    finding = labels_match(manifest, labels)
    assert clean.passes(finding)
    assert finding.checked_count == 4
    assert finding.summary == "4 crops on disk, 4 rows of labels: one for each; 4 masks decoded."
    assert clean.passes(refused_shapes(labels, 0))


def test_missing_and_unwanted_rows_are_offenders(
    manifest: pd.DataFrame, labels: pd.DataFrame
) -> None:
    labels.loc[1, "crop_path"] = PATHS[4]
    finding = labels_match(manifest, labels)
    assert clean.fails(finding, "error")
    assert clean.named(finding.offenders, "image_id", "what") == [
        ("000002", "labels has no row for it"),
        ("000005", "the manifest does not list it"),
    ]
    assert finding.summary.endswith("Run df2-assets labels")


@pytest.mark.parametrize(("column", "value"), [("area", 41), ("box_share", 0.6), ("overlap", 1.1)])
def test_impossible_numbers_are_offenders(
    column: str, value: float, manifest: pd.DataFrame, labels: pd.DataFrame
) -> None:
    labels.loc[2, column] = value
    finding = labels_match(manifest, labels)
    assert clean.fails(finding, "error")
    assert {*finding.offenders["image_id"]} == {"000003"}


@pytest.mark.parametrize(
    "mask", [rasterize([[0, 0, 4, 0, 4, 5]], 8, 5), rasterize([[0, 0, 4, 0, 4, 5]], 5, 8), "é", ""]
)
def test_a_mask_of_another_crop_is_an_offender(
    mask: str, manifest: pd.DataFrame, labels: pd.DataFrame
) -> None:
    labels.loc[2, "mask"] = mask
    finding = labels_match(manifest, labels)
    assert clean.named(finding.offenders, "image_id", "what") == [
        ("000003", "the mask does not have the size of the crop, or its area")
    ]


def test_a_refused_mask_has_no_numbers(manifest: pd.DataFrame, labels: pd.DataFrame) -> None:
    labels.loc[2, ["mask", "area", "box_share", "overlap"]] = None
    assert clean.passes(labels_match(manifest, labels))


def test_more_refused_shapes_than_allowed_are_a_warning(labels: pd.DataFrame) -> None:
    labels.loc[:1, "mask"] = None
    labels.loc[:1, ["reason", "detail"]] = ["no_area", "nothing"]
    assert refused_shapes(labels, 0).passed, "two are always allowed"
    labels.loc[2, "landmarks"] = None
    labels.loc[2, ["reason", "detail"]] = ["wrong_landmarks", "too few"]
    finding = refused_shapes(labels, 0.5)
    assert clean.fails(finding, "warn")
    assert finding.numbers == {"refused_shapes": 3, "refused_mask": 2, "refused_landmarks": 1}
    assert clean.named(finding.offenders, "image_id", "reason", "detail") == [
        ("000001", "no_area", "nothing"),
        ("000002", "no_area", "nothing"),
        ("000003", "wrong_landmarks", "too few"),
    ]
    reasons = clean.named(finding.tables["by reason"], "reason", "crops")
    assert reasons == [("no_area", 2), ("wrong_landmarks", 1)]
    assert refused_shapes(labels, 0.75).passed


def test_no_crops_pass(manifest: pd.DataFrame, labels: pd.DataFrame) -> None:
    assert clean.passes(labels_match(manifest[:0], labels[:0]))
    assert clean.passes(refused_shapes(labels[:0], 0))
