"""The cost of crop variants at a toy size: the command and the codec make the same files."""

from pathlib import Path

import pytest

from benchmarks import variants

pytestmark = pytest.mark.slow


def test_the_command_and_the_codec_make_the_same_files(tmp_path: Path) -> None:
    place = variants.prepare(tmp_path, images=60)
    results = variants.measure(place, turns=1)
    (turn,) = results["turns"]
    assert turn["cold"]["cpu"] > turn["fixed"]["cpu"] > 0
    assert turn["codec"]["files"] > 60
    assert turn["codec"]["cpu"] > turn["codec"]["decode"] > 0
    (goal,), parts, _ = variants.tables(results).values()
    assert goal["goal"] == "≤ 1.30"
    assert [row["part"] for row in parts] == ["decode", "letterbox_224", "square_384", "cut_out"]
