"""The engines with workers of their own, tested for the same behaviour."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from df2_assets.engines.base import Engine
from df2_assets.engines.make import make_engine

WITH_WORKERS = ["local", pytest.param("ray", marks=pytest.mark.ray)]


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what needs Ray where there is none."""
    if item.get_closest_marker("ray"):
        pytest.importorskip("ray", reason="needs the ray extra")


@pytest.fixture(scope="module", params=WITH_WORKERS)
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """An engine with two workers."""
    with closing(make_engine(request.param, 2)) as engine:
        yield engine
