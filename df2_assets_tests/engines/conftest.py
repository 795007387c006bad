"""The engines, each to be held to the same."""

from collections.abc import Iterator

import pytest

from df2_assets.engines.base import Engine
from df2_assets.engines.local import LocalEngine
from df2_assets_tests.support.engines import ray_engine


@pytest.fixture(scope="module", params=["local", pytest.param("ray", marks=pytest.mark.ray)])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """An engine with two workers."""
    if request.param == "local":
        yield LocalEngine(2)
    else:
        with ray_engine(workers=2) as engine:
            yield engine
