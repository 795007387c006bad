"""Exact search by cosine similarity, in bounded memory.

A block of queries is compared with the whole gallery in one matrix product. Each row of the product
has all scores of a query, so ranks are exact, however deep. Equal scores are ordered by position in
the gallery.
"""

import hashlib
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.floating]
"""One vector per row, of any length: search normalises it. A vector of zeros scores 0."""

Scores = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]

MEMORY: Final = 256 * 2**20
"""The bytes of scores that are in memory at the same time."""

_MOST_ROWS: Final = 1024
_GROUPS: Final = 64
"""How many scores `_top` reduces to their maximum."""


class Ranks(NamedTuple):
    """The ranks of the relevant vectors of each query in its ranking of the whole gallery.

    `values` has the ranks of all queries, counted from 1, ascending within a query. Those of
    query i are `values[starts[i] : starts[i + 1]]`. Each query has at least one.
    """

    values: Integers
    starts: Integers

    @property
    def first(self) -> Integers:
        """The rank of the best relevant vector of each query."""
        return self.values[self.starts[:-1]]


class Ranking(NamedTuple):
    """The best `k` positions of each query `(n, k)` with their scores, and its relevant vectors.

    `answers` has the position of the best relevant vector of each query.
    """

    scores: Scores
    positions: Integers
    ranks: Ranks
    answers: Integers


def search(
    queries: Vectors, gallery: Vectors, k: int, *, memory: int = MEMORY
) -> tuple[Scores, Integers]:
    """Return the cosine similarities and positions of the best gallery vectors, each `(n, k)`.

    The best come first; equal scores by position. There are fewer than `k` columns if the gallery
    is smaller. `memory` bounds the bytes of scores in memory. Raises ValueError if the vectors have
    different lengths or are not finite.
    """
    k = min(k, len(gallery))
    scores = np.empty((len(queries), k), np.float32)
    positions = np.empty((len(queries), k), np.int64)
    for start, block in _score(queries, gallery, memory):
        end = start + len(block)
        scores[start:end], positions[start:end] = _top(block, k)
    return scores, positions


def rank(
    queries: Vectors,
    gallery: Vectors,
    query_labels: npt.NDArray[np.integer],
    gallery_labels: npt.NDArray[np.integer],
    k: int,
    *,
    memory: int = MEMORY,
    advance: Callable[[int], object] = lambda queries: None,
) -> Ranking:
    """Return what `search` returns, and the ranks of the gallery vectors with a query's label.

    `advance` is called with the number of queries that are done since the last call. Raises
    ValueError as `search` does, and if no gallery vector has the label of a query.
    """
    order = np.argsort(gallery_labels, kind="stable")
    ordered = gallery_labels[order]
    low = np.searchsorted(ordered, query_labels, "left")
    high = np.searchsorted(ordered, query_labels, "right")
    if not np.all(high > low):
        raise ValueError("A query has no relevant vector in the gallery.")
    starts = np.concatenate([[0], np.cumsum(high - low)])
    values = np.empty(starts[-1], np.int64)
    k = min(k, len(gallery))
    scores = np.empty((len(queries), k), np.float32)
    positions = np.empty((len(queries), k), np.int64)
    answers = np.empty(len(queries), np.int64)
    for start, block in _score(queries, gallery, memory):
        end = start + len(block)
        scores[start:end], positions[start:end] = _top(block, k)
        for query, row in enumerate(block, start):
            relevant = order[low[query] : high[query]]
            values[starts[query] : starts[query + 1]] = _ranks_in(row, relevant)
            answers[query] = relevant[np.argmax(row[relevant])]
        advance(len(block))
    return Ranking(scores, positions, Ranks(values, starts), answers)


def _score(queries: Vectors, gallery: Vectors, memory: int) -> Iterator[tuple[int, Scores]]:
    """Yield the position of the first query of a block, and the block's scores.

    The next block overwrites the scores.
    """
    if queries.ndim != 2 or gallery.ndim != 2 or queries.shape[1] != gallery.shape[1]:
        raise ValueError(
            f"Vectors of shape {queries.shape} cannot be compared with {gallery.shape}."
        )
    gallery = np.ascontiguousarray(gallery, np.float32)
    scale = _inverse_norms(gallery)
    first = _find_first_equal(gallery)
    repeated = np.flatnonzero(first != np.arange(len(gallery)))
    rows = max(1, min(_MOST_ROWS, len(queries), memory // (4 * max(1, len(gallery)))))
    buffer = np.empty((rows, len(gallery)), np.float32)
    for start in range(0, len(queries), rows):
        block = np.ascontiguousarray(queries[start : start + rows], np.float32)
        block = block * _inverse_norms(block)[:, None]
        scores = buffer[: len(block)]
        np.matmul(block, gallery.T, out=scores)
        scores *= scale
        # A matrix product rounds differently at its edges: equal vectors would not tie.
        scores[:, repeated] = scores[:, first[repeated]]
        yield start, scores


def _find_first_equal(vectors: Scores) -> Integers:
    """Return the position of the first equal vector of each vector, by digests of their bytes."""
    seen: dict[bytes, int] = {}
    digests = (hashlib.blake2b(vector, digest_size=16).digest() for vector in vectors)
    places = [seen.setdefault(digest, place) for place, digest in enumerate(digests)]
    return np.array(places, np.int64)


def _inverse_norms(vectors: Scores) -> Scores:
    norms = np.sqrt(np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64))
    if not np.all(np.isfinite(norms)):
        raise ValueError("A vector is not finite.")
    inverse = np.divide(1, norms, out=np.zeros_like(norms), where=norms > 0)
    result: Scores = inverse.astype(np.float32)
    return result


def _top(scores: Scores, k: int) -> tuple[Scores, Integers]:
    """Return the best `k` scores of each row and their positions."""
    size = scores.shape[1]
    positions = np.empty((len(scores), k), np.int64)
    groups = size // _GROUPS
    if k == 0:
        return scores[:, :0].copy(), positions
    if groups > k:
        # The k-th best of the maxima of groups is no better than the k-th best score.
        maxima = scores[:, : groups * _GROUPS].reshape(-1, _GROUPS, groups).max(axis=1)
        bounds = np.partition(maxima, groups - k, axis=1)[:, groups - k]
    else:
        bounds = np.full(len(scores), -np.inf, np.float32)
    for row, bound, best in zip(scores, bounds, positions, strict=True):
        candidates = np.flatnonzero(row >= bound)
        best[:] = candidates[np.argsort(-row[candidates], kind="stable")[:k]]
    return np.take_along_axis(scores, positions, axis=1), positions


def _ranks_in(row: Scores, relevant: Integers) -> Integers:
    """Return the ranks of the positions `relevant` in a row of scores, ascending."""
    ranks = [
        1
        + np.count_nonzero(row > row[position])
        + np.count_nonzero(row[:position] == row[position])
        for position in relevant
    ]
    return np.sort(np.array(ranks, np.int64))
