"""`make bench-engines` at a toy size: both engines build the same."""

from pathlib import Path

import pytest

from benchmarks import engines
from benchmarks.builds import read_number


@pytest.mark.ray
def test_both_engines_are_measured_on_the_same_input(tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="needs the ray extra")
    results = engines.measure(tmp_path, images=80, turns=1)
    (turn,) = results["turns"]
    local, ray = (read_number(turn[engine], "crops", "crops") for engine in ("local", "ray"))
    assert local == ray > 0
    (goal,), rows = engines.tables(results).values()
    assert goal["goal"] == "≥ 80%"
    assert [row["engine"] for row in rows] == ["local", "ray"]
