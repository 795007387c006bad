"""The metrics of retrieval: functions from the ranks of relevant answers to a value per query.

`docs/evaluation.md` defines them. R is the number of relevant answers of a query.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

import numpy as np
import numpy.typing as npt

from df2_assets.retrieval.search import Integers, Ranks

Values = npt.NDArray[np.float64]
"""One value per query, from 0 to 1."""

RECALL_KS: Final = (1, 5, 10, 20)
NDCG_K: Final = 10


def recall_at(ranks: Ranks, k: int) -> Values:
    """Return 1 for a query with a relevant answer among the first `k`, else 0."""
    return (ranks.first <= k).astype(np.float64)


def reciprocal_rank(ranks: Ranks) -> Values:
    """Return 1 divided by the rank of the first relevant answer."""
    values: Values = 1 / ranks.first
    return values


def average_precision_at_r(ranks: Ranks) -> Values:
    """Return the sum of the precisions at the relevant ranks up to R, divided by R.

    Source: Musgrave, Belongie and Lim, "A Metric Learning Reality Check" (2020), section 3.2.
    """
    counts, places = _counts(ranks), _places(ranks)
    gains = np.where(ranks.values <= np.repeat(counts, counts), places / ranks.values, 0)
    return _sums(ranks, gains) / counts


def ndcg_at(ranks: Ranks, k: int) -> Values:
    """Return the discounted cumulative gain of the first `k`, divided by the best possible one.

    A relevant answer gains 1, discounted by log2(1 + rank). Source: Järvelin and Kekäläinen,
    "Cumulated gain-based evaluation of IR techniques" (2002).
    """
    gains = np.where(ranks.values <= k, 1 / np.log2(1 + ranks.values), 0)
    best = np.cumsum(1 / np.log2(1 + np.arange(1, k + 1)))
    values: Values = _sums(ranks, gains) / best[np.minimum(_counts(ranks), k) - 1]
    return values


METRICS: Final[Mapping[str, Callable[[Ranks], Values]]] = {
    **{f"recall@{k}": partial(recall_at, k=k) for k in RECALL_KS},
    "mrr": reciprocal_rank,
    "map@r": average_precision_at_r,
    f"ndcg@{NDCG_K}": partial(ndcg_at, k=NDCG_K),
}
"""Every metric by its name."""


def _counts(ranks: Ranks) -> Integers:
    """Return R of each query."""
    return np.diff(ranks.starts)


def _places(ranks: Ranks) -> Integers:
    """Return the place of each rank among the relevant ranks of its query, counted from 1."""
    return 1 + np.arange(len(ranks.values)) - np.repeat(ranks.starts[:-1], _counts(ranks))


def _sums(ranks: Ranks, gains: Values) -> Values:
    return np.add.reduceat(gains, ranks.starts[:-1]) if len(ranks.starts) > 1 else gains
