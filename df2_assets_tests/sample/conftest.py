"""A sample that tests read and must not change, drawn once."""

from pathlib import Path

import pytest

from df2_assets.sample import make_sample

FAULTY_IMAGES = 150


@pytest.fixture(scope="session")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Draw a small sample with every planted defect."""
    out = tmp_path_factory.mktemp("faulty")
    make_sample(out, images=FAULTY_IMAGES, defects=True)
    return out
