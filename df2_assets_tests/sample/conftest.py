"""Samples that tests read and do not change, each drawn once."""

from pathlib import Path

import pytest

from df2_assets.sample import make_sample


@pytest.fixture(scope="session")
def clean(sample_root: Path) -> Path:
    """The sample as `make demo` draws it."""
    return sample_root


@pytest.fixture(scope="session")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small sample with every planted defect."""
    out = tmp_path_factory.mktemp("faulty")
    make_sample(out, images=FAULTY_IMAGES, faults=True)
    return out


FAULTY_IMAGES = 120
