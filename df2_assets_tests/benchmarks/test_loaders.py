"""The rates of the loaders at a toy size: all load the same, and what they take is told."""

from pathlib import Path
from typing import Any

import pytest

from benchmarks import loaders
from benchmarks.builds import Result

pytestmark = [
    pytest.mark.exports,
    # webdataset leaves the closing of a shard to the garbage collector.
    pytest.mark.filterwarnings(
        "ignore:.*unclosed file.*[.]tar", "ignore:Exception ignored in.*[.]tar"
    ),
]

PLAN = loaders.Plan(images=300, crops=1000, workers=(0, 1), turns=2, photos=20)


@pytest.fixture(scope="module")
def sku_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return loaders.prepare(PLAN, tmp_path_factory.mktemp("loaders"))


@pytest.fixture(scope="module")
def results(sku_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Result:
    return loaders.take_turns(PLAN, sku_root, tmp_path_factory.mktemp("cache"))


def test_every_loader_gives_the_same_images_in_the_same_order(
    sku_root: Path, tmp_path: Path
) -> None:
    loose, shards, parquet = (list(each) for each in loaders.data_sets(sku_root, tmp_path).values())
    assert len(loose) == len(shards) == len(parquet) > 100
    for images in zip(loose, shards, parquet, strict=True):
        first: Any = images[0]
        assert first.shape == (3, 224, 224)
        assert all(first.equal(image) for image in images)


def test_rates_are_told_beside_those_of_the_loose_files(results: Result) -> None:
    told = loaders.report(results)
    rows = [line.strip("| ").split(" | ") for line in told.splitlines() if line.startswith("|")]
    head, _, first, *others = rows
    assert head[1:] == ["0 workers, images/s", "ratio", "1 workers, images/s", "ratio"]
    assert [first[2], first[4]] == ["1.00", "1.00"]
    assert len(others) == 2
    for turn in results["turns"]:
        assert all(rate > 0 for loader in turn.values() for rate in loader.values())
    assert "1,000 crops a pass" in told
