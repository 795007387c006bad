"""A small split without problems, before and after it is built."""

from pathlib import Path

import pytest

from df2_assets.store.layout import Roots
from df2_assets_tests.checks import clean
from df2_assets_tests.support.builder import DataSet


@pytest.fixture
def data(roots: Roots) -> DataSet:
    """A data set that is written but not built."""
    data = DataSet(roots.df2_root)
    clean.write(data, "train", looks=2)
    return data


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[Roots, clean.Built]:
    """A split that is built once; tests must not change it."""
    roots = clean.roots_in(tmp_path_factory.mktemp("small"))
    clean.write(DataSet(roots.df2_root), "train", looks=2)
    return roots, clean.build(roots)


@pytest.fixture
def built(small: tuple[Roots, clean.Built]) -> clean.Built:
    """The tables of the built split."""
    return small[1]


@pytest.fixture
def disk(small: tuple[Roots, clean.Built], tmp_path: Path) -> Roots:
    """A copy of the built split, which tests may change."""
    return clean.copied(small[0], tmp_path)


@pytest.fixture(scope="session")
def every_look(tmp_path_factory: pytest.TempPathFactory) -> Roots:
    """Built splits: `train` has every combination of labels once, `test` is empty."""
    roots = clean.roots_in(tmp_path_factory.mktemp("every_look"))
    clean.write(DataSet(roots.df2_root), "train")
    for split in ("train", "test"):
        clean.build(roots, split)
    return roots
