"""The layout of the download: what is there, what is missing, what does not belong."""

import shutil
from pathlib import Path

import pytest

from df2_assets.checks.deepfashion2 import layout
from df2_assets.dataset.taxonomy import RELEASED, Released
from df2_assets.store.layout import Roots
from df2_assets_tests.checks.clean import fails, named, passes
from df2_assets_tests.support.builder import DataSet


def touch(folder: Path, *names: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).touch()


def test_an_unpacked_split_passes_and_is_shown_beside_the_release(
    roots: Roots, data: DataSet
) -> None:
    finding = layout(roots, "train")
    assert passes(finding)
    assert finding.numbers == {"images": 4, "annotations": 4, "strangers": 0}
    table = finding.tables["beside the release"]
    assert named(table, "what", "found", "released") == [
        ("images", 4, 191_961),
        ("annotations", 4, 191_961),
    ]


def test_names_that_are_not_six_digits_are_listed(roots: Roots, data: DataSet) -> None:
    strangers = ["1.jpg", "0000001.jpg", "000001.JPG", "000001.json", "\u0661\u0661\u0661000.jpg"]
    touch(roots.images("train"), *strangers)
    touch(roots.annotations("train"), ".DS_Store", "000009.json")
    finding = layout(roots, "train")
    assert fails(finding, "warn")
    assert {path for (path,) in named(finding.offenders, "path")} == {
        "train/image/1.jpg",
        "train/image/0000001.jpg",
        "train/image/000001.JPG",
        "train/image/000001.json",
        r"train/image/\u0661\u0661\u0661000.jpg",
        "train/annos/.DS_Store",
    }
    assert finding.numbers == {"images": 4, "annotations": 5, "strangers": 6}


def test_a_missing_folder_is_named_with_what_to_do(roots: Roots, data: DataSet) -> None:
    shutil.rmtree(roots.annotations("train"))
    finding = layout(roots, "train")
    assert fails(finding, "warn")
    expected = [("train", "train/annos", "the folder is missing")]
    assert named(finding.offenders, "split", "path", "what") == expected
    assert "set DF2_ROOT" in finding.summary


def test_an_empty_folder_is_named(roots: Roots, data: DataSet) -> None:
    shutil.rmtree(roots.annotations("train"))
    touch(roots.annotations("train"))
    finding = layout(roots, "train")
    assert not finding.passed
    assert named(finding.offenders, "path", "what") == [("train/annos", "the folder is empty")]


@pytest.mark.parametrize("folders", [[], ["image"], ["image", "annos"]])
def test_test_needs_no_folder(roots: Roots, folders: list[str]) -> None:
    for folder in folders:
        touch(roots.df2_root / "test" / folder)
    finding = layout(roots, "test")
    assert finding.passed
    assert ("There is no test/" in finding.summary) == (len(folders) < 2)


@pytest.mark.parametrize(
    ("images", "annotations", "expected"),
    [
        (20, 20, []),
        (17, 17, []),  # a part of the data set, on purpose
        (19, 20, ["train/image"]),
        (20, 19, ["train/annos"]),
        (21, 20, ["train/image"]),
        (18, 18, ["train/image", "train/annos"]),
    ],
)
def test_nearly_the_whole_release_is_held_against_it(
    roots: Roots,
    monkeypatch: pytest.MonkeyPatch,
    images: int,
    annotations: int,
    expected: list[str],
) -> None:
    monkeypatch.setitem(RELEASED, "train", Released(20, 20))
    touch(roots.images("train"), *(f"{i:06d}.jpg" for i in range(images)))
    touch(roots.annotations("train"), *(f"{i:06d}.json" for i in range(annotations)))
    finding = layout(roots, "train")
    assert finding.passed == (not expected)
    assert named(finding.offenders, "path", "what") == [
        (path, "not as many as were released") for path in expected
    ]


def test_the_release_of_test_is_images_only(roots: Roots, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RELEASED, "test", Released(10, 0))
    touch(roots.images("test"), *(f"{i:06d}.jpg" for i in range(9)))
    assert named(layout(roots, "test").offenders, "path") == [("test/image",)]
    touch(roots.images("test"), "000009.jpg")
    assert layout(roots, "test").passed
