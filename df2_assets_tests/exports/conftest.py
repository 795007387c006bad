"""What the tests of exports share: three built splits, and a copy of them with all exports."""

from pathlib import Path

import pytest

from df2_assets.store.layout import Roots
from df2_assets_tests.exports import splits


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Roots:
    """Not to be changed."""
    return splits.write_and_build(tmp_path_factory.mktemp("built"))


@pytest.fixture(scope="session")
def exported(built: Roots, tmp_path_factory: pytest.TempPathFactory) -> Roots:
    """With all exports of all splits; not to be changed."""
    roots = splits.copied(built, tmp_path_factory.mktemp("exported"))
    for split in splits.SPLITS:
        splits.export_all(roots, split)
    return roots


@pytest.fixture
def site(built: Roots, tmp_path: Path) -> Roots:
    """Built, and to be changed."""
    return splits.copied(built, tmp_path)
