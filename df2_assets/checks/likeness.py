"""How alike crops are by the vectors of an encoder, where a split has them.

Encoders differ in how similar the vectors of two pictures are. So no limit here is a similarity:
each is a comparison with the crops of other SKUs, as the same encoder sees them.
"""

from typing import Any, Final

import numpy as np
import pandas as pd

from df2_assets.embeddings.files import read_embeddings
from df2_assets.errors import MissingTableError, ProvenanceError
from df2_assets.store.layout import Roots

SAME: Final = 1 / 40
"""Two crops show the same picture if they are nearer than this share of the usual distance between
a crop and the nearest crop of another SKU."""

_SAMPLE: Final = 1_000
_STRANGERS: Final = 2_000
_AXES: Final = 32
_ROWS: Final = 512
_COLUMNS: Final = 1 << 16
_CROWD: Final = 64
"""If more crops than this follow a crop nearby, it is only paired with as many of them."""

Floats = np.ndarray[Any, np.dtype[np.float32]]
Ints = np.ndarray[Any, np.dtype[np.int64]]


def find_vectors(roots: Roots, split: str, encoder: str, paths: "pd.Series[str]") -> Floats | None:
    """Return the vectors of crops, each of length 1; None without current embeddings, or any crop.

    A crop without a vector, or with one of length 0, has NaN.
    """
    try:
        embeddings = read_embeddings(roots, split, encoder)
    except (MissingTableError, ProvenanceError):
        return None
    vectors = embeddings.vectors
    if not len(vectors):
        return None
    with np.errstate(invalid="ignore", divide="ignore"):
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    places = pd.Index(embeddings.crop_paths).get_indexer(pd.Index(paths))
    if np.array_equal(places, np.arange(len(vectors))):
        return vectors
    ordered: Floats = vectors[places]
    ordered[places < 0] = np.nan
    return ordered


def find_same_pictures(vectors: Floats, skus: "pd.Series[str]") -> tuple[Ints, Ints]:
    """Return pairs of positions whose pictures are the same by `SAME`, each pair once.

    `vectors` have the length 1; crops with NaN are in no pair. `skus` identifies SKUs across
    splits.
    """
    usable = np.flatnonzero(np.isfinite(vectors).all(axis=1))
    groups, _ = pd.factorize(skus.iloc[usable])
    if len(np.unique(groups)) < 2:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    points = vectors if len(usable) == len(vectors) else vectors[usable]
    sample = np.linspace(0, len(points) - 1, min(_SAMPLE, len(points))).astype(int)
    similar = points[sample] @ points.T
    similar[groups[sample][:, None] == groups[None]] = -1
    usual = 1 - float(np.median(similar.max(axis=1)))
    del similar
    first, second = _find_near(points, points[sample], SAME * usual)
    return usable[first], usable[second]


def _find_near(points: Floats, sample: Floats, limit: float) -> tuple[Ints, Ints]:
    """Return pairs of points whose similarity is at least `1 - limit`.

    A projection never moves points apart. So only those are compared that are near by the axes on
    which the sample differs most; the first axis says which points can be near at all.
    """
    centre = sample.mean(axis=0)
    axes = np.linalg.svd(sample - centre, full_matrices=False)[2][:_AXES]
    shadows = (points - centre) @ axes.T
    order = np.argsort(shadows[:, 0], kind="stable")
    shadows = shadows[order]
    reach = float(np.sqrt(2 * limit)) + 1e-4
    # Half of the square of a distance: a * a / 2 + b * b / 2 - a * b.
    halves = (shadows**2).sum(axis=1) / 2
    ends = np.searchsorted(shadows[:, 0], shadows[:, 0] + reach, "right")
    pairs: list[Ints] = []
    for start in range(0, len(order), _ROWS):
        block = slice(start, min(start + _ROWS, len(order)))
        for left in range(start, int(ends[block][-1]), _COLUMNS):
            beside = slice(left, min(left + _COLUMNS, int(ends[block][-1])))
            products = shadows[block] @ shadows[beside].T
            products -= halves[beside]
            near = products >= halves[block, None] - (reach**2 / 2 + 1e-4)
            row, column = np.nonzero(near)
            if len(row) > _CROWD * len(near):
                row, column = np.nonzero(near & (near.cumsum(axis=1, dtype=np.int32) <= _CROWD))
            ordered = column + left > row + start
            pair = order[np.stack([row[ordered] + start, column[ordered] + left])]
            likeness = np.einsum("ij,ij->i", points[pair[0]], points[pair[1]])
            pairs.append(np.sort(pair[:, likeness >= 1 - limit], axis=0))
    first, second = np.concatenate(pairs, axis=1)
    return first, second


def share_of_nearer_strangers(
    vectors: Floats, skus: "pd.Series[str]", categories: "pd.Series[int]"
) -> tuple[Floats, Ints]:
    """Return for each crop the share of strangers that are nearer than its SKU, and who is nearest.

    Strangers are crops of other SKUs of its category, at most 2,000 of them. The nearest crop of
    its SKU is a position, or -1 where there is none; the share is 0 then.
    """
    shares = np.zeros(len(vectors), np.float32)
    nearest = np.full(len(vectors), -1, np.int64)
    best = np.full(len(vectors), -np.inf, np.float32)
    for places in skus.groupby(skus, sort=False).indices.values():
        if len(places) > 1:
            similar = vectors[places] @ vectors[places].T
            np.fill_diagonal(similar, -np.inf)
            nearest[places] = places[similar.argmax(axis=1)]
            best[places] = similar.max(axis=1)
    numbers, _ = pd.factorize(skus)
    for places in categories.groupby(categories, sort=False).indices.values():
        strangers = places[:: -(-len(places) // _STRANGERS)]
        for start in range(0, len(places), _ROWS):
            rows = places[start : start + _ROWS]
            other = numbers[rows][:, None] != numbers[strangers][None]
            nearer = (vectors[rows] @ vectors[strangers].T > best[rows][:, None]) & other
            shares[rows] = nearer.sum(axis=1) / np.maximum(other.sum(axis=1), 1)
    shares[nearest < 0] = 0
    return shares, nearest
