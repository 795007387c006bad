"""What the tests of automation share."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from df2_assets_tests.defs.platform import Platform


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield Platform(tmp_path, instance)
