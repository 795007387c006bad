"""What tests of checks share: a small split without faults, before and after it is built."""

import pytest

from df2_assets.store.layout import Roots
from df2_assets_tests.checks import clean
from df2_assets_tests.support.builder import DataSet


@pytest.fixture
def data(roots: Roots) -> DataSet:
    data = DataSet(roots.df2_root)
    clean.write(data, "train", looks=2)
    return data


@pytest.fixture
def built(roots: Roots, data: DataSet) -> clean.Built:
    return clean.build(roots)


@pytest.fixture
def disk(roots: Roots, built: clean.Built) -> Roots:
    return roots
