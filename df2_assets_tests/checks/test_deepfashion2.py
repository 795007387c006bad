"""The check of the download: names that are right, missing or foreign."""

import shutil
from pathlib import Path

import pytest

from df2_assets.checks.deepfashion2 import layout
from df2_assets.dataset.taxonomy import RELEASED, Released
from df2_assets.store.layout import Roots
from df2_assets.store.listing import scan
from df2_assets_tests.checks.clean import fails, named
from df2_assets_tests.support.builder import DataSet


def touch(folder: Path, *names: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).touch()


def test_names_that_are_not_six_digits_are_listed(roots: Roots, data: DataSet) -> None:
    foreign = ["1.jpg", "0000001.jpg", "000001.JPG", "000001.json", "\u0661\u0661\u0661000.jpg"]
    touch(roots.images("train"), *foreign)
    touch(roots.annotations("train"), "000001.json~", "000009.json")
    finding = layout(roots, "train")
    assert fails(finding, "warn")
    assert {path for (path,) in named(finding.offenders, "path")} == {
        "train/image/1.jpg",
        "train/image/0000001.jpg",
        "train/image/000001.JPG",
        "train/image/000001.json",
        r"train/image/\u0661\u0661\u0661000.jpg",
        "train/annos/000001.json~",
    }
    assert finding.numbers == {"images": 4, "annotations": 5, "foreign": 6}
    table = finding.tables["beside the release"]
    assert named(table, "what", "found", "released") == [
        ("images", 4, 191_961),
        ("annotations", 5, 191_961),
    ]


@pytest.mark.parametrize(
    ("what", "remedy"), [("missing", "set DF2_ROOT"), ("empty", "Unpack train again")]
)
def test_a_missing_or_empty_folder_is_named_with_what_to_do(
    roots: Roots, data: DataSet, what: str, remedy: str
) -> None:
    shutil.rmtree(roots.annotations("train"))
    if what == "empty":
        roots.annotations("train").mkdir()
    finding = layout(roots, "train")
    assert fails(finding, "warn")
    expected = [("train", "train/annos", f"the folder is {what}")]
    assert named(finding.offenders, "split", "path", "what") == expected
    assert remedy in finding.summary


def test_files_of_systems_do_not_count(roots: Roots, data: DataSet) -> None:
    for folder in (roots.images("train"), roots.annotations("train")):
        touch(folder, ".DS_Store", "THUMBS.DB", "Desktop.ini", "._000001.jpg", ".nfs00000000000a1")
        touch(folder / "@eaDir", "000001.jpg")
    finding = layout(roots, "train")
    assert finding.passed
    assert finding.numbers["foreign"] == 0
    assert scan(roots, "train").files["image_id"].tolist() == [f"{n:06d}" for n in range(1, 5)]


def test_a_folder_with_other_names_alone_is_named_with_what_lies_there(
    roots: Roots, data: DataSet
) -> None:
    shutil.rmtree(roots.images("train"))
    touch(roots.images("train"), "1.jpg", "2.jpg")
    finding = layout(roots, "train")
    assert fails(finding, "warn")
    assert "has no file named six digits and .jpg" in finding.summary
    assert "Found 2: 1.jpg, 2.jpg" in finding.summary
    assert named(finding.offenders, "path", "what")[0] == (
        "train/image",
        "no name in it is six digits and the ending",
    )


def test_the_sources_of_the_images_of_test_are_shown(roots: Roots) -> None:
    touch(roots.images("test"), "000001.jpg")
    table = layout(roots, "test").tables["beside the release"]
    assert named(table, "what", "found", "released") == [
        ("images", 1, 62_629),
        ("annotations", 0, 0),
        ("user images", None, 20_681),
        ("shop images", None, 41_948),
    ]


@pytest.mark.parametrize("folders", [[], ["image"], ["image", "annos"]])
def test_test_needs_no_folder_of_its_own(roots: Roots, folders: list[str]) -> None:
    roots.df2_root.mkdir()
    for folder in folders:
        touch(roots.df2_root / "test" / folder)
    finding = layout(roots, "test")
    assert finding.passed
    assert ("There is no test/" in finding.summary) == (len(folders) < 2)


def test_a_root_without_test_is_right_whatever_lies_around_it(roots: Roots, data: DataSet) -> None:
    touch(roots.df2_root.parent / "test" / "image", "000001.jpg")
    assert layout(roots, "test").passed


@pytest.mark.parametrize("split", ["train", "test"])
def test_a_missing_root_is_named_for_every_split(roots: Roots, split: str) -> None:
    finding = layout(roots, split)
    assert fails(finding, "warn")
    assert f"DF2_ROOT ({roots.df2_root}) does not exist" in finding.summary


@pytest.mark.parametrize(
    ("split", "images", "annotations", "expected"),
    [
        ("train", 20, 20, []),
        ("train", 17, 17, []),  # a part of the data set, on purpose
        ("train", 19, 20, ["train/image"]),
        ("train", 20, 19, ["train/annos"]),
        ("train", 21, 20, ["train/image"]),
        ("train", 18, 18, ["train/image", "train/annos"]),
        ("test", 20, 0, []),  # released without annotations
        ("test", 19, 0, ["test/image"]),
    ],
)
def test_nearly_the_whole_release_is_compared_with_it(
    roots: Roots,
    monkeypatch: pytest.MonkeyPatch,
    split: str,
    images: int,
    annotations: int,
    expected: list[str],
) -> None:
    monkeypatch.setitem(RELEASED, split, Released(20, 20 if annotations else 0))
    touch(roots.images(split), *(f"{i:06d}.jpg" for i in range(images)))
    if annotations:
        touch(roots.annotations(split), *(f"{i:06d}.json" for i in range(annotations)))
    finding = layout(roots, split)
    assert finding.passed == (not expected)
    assert named(finding.offenders, "path", "what") == [
        (path, "not as many as were released") for path in expected
    ]
