"""Bootstrap intervals of metrics: how much a mean would vary with other SKUs.

Queries of the same SKU resemble each other, so whole SKUs are drawn, with all their queries.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

REPLICATES: Final = 1000
LEVEL: Final = 0.95
_SEED: Final = 0
_AT_ONCE: Final = 100
"""Replicates whose draws are in memory at the same time."""


class Intervals(NamedTuple):
    """The means of metrics and the bounds of their intervals, each of shape `(slices, metrics)`."""

    value: Floats
    low: Floats
    high: Floats


def bootstrap(
    values: Floats,
    skus: npt.NDArray[np.integer],
    slices: npt.NDArray[np.bool_],
    replicates: int = REPLICATES,
) -> Intervals:
    """Return the mean of each metric over the queries of each slice, with 95% intervals.

    `values` has shape `(queries, metrics)`. `skus` has the number of each query's SKU, from 0 and
    without gaps. `slices` has shape `(queries, slices)` and says which queries belong to a slice;
    no slice is empty. A replicate draws as many SKUs as there are, with replacement; the interval
    is between the percentiles 2.5 and 97.5 of the replicates' means. A replicate that draws no SKU
    of a slice does not count for it. The draws are the same in every call.
    """
    sums, counts = _sum_by_sku(values, skus, slices)
    drawn = np.empty((replicates, *sums.shape[1:]))
    generator = np.random.default_rng(_SEED)
    for start in range(0, replicates, _AT_ONCE):
        weights = _draw(generator, min(_AT_ONCE, replicates - start), len(counts))
        drawn[start : start + len(weights)] = _means(
            np.tensordot(weights, sums, 1), weights @ counts
        )
    tail = (1 - LEVEL) / 2
    low, high = np.nanquantile(drawn, (tail, 1 - tail), axis=0)
    return Intervals(_means(sums.sum(axis=0), counts.sum(axis=0)), low, high)


def _sum_by_sku(
    values: Floats, skus: npt.NDArray[np.integer], slices: npt.NDArray[np.bool_]
) -> tuple[Floats, Floats]:
    """Return the sums `(SKUs, slices, metrics)` and the numbers of queries `(SKUs, slices)`."""
    size = int(skus.max()) + 1
    sums = np.zeros((size, slices.shape[1], values.shape[1]))
    counts = np.zeros((size, slices.shape[1]))
    for number, members in enumerate(slices.T):
        np.add.at(sums[:, number], skus[members], values[members])
        counts[:, number] = np.bincount(skus[members], minlength=size)
    return sums, counts


def _draw(generator: np.random.Generator, replicates: int, size: int) -> Floats:
    """Return how often each SKU is drawn, an array `(replicates, SKUs)`."""
    draws = generator.integers(size, size=(replicates, size))
    return np.stack([np.bincount(row, minlength=size) for row in draws]).astype(np.float64)


def _means(sums: Floats, counts: Floats) -> Floats:
    """Return sums divided by counts; NaN where a count is 0."""
    counts = counts[..., None]
    means = np.full(sums.shape, np.nan)
    np.divide(sums, counts, out=means, where=counts > 0)
    return means
