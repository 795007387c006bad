"""`python -m benchmarks.likeness` on a small split."""

import pytest

from benchmarks import likeness
from df2_assets.embeddings.encoders import resolve_encoder
from df2_assets.store.layout import Roots
from df2_assets_tests.checks.conftest import disk, small

__all__ = ["disk", "small"]


@pytest.mark.slow
def test_an_encoder_finds_copies_that_the_hash_misses_and_misses_none_that_it_finds(
    disk: Roots,
) -> None:
    rows = likeness.measure_recall(disk, "train", resolve_encoder("histogram"))
    assert rows["change"].tolist() == list(likeness.CHANGES)
    assert (rows["histogram"] >= rows["hash"]).all()
    assert rows["histogram"].sum() > rows["hash"].sum()
