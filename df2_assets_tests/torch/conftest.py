"""A finished build for the tests of the loaders, and one of the size of the release."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from df2_assets.dataset.metadata import ImageText
from df2_assets.store import state
from df2_assets.store.layout import Roots
from df2_assets_tests.support import builder, random_data, run
from df2_assets_tests.support.compare import rows

if TYPE_CHECKING:
    from df2_assets.torch import DeepFashion2ImageTextDataset

ROWS = 200_000
SKUS = ROWS // 10


@pytest.fixture(scope="package")
def sku_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("torch")
    random_data.random_dataset(base / "df2", seed=3, images=60)
    assert run.build(base / "df2", base / "sku").success
    return base / "sku"


@pytest.fixture(scope="package")
def dataset(sku_root: Path) -> "DeepFashion2ImageTextDataset":
    from df2_assets.torch import DeepFashion2ImageTextDataset

    return DeepFashion2ImageTextDataset(sku_root, "train")


@pytest.fixture(scope="package")
def splits(tmp_path_factory: pytest.TempPathFactory) -> "list[DeepFashion2ImageTextDataset]":
    """Return train and validation of one build. Both number their pairs from 1."""
    from df2_assets.torch import DeepFashion2ImageTextDataset

    base = tmp_path_factory.mktemp("splits")
    names = ("train", "validation")
    random_data.random_dataset(base / "df2", seed=5, splits=names, images=60)
    assert run.build(base / "df2", base / "sku", names).success
    return [DeepFashion2ImageTextDataset(base / "sku", name) for name in names]


@pytest.fixture(scope="package")
def lines(sku_root: Path) -> list[dict[str, Any]]:
    """Return the lines of the JSONL."""
    return rows(sku_root, "train")


@pytest.fixture(scope="package")
def large_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a split of 200,000 rows that share an image.

    A SKU has 4 catalog and 6 query crops.
    """
    roots = Roots(Path(), tmp_path_factory.mktemp("large"), "")
    encode = msgspec.json.Encoder().encode
    with roots.image_text("train").open("wb") as file:
        file.writelines(encode(_row(number)) + b"\n" for number in range(ROWS))
    (roots.sku_root / "train").mkdir()
    (roots.sku_root / "train/crop.jpg").write_bytes(builder.jpeg((20, 30)))
    state.save(roots, "train", state.State(complete=True))
    return roots.sku_root


def _row(number: int) -> ImageText:
    pair_id, place = number // 10 + 1, number % 10
    return ImageText(
        "train",
        f"{pair_id:06d}_01_01",
        pair_id,
        1,
        1,
        "short sleeve top",
        "catalog" if place < 4 else "query",
        "train/crop.jpg",
        f"train/image/{number + 1:06d}.jpg",
        f"{number + 1:06d}",
        1,
        (0, 0, 20, 30),
        1,
        2,
        f"The text of row {number}.",
    )
