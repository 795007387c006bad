"""Counting equal texts of different SKUs in batches."""

from pathlib import Path

import pytest

from benchmarks import equal_texts
from df2_assets_tests.support import random_data, run


def test_pairs_of_one_sku_are_not_counted() -> None:
    batch = [("a", "1"), ("a", "1"), ("a", "2"), ("b", "2"), ("b", "3"), ("c", "4")]
    assert equal_texts.mean_pairs([batch]) == 3
    assert equal_texts.mean_pairs([batch, batch[:2]]) == 1.5


@pytest.mark.torch
def test_batches_of_the_sampler_have_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    random_data.random_dataset(tmp_path / "df2", seed=3, images=60)
    assert run.build(tmp_path / "df2", tmp_path / "sku").success
    equal_texts.main([str(tmp_path / "sku"), "--rows", "16"], standalone_mode=False)
    printed = capsys.readouterr().out
    assert "16 rows per batch: " in printed
    assert " 0.0 pairs in random batches" not in printed
    assert ", 0.0 in those of the sampler" in printed
