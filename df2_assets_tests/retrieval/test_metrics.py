"""The metrics, compared with plain Python and with pytorch-metric-learning."""

import math
from itertools import chain
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from df2_assets.retrieval.metrics import METRICS
from df2_assets.retrieval.search import Ranks, rank

NEAR = 1e-6


def _values(relevance: list[list[bool]]) -> dict[str, list[float]]:
    """Return every metric of rankings, each given as whether its answers are relevant."""
    ranks = [[place for place, hit in enumerate(row, 1) if hit] for row in relevance]
    starts = np.cumsum([0, *map(len, ranks)])
    flat = Ranks(np.array([*chain.from_iterable(ranks)], np.int64), starts)
    return {name: metric(flat).tolist() for name, metric in METRICS.items()}


def _plain(row: list[bool]) -> dict[str, float]:
    """Return the metrics of one ranking, written down from their definitions."""
    count = sum(row)
    first = row.index(True) + 1
    precisions = [sum(row[:place]) / place for place in range(1, count + 1) if row[place - 1]]
    gain = sum(1 / math.log2(place + 1) for place, hit in enumerate(row[:10], 1) if hit)
    best = sum(1 / math.log2(place + 1) for place in range(1, min(count, 10) + 1))
    recalls = {f"recall@{k}": float(any(row[:k])) for k in (1, 5, 10, 20)}
    return recalls | {"mrr": 1 / first, "map@r": sum(precisions) / count, "ndcg@10": gain / best}


@given(st.lists(st.lists(st.booleans(), max_size=60).filter(any), min_size=1, max_size=20))
def test_the_metrics_equal_their_definitions(relevance: list[list[bool]]) -> None:
    values = _values(relevance)
    for query, row in enumerate(relevance):
        plain = _plain(row)
        assert plain.keys() == values.keys()
        for name, value in plain.items():
            assert values[name][query] == pytest.approx(value, abs=NEAR), name


def test_a_perfect_ranking_has_1_in_every_metric() -> None:
    perfect = [[True] * count + [False] * 30 for count in (1, 3, 15)]
    assert {value for values in _values(perfect).values() for value in values} == {1.0}


def test_a_split_without_queries_has_no_values() -> None:
    assert all(values == [] for values in _values([]).values())


def _random_vectors() -> tuple[Any, ...]:
    """Return queries, gallery and their labels, in which some queries find their label."""
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((30, 16))
    gallery_labels = np.concatenate([np.arange(30), rng.integers(0, 30, 200)])
    query_labels = rng.integers(0, 30, 150)
    queries, gallery = (
        (centres[labels] + 1.5 * rng.standard_normal((len(labels), 16))).astype(np.float32)
        for labels in (query_labels, gallery_labels)
    )
    return queries, gallery, query_labels, gallery_labels


def test_the_metrics_of_vectors_equal_a_plain_implementation() -> None:
    queries, gallery, query_labels, gallery_labels = _random_vectors()
    ranks = rank(queries, gallery, query_labels, gallery_labels, 1).ranks
    plain = []
    for query, label in zip(queries.tolist(), query_labels, strict=True):
        cosines = [
            sum(a * b for a, b in zip(query, vector, strict=True))
            / math.hypot(*query)
            / math.hypot(*vector)
            for vector in gallery.tolist()
        ]
        ranked = sorted(range(len(gallery)), key=lambda position: -cosines[position])
        plain.append(_plain([gallery_labels[position] == label for position in ranked]))
    for name, metric in METRICS.items():
        expected = sum(row[name] for row in plain) / len(plain)
        assert metric(ranks).mean() == pytest.approx(expected, abs=NEAR), name
        assert 0 < expected < 1


@pytest.mark.exports
def test_the_metrics_equal_those_of_pytorch_metric_learning() -> None:
    import torch
    from pytorch_metric_learning.utils.accuracy_calculator import AccuracyCalculator

    queries, gallery, query_labels, gallery_labels = _random_vectors()

    def knn(query: Any, k: int, reference: Any, ref_includes_query: bool) -> tuple[Any, Any]:
        found = torch.topk(query.double() @ reference.double().T, k)
        return found.values, found.indices

    names = {
        "precision_at_1": "recall@1",
        "mean_reciprocal_rank": "mrr",
        "mean_average_precision_at_r": "map@r",
    }
    calculator = AccuracyCalculator(
        include=tuple(names), k=len(gallery), knn_func=knn, device=torch.device("cpu")
    )
    units = [
        torch.nn.functional.normalize(torch.tensor(vectors, dtype=torch.float64))
        for vectors in (queries, gallery)
    ]
    expected = calculator.get_accuracy(
        units[0], torch.tensor(query_labels), units[1], torch.tensor(gallery_labels)
    )
    ranks = rank(queries, gallery, query_labels, gallery_labels, 1).ranks
    for theirs, ours in names.items():
        assert METRICS[ours](ranks).mean() == pytest.approx(expected[theirs], abs=NEAR), theirs
