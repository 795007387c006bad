"""The fixtures of the tests of definitions."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from df2_assets_tests.defs.platform import Platform


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def platform(tmp_path: Path, instance: dg.DagsterInstance) -> Platform:
    return Platform(tmp_path, instance)


@pytest.fixture
def built(platform: Platform) -> Platform:
    """The platform, with its first split built."""
    platform.build()
    return platform
