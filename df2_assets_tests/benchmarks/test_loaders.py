"""The rates of the loaders at a toy size: all load the same."""

from pathlib import Path
from typing import Any

import pytest

from benchmarks import loaders

pytestmark = [
    pytest.mark.exports,
    # webdataset leaves the closing of a shard to the garbage collector.
    pytest.mark.filterwarnings(
        "ignore:.*unclosed file.*[.]tar", "ignore:Exception ignored in.*[.]tar"
    ),
]


@pytest.fixture(scope="module")
def sku_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return loaders.prepare(tmp_path_factory.mktemp("loaders"), images=300)


def test_every_loader_of_crops_gives_the_same_images_in_the_same_order(
    sku_root: Path, tmp_path: Path
) -> None:
    every = [list(each) for each in loaders.data_sets(sku_root, tmp_path).values()]
    files, variant, shards, parquet = every
    assert len(files) == len(shards) == len(parquet) == len(variant) > 100
    assert {tuple(image.shape) for image in variant} == {(3, 224, 224)}
    for images in zip(files, shards, parquet, strict=True):
        first: Any = images[0]
        assert first.shape == (3, 224, 224)
        assert all(first.equal(image) for image in images)


def test_rates_stand_beside_those_of_the_crop_files(sku_root: Path, tmp_path: Path) -> None:
    results = loaders.measure(sku_root, tmp_path, crops=1000, turns=2, workers=(0, 1))
    for turn in results["turns"]:
        assert all(rate > 0 for loader in turn.values() for rate in loader.values())
    ((title, (first, *others)),) = loaders.tables(results).items()
    assert "1,000 crops in a pass" in title
    assert (first["0 workers, ratio"], first["1 workers, ratio"]) == ("1.00", "1.00")
    assert len(others) == 3
