"""The intervals of metrics, compared with plain loops and with what is known of the mean."""

import numpy as np
import pytest

from df2_assets.retrieval.bootstrap import bootstrap

ALL = 1  # a single slice with all queries


def _everyone(count: int) -> np.ndarray:
    return np.ones((count, ALL), bool)


def test_intervals_equal_those_of_plain_loops() -> None:
    rng = np.random.default_rng(1)
    values = rng.random((60, 2))
    skus = np.concatenate([np.arange(12), rng.integers(0, 12, 48)])
    slices = np.stack([np.ones(60, bool), rng.random(60) < 0.4], axis=1)
    result = bootstrap(values, skus, slices, replicates=150)
    draws = np.random.default_rng(0).integers(12, size=(150, 12))  # rows come from the same stream
    for place in range(2):
        for metric in range(2):
            means = []
            for row in draws:
                chosen = [
                    values[query, metric]
                    for sku in row
                    for query in range(60)
                    if skus[query] == sku and slices[query, place]
                ]
                if chosen:
                    means.append(sum(chosen) / len(chosen))
            low, high = np.quantile(means, (0.025, 0.975))
            assert result.low[place, metric] == pytest.approx(low, abs=1e-9)
            assert result.high[place, metric] == pytest.approx(high, abs=1e-9)
            mean = values[slices[:, place], metric].mean()
            assert result.value[place, metric] == pytest.approx(mean, abs=1e-9)


def test_the_interval_is_that_of_whole_skus() -> None:
    """Ten equal queries per SKU are no more evidence than one."""
    hits = np.random.default_rng(2).integers(0, 2, (40, 1)).astype(float)
    once = bootstrap(hits, np.arange(40), _everyone(40))
    ten_times = bootstrap(hits.repeat(10, axis=0), np.arange(40).repeat(10), _everyone(400))
    np.testing.assert_allclose(np.array(once), np.array(ten_times), atol=1e-12)
    assert once.low < once.value < once.high


def test_about_95_of_100_intervals_hold_the_true_mean() -> None:
    rng = np.random.default_rng(3)
    hits = 0
    for _ in range(100):
        result = bootstrap(rng.random((80, 1)), np.arange(80), _everyone(80), replicates=300)
        hits += bool(result.low[0, 0] <= 0.5 <= result.high[0, 0])
    assert 88 <= hits <= 99


def test_a_metric_without_variation_has_an_interval_without_width() -> None:
    result = bootstrap(np.ones((9, 3)), np.arange(9) // 3, _everyone(9))
    assert {float(number) for part in result for number in part.flat} == {1.0}


def test_a_slice_of_one_sku_counts_only_where_the_sku_is_drawn() -> None:
    slices = np.stack([np.ones(30, bool), np.arange(30) == 4], axis=1)
    values = np.linspace(0, 1, 30)[:, None]
    result = bootstrap(values, np.arange(30), slices)
    assert result.low[1, 0] == result.high[1, 0] == pytest.approx(values[4, 0])
