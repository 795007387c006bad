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


SEVENTH = path_of(7)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda ls: ls.pop(6), [(None, SEVENTH, "no line")]),
        (lambda ls: ls.append(ls[6]), [(53, SEVENTH, "a second line of the crop")]),
        (lambda ls: ls.insert(8, ls.pop(6)), [(9, SEVENTH, "out of order")]),
        (lambda ls: ls[6].update(bbox=[0, 0, 5, 5]), [(7, SEVENTH, "differs in bbox")]),
        (
            lambda ls: ls[6].update(style=1.5, pair_id=3),
            [(7, SEVENTH, "differs in pair_id, style")],
        ),
        (lambda ls: ls[6].update(domain="catalog"), [(7, SEVENTH, "differs in domain")]),
        (lambda ls: ls[6].pop("viewpoint"), [(7, SEVENTH, "differs in viewpoint")]),
        (lambda ls: ls[6].update(colour="red"), [(7, SEVENTH, "differs in colour")]),
        (lambda ls: ls[6].pop("text"), [(7, SEVENTH, "text is missing")]),
        (lambda ls: ls[6].update(text=3), [(7, SEVENTH, "text is missing")]),
        (
            lambda ls: ls[6].update(split=ls[6].pop("split")),
            [(7, SEVENTH, "keys in another order")],
        ),
        (
            lambda ls: ls[6].update(viewpoint=ls[6].pop("viewpoint")),
            [(7, SEVENTH, "keys in another order")],
        ),
        (
            lambda ls: ls[6].update(image_path="train/query/x.jpg"),
            [(7, "train/query/x.jpg", "no such crop in the metadata"), (None, SEVENTH, "no line")],
        ),
    ],
)
def test_a_line_that_is_not_the_metadata_s_is_named(
    disk: Roots, change: Callable[[Lines], object], expected: list[tuple[object, ...]]
) -> None:
    edit(disk, change)
    finding = matches_metadata(disk, "train")
    assert fails(finding, "error")
    assert named(finding.offenders, "line", "crop_path", "what") == expected
    assert set(finding.offenders["split"]) == {"train"}


@pytest.mark.parametrize("text", ["{", "[]", "", '{"image_path": 3}'])
def test_a_line_that_is_no_entry_is_named(disk: Roots, text: str) -> None:
    path = disk.image_text("train")
    path.write_text(f"{path.read_text()}{text}\n")
    finding = matches_metadata(disk, "train")
    assert fails(finding, "error")
    assert named(finding.offenders, "line") == [(53,)]


@pytest.mark.parametrize("which", ["sku_metadata", "image_text"])
def test_a_file_that_is_not_there_fails(disk: Roots, which: str) -> None:
    path = getattr(disk, which)("train")
    path.unlink()
    finding = matches_metadata(disk, "train")
    assert fails(finding, "error")
    assert str(path) in finding.summary
    assert f"aterialize {which}" in finding.summary
