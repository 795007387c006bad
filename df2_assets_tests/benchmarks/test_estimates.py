"""`python -m benchmarks.estimates` at a toy size: a plan, then what it planned."""

from pathlib import Path

import pytest

from benchmarks import estimates


@pytest.mark.slow
def test_each_build_has_its_plan(tmp_path: Path) -> None:
    results = estimates.measure(tmp_path, images=(20,), turns=1)
    ((_, rows),) = estimates.tables(results).items()
    assert [row["build"] for row in rows] == ["cold", "unchanged"]
    (turn,) = results["turns"]
    assert all(build["estimated"] > 0 for build in turn.values())
