"""The comparison that other tests rely on sees every kind of difference."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from df2_assets_tests import golden
from df2_assets_tests.support import oracle
from df2_assets_tests.support.builder import jpeg
from df2_assets_tests.support.compare import assert_same_output

CROP = "train/query/000001_01_01/000003_item3.jpg"
METADATA = "train_sku_metadata.json"
ROWS = "train_image_text.jsonl"


def rewritten(name: str, change: Callable[[str], str]) -> Callable[[Path], object]:
    return lambda root: (root / name).write_text(change((root / name).read_text()))


def reordered_keys(line: str) -> str:
    return json.dumps(dict(sorted(json.loads(line).items())))


DIFFERENCES: dict[str, Callable[[Path], object]] = {
    "num_skus is 5, not 4": rewritten(METADATA, lambda t: t.replace(": 4,", ": 5,", 1)),
    "num_skus is 4.0, not 4": rewritten(METADATA, lambda t: t.replace(": 4,", ": 4.0,", 1)),
    "has 3 entries, not 4": rewritten(METADATA, lambda t: t.replace("20,", "", 1)),
    "metadata.skus.000001_01_01 is missing": rewritten(
        METADATA, lambda t: t.replace("000001_01_01", "000009_01_01", 1)
    ),
    "line has 9 entries, not 10": rewritten(ROWS, lambda t: t.split("\n", 1)[1]),
    "line[0].sku_id is '123456_10_13'": rewritten(
        ROWS, lambda t: "\n".join(reversed(t.splitlines())) + "\n"
    ),
    "line[0] has its keys in the order": rewritten(
        ROWS, lambda t: "\n".join(map(reordered_keys, t.splitlines())) + "\n"
    ),
    "line[9].text is": rewritten(ROWS, lambda t: t.replace("not being worn", "worn")),
    f"no such file: {{root}}/{ROWS}": lambda root: (root / ROWS).unlink(),
    f"{CROP} is missing": lambda root: (root / CROP).unlink(),
    f"{CROP}.tmp should not be there": lambda root: (root / f"{CROP}.tmp").touch(),
    "train/catalog/empty should not be there": lambda root: (root / "train/catalog/empty").mkdir(),
    f"{CROP}: (160, 120) RGB, not (85, 67) RGB": lambda root: (root / CROP).write_bytes(jpeg()),
    f"{CROP}: pixels differ by up to": lambda root: (root / CROP).write_bytes(jpeg((85, 67))),
    f"{CROP}: the same pixels in other bytes": lambda root: (root / CROP).write_bytes(
        (root / CROP).read_bytes() + b"\0"
    ),
    f"{CROP}: bytes differ, and one is no image": lambda root: (root / CROP).write_bytes(b"x"),
}


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("compare")
    golden.write(base / "df2")
    oracle.build(base / "df2", base / "expected", golden.SPLITS)
    return base / "expected"


def test_equal_outputs_pass_wherever_their_roots_are(expected: Path, tmp_path: Path) -> None:
    golden.write(tmp_path / "df2")
    oracle.build(tmp_path / "df2", tmp_path / "actual", golden.SPLITS)
    assert_same_output(tmp_path / "actual", expected)


@pytest.mark.parametrize("message", DIFFERENCES)
def test_a_difference_is_found_and_named(expected: Path, tmp_path: Path, message: str) -> None:
    actual = tmp_path / "actual"
    shutil.copytree(expected, actual)
    DIFFERENCES[message](actual)
    with pytest.raises(AssertionError) as found:
        assert_same_output(actual, expected)
    assert message.replace("{root}", str(actual)) in str(found.value)
