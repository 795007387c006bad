"""Comparison of the output of two builds, and the differences between them."""

import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from PIL import Image, ImageChops

from df2_assets_tests.support.oracle import Refusal

ROOTS = ("df2_root", "out_root")
SHOWN = 5


def assert_same_output(actual: Path, expected: Path) -> None:
    """Compare everything in the contract under two SKU_ROOTs.

    That is: metadata without the two roots, lines of the JSONL with their order and the order of
    their keys, the files and folders under `catalog` and `query`, and the bytes of each crop.

    Raises AssertionError with the first few differences of each kind, by split.
    """
    splits = _splits(actual) | _splits(expected)
    assert splits, f"nothing was published under {actual} nor under {expected}"
    differences = [
        f"{split}: {difference}"
        for split in sorted(splits)
        for difference in _split_differences(actual, expected, split)
    ]
    assert not differences, "\n".join([f"{actual} is not as {expected}:", *differences])


def metadata(sku_root: Path, split: str) -> dict[str, Any]:
    """Return the metadata of a split without the two roots, in the order of the file."""
    document = json.loads((sku_root / f"{split}_sku_metadata.json").read_text(encoding="utf-8"))
    return {key: value for key, value in document.items() if key not in ROOTS}


def rows(sku_root: Path, split: str) -> list[dict[str, Any]]:
    """Return the lines of the JSONL of a split, each with its keys in the order of the file."""
    text = (sku_root / f"{split}_image_text.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def tree(sku_root: Path, split: str) -> dict[str, bytes | None]:
    """Return all that is under `catalog` and `query`, by path: bytes, or None for a folder."""
    return {
        path.relative_to(sku_root).as_posix(): None if path.is_dir() else path.read_bytes()
        for domain in ("catalog", "query")
        for path in sorted((sku_root / split / domain).rglob("*"))
    }


def refused(table: pd.DataFrame) -> Counter[Refusal]:
    """Return the rows of a refusals table in the form of the independent reading."""
    return Counter(
        Refusal(split, image_id, None if pd.isna(index) else int(index), str(reason))
        for split, image_id, index, reason in zip(
            *(table[name] for name in Refusal._fields), strict=True
        )
    )


def assert_same_refusals(
    actual: Counter[Refusal], expected: Counter[Refusal], what: Mapping[str, str] | None = None
) -> None:
    """Compare refusals with the expected ones. `what` describes an image id for the message."""
    complaints = [
        f"{(what or {}).get(refusal.image_id, '')} {tuple(refusal)} {verdict}".lstrip()
        for verdict, part in (("is missing", expected - actual), ("is invented", actual - expected))
        for refusal in sorted(part.elements(), key=repr)
    ]
    assert not complaints, "\n".join(["not the expected refusals:", *complaints])


def _splits(sku_root: Path) -> set[str]:
    found = set()
    for end in ("_sku_metadata.json", "_image_text.jsonl"):
        found |= {path.name.removesuffix(end) for path in sku_root.glob(f"*{end}")}
    return found


def _split_differences(actual: Path, expected: Path, split: str) -> Iterator[str]:
    names = (f"{split}_sku_metadata.json", f"{split}_image_text.jsonl")
    absent = [str(root / name) for root in (actual, expected) for name in names]
    absent = [path for path in absent if not Path(path).is_file()]
    if absent:
        yield f"no such file: {', '.join(absent)}"
        return
    yield from _first(_value_differences(metadata(actual, split), metadata(expected, split)))
    ours, theirs = rows(actual, split), rows(expected, split)
    yield from _first(_value_differences(ours, theirs, "line"))
    yield from _tree_differences(tree(actual, split), tree(expected, split))


def _value_differences(actual: Any, expected: Any, at: str = "metadata") -> Iterator[str]:
    """Return where two JSON values differ: in type (1 is not 1.0), value, keys or order of keys."""
    if isinstance(actual, dict) and isinstance(expected, dict):
        for key in actual.keys() - expected.keys():
            yield f"{at}.{key} should not be there"
        for key in expected.keys() - actual.keys():
            yield f"{at}.{key} is missing"
        shared = [key for key in expected if key in actual]
        if shared != [key for key in actual if key in expected]:
            yield f"{at} has its keys in the order {list(actual)[:20]}, not {list(expected)[:20]}"
        for key in shared:
            yield from _value_differences(actual[key], expected[key], f"{at}.{key}")
    elif isinstance(actual, list) and isinstance(expected, list):
        if len(actual) != len(expected):
            yield f"{at} has {len(actual)} entries, not {len(expected)}"
        for index, (one, other) in enumerate(zip(actual, expected, strict=False)):
            yield from _value_differences(one, other, f"{at}[{index}]")
    elif type(actual) is not type(expected) or actual != expected:
        yield f"{at} is {actual!r}, not {expected!r}"


def _tree_differences(
    actual: dict[str, bytes | None], expected: dict[str, bytes | None]
) -> Iterator[str]:
    yield from _first(f"{path} should not be there" for path in sorted(actual.keys() - expected))
    yield from _first(f"{path} is missing" for path in sorted(expected.keys() - actual))
    yield from _first(
        f"{path}: {_picture_difference(actual[path], data)}"
        for path, data in expected.items()
        if path in actual and actual[path] != data
    )


def _picture_difference(actual: bytes | None, expected: bytes | None) -> str:
    if actual is None or expected is None:
        return "a file on one side, a folder on the other"
    try:
        one, other = Image.open(io.BytesIO(actual)), Image.open(io.BytesIO(expected))
        if (one.size, one.mode) != (other.size, other.mode):
            return f"{one.size} {one.mode}, not {other.size} {other.mode}"
        largest = max(high for _, high in _extremes(ImageChops.difference(one, other)))
    except OSError as problem:
        return f"bytes differ, and one is no image: {problem}"
    if largest:
        return f"pixels differ by up to {largest}"
    return f"the same pixels in other bytes ({len(actual)}, not {len(expected)})"


def _extremes(image: Image.Image) -> list[tuple[float, float]]:
    return [band.getextrema() for band in image.split()]  # type: ignore[misc]


def _first(differences: Iterable[str]) -> Iterator[str]:
    """Return the first few, and how many more there are."""
    listed = list(differences)
    yield from listed[:SHOWN]
    if len(listed) > SHOWN:
        yield f"… and {len(listed) - SHOWN} more of this kind"
