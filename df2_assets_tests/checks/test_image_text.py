"""The check of the JSONL on disk, after somebody has edited it."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from df2_assets.checks.image_text import count_prompts
from df2_assets.store.layout import Roots
from df2_assets_tests.checks.clean import fails, find, named, passes

Change = Callable[[list[dict[str, Any]]], object]


def path_of(number: int) -> str:
    """The crop of a line, from 1: of each SKU two catalog crops, then two query crops."""
    sku, place = divmod(number - 1, 4)
    domain = "catalog" if place < 2 else "query"
    return f"train/{domain}/000001_01_{sku + 1:02d}/{place + 1:06d}_item{sku + 1}.jpg"


SEVENTH = path_of(7)
ANOTHER = "train/query/x.jpg"


def of_seventh(**values: object) -> Change:
    return lambda lines: lines[6].update(values)


def last(key: str) -> Change:
    """Return a change that moves a key of the seventh line to its end."""
    return lambda lines: lines[6].update({key: lines[6].pop(key)})


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda lines: lines.pop(6), [(None, SEVENTH, "the crop has no line")]),
        (lambda lines: lines.append(lines[6]), [(53, SEVENTH, "a second line of the crop")]),
        (lambda lines: lines.insert(8, lines.pop(6)), [(9, SEVENTH, "out of order")]),
        (of_seventh(bbox=[0, 0, 5, 5]), [(7, SEVENTH, "differs in bbox")]),
        (of_seventh(style=1.5, pair_id=3), [(7, SEVENTH, "differs in pair_id, style")]),
        (of_seventh(domain="catalog"), [(7, SEVENTH, "differs in domain")]),
        (lambda lines: lines[6].pop("viewpoint"), [(7, SEVENTH, "differs in viewpoint")]),
        (of_seventh(colour="red"), [(7, SEVENTH, "differs in colour")]),
        (lambda lines: lines[6].pop("text"), [(7, SEVENTH, "text is missing")]),
        (of_seventh(text=3), [(7, SEVENTH, "text is missing")]),
        (last("split"), [(7, SEVENTH, "keys in another order")]),
        (last("viewpoint"), [(7, SEVENTH, "keys in another order")]),
        (
            of_seventh(image_path=ANOTHER),
            [
                (7, ANOTHER, "the metadata has no such crop"),
                (None, SEVENTH, "the crop has no line"),
            ],
        ),
    ],
)
def test_a_line_that_is_not_the_metadata_s_is_named(
    disk: Roots, change: Change, expected: list[tuple[object, ...]]
) -> None:
    path = disk.image_text("train")
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    change(lines)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    finding = find("matches_metadata", disk)
    assert fails(finding, "error")
    assert named(finding.offenders, "line", "crop_path", "what") == expected
    assert set(finding.offenders["split"]) == {"train"}


@pytest.mark.parametrize("text", ["{", "[]", "", '{"image_path": 3}'])
def test_a_line_that_is_no_entry_is_named(disk: Roots, text: str) -> None:
    path = disk.image_text("train")
    path.write_text(f"{path.read_text()}{text}\n")
    finding = find("matches_metadata", disk)
    assert fails(finding, "error")
    assert named(finding.offenders, "line") == [(53,)]


@pytest.mark.parametrize("which", ["sku_metadata", "image_text"])
def test_a_file_that_is_not_there_fails(disk: Roots, which: str) -> None:
    path = getattr(disk, which)("train")
    path.unlink()
    finding = find("matches_metadata", disk)
    assert fails(finding, "error")
    assert str(path) in finding.summary
    assert f"aterialize {which}" in finding.summary


def test_both_files_are_compared_and_prompts_counted_in_one_reading(disk: Roots) -> None:
    counts = count_prompts(disk, "train")
    assert counts is not None
    assert sum(counts.values()) == len(disk.image_text("train").read_bytes().splitlines()) == 52
    shop = "A catalog product photo of a trousers that is not being worn."
    assert counts[8, "trousers", "catalog", 1, 1, shop] == 1


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"occlusion":1', b'"occlusion":2'),
        (b'"occlusion":1', b'"occlusion": 1'),
        (b'"}', b'","colour":"red"}'),
        (b'"text":"', b'"text":0,"more":"'),
        (b"{", b"{{"),
    ],
)
@pytest.mark.parametrize("which", ["first", "last"])
def test_a_line_of_other_bytes_ends_the_comparison_of_bytes(
    disk: Roots, which: str, old: bytes, new: bytes
) -> None:
    path = disk.image_text("train")
    lines = path.read_bytes().splitlines(keepends=True)
    place = 0 if which == "first" else next(n for n in range(51, 0, -1) if old in lines[n])
    lines[place] = lines[place].replace(old, new, 1)
    path.write_bytes(b"".join(lines))
    assert count_prompts(disk, "train") is None


def test_other_bytes_with_the_same_meaning_pass(disk: Roots) -> None:
    path = disk.image_text("train")
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    path.write_text("\r\n".join(map(json.dumps, lines)))
    for check in ("matches_metadata", "prompt_coverage"):
        assert passes(find(check, disk)), check
