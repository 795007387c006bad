"""Two checkouts are compared on the same input; here, this one with itself."""

from pathlib import Path

import click
import pytest

from benchmarks import compare
from benchmarks.figures import Result
from benchmarks.measure import PROJECT

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Result:
    trees = {"before": PROJECT, "after": PROJECT}
    return compare.measure(tmp_path_factory.mktemp("compare"), trees, images=40, turns=1)


def test_both_checkouts_are_built_cold_and_unchanged(results: Result) -> None:
    (turn,) = results["turns"]
    assert list(turn) == ["before", "after"]
    for numbers in turn.values():
        assert list(numbers) == ["nothing", "cold", "unchanged"]
        assert all(build["main"] > 0 for build in numbers.values())


def test_each_figure_stands_beside_its_ratio(results: Result) -> None:
    (turn,) = results["turns"]
    before = turn["before"]
    slower = {
        name: build | {"seconds": 2 * build["seconds"], "peak_bytes": 3 * build["peak_bytes"]}
        for name, build in before.items()
    }
    rows = compare.rows(results | {"turns": [{"before": before, "after": slower}]})
    ratios = {row["what"]: row["after / before"] for row in rows}
    assert ratios == {
        "fixed start": "2.00",
        "cold build": "2.00",
        "cold build, processor": "1.00",
        "unchanged rerun": "2.00",
        "main process per image, cold": "1.00",
        "main process per image, unchanged": "1.00",
        "peak memory, cold": "3.00",
        "peak memory, unchanged": "3.00",
    }


def test_checkouts_that_make_different_bytes_are_not_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compare, "digest_output", str)
    with pytest.raises(click.ClickException, match="did not make the same bytes"):
        compare.measure(tmp_path, {"before": PROJECT, "after": PROJECT}, images=10, turns=1)
