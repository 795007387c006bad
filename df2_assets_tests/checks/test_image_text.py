"""The JSONL as it lies on disk, edited behind the platform's back."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from df2_assets.checks.image_text import matches_metadata
from df2_assets.store.layout import Roots
from df2_assets_tests.checks.clean import fails, named

Lines = list[dict[str, Any]]


def path_of(number: int) -> str:
    """The crop of a line, from 1: of each SKU two catalog crops, then two query crops."""
    sku, place = divmod(number - 1, 4)
    domain = "catalog" if place < 2 else "query"
    return f"train/{domain}/000001_01_{sku + 1:02d}/{place + 1:06d}_item{sku + 1}.jpg"


def edit(roots: Roots, change: Callable[[Lines], object]) -> None:
    path = roots.image_text("train")
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    change(lines)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


@pytest.mark.parametrize(
    ("change", "line", "crop", "what"),
    [
        (lambda ls: ls.pop(6), None, 7, "no line"),
        (lambda ls: ls.append(ls[6]), 53, 7, "a second line of the crop"),
        (lambda ls: ls.insert(8, ls.pop(6)), 9, 7, "out of order"),
        (lambda ls: ls[6].update(bbox=[0, 0, 5, 5]), 7, 7, "differs in bbox"),
        (lambda ls: ls[6].update(style=1.5, pair_id=3), 7, 7, "differs in pair_id, style"),
        (lambda ls: ls[6].update(domain="catalog"), 7, 7, "differs in domain"),
        (lambda ls: ls[6].pop("viewpoint"), 7, 7, "differs in viewpoint"),
        (lambda ls: ls[6].update(colour="red"), 7, 7, "differs in colour"),
        (lambda ls: ls[6].pop("text"), 7, 7, "text is missing"),
        (lambda ls: ls[6].update(text=3), 7, 7, "text is missing"),
        (lambda ls: ls[6].update(split=ls[6].pop("split")), 7, 7, "keys in another order"),
    ],
)
def test_a_line_that_is_not_the_metadata_s_is_named(
    disk: Roots, change: Callable[[Lines], object], line: int | None, crop: int, what: str
) -> None:
    edit(disk, change)
    finding = matches_metadata(disk, "train")
    assert fails(finding, "error")
    columns = ("split", "line", "crop_path", "what")
    assert named(finding.offenders, *columns) == [("train", line, path_of(crop), what)]


def test_the_text_comes_last(disk: Roots) -> None:
    edit(disk, lambda lines: lines[6].update(viewpoint=lines[6].pop("viewpoint")))
    assert named(matches_metadata(disk, "train").offenders, "line", "what") == [
        (7, "keys in another order")
    ]


def test_a_line_of_another_crop_is_named_and_the_missing_one_too(disk: Roots) -> None:
    edit(disk, lambda lines: lines[6].update(image_path="train/query/x.jpg"))
    assert named(matches_metadata(disk, "train").offenders, "line", "crop_path", "what") == [
        (7, "train/query/x.jpg", "no such crop in the metadata"),
        (None, path_of(7), "no line"),
    ]


@pytest.mark.parametrize("text", ["{", "[]", "", '{"image_path": 3}'])
def test_a_line_that_is_no_entry_is_named(disk: Roots, text: str) -> None:
    path = disk.image_text("train")
    path.write_text(f"{path.read_text()}{text}\n")
    finding = matches_metadata(disk, "train")
    assert fails(finding, "error")
    assert named(finding.offenders, "line") == [(53,)]


def test_metadata_of_other_crops_is_held_against_the_lines(disk: Roots) -> None:
    path = disk.sku_metadata("train")
    document = json.loads(path.read_text())
    del document["skus"]["000001_01_13"]
    path.write_text(json.dumps(document))
    finding = matches_metadata(disk, "train")
    assert named(finding.offenders, "line", "crop_path", "what") == [
        (n, path_of(n), "no such crop in the metadata") for n in range(49, 53)
    ]


@pytest.mark.parametrize("which", ["sku_metadata", "image_text"])
def test_a_file_that_is_not_there_fails(disk: Roots, which: str) -> None:
    path = getattr(disk, which)("train")
    path.unlink()
    finding = matches_metadata(disk, "train")
    assert fails(finding, "error")
    assert str(path) in finding.summary
    assert f"aterialize {which}" in finding.summary
