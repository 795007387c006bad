"""Crops that show the same picture: found among all, without comparing each with each."""

from itertools import combinations, pairwise
from typing import Final

import numpy as np
import pandas as pd

Ints = np.ndarray[tuple[int], np.dtype[np.int64]]
Words = np.ndarray[tuple[int], np.dtype[np.uint64]]

BITS: Final = 4
"""Bits of two hashes that may differ."""

SHADES: Final = 4.0
"""Mean difference of the tiny pictures' channels that is still the same picture, of 255."""

_BANDS: Final = 6
_CROWD: Final = 64
"""Where more crops than this have the same bands, each is held against its next ones only."""

_CHUNK: Final = 100_000

WITHIN_SKU: Final = "within a SKU"
ACROSS_SKUS: Final = "across SKUs"
ACROSS_SPLITS: Final = "across splits"


def near_duplicates(crops: pd.DataFrame) -> pd.DataFrame:
    """Pairs of crops of different images that show the same picture: a row a pair.

    `crops` are rows of `looks`, also of several splits. Columns: `one` and `other`, positions in
    `crops`; `kind`, one of the three above; `exact`, whether their bytes are equal too. Crops of
    one image are not compared: garments worn over each other share their pixels.
    """
    usable = crops[crops["comparable"]]
    hashes = usable["phash"].to_numpy(dtype=np.int64).view(np.uint64)
    one, other = _similar(hashes)
    one, other = _same_shades(_pixels(usable), one, other)
    splits, skus, images, digests = (
        usable[name].to_numpy(dtype=object) for name in ("split", "sku_id", "image_id", "sha256")
    )
    same_split = splits[one] == splits[other]
    different = ~(same_split & (images[one] == images[other]))
    one, other, same_split = one[different], other[different], same_split[different]
    same_sku = np.where(skus[one] == skus[other], WITHIN_SKU, ACROSS_SKUS)
    positions = np.flatnonzero(crops["comparable"].to_numpy(dtype=bool))
    return pd.DataFrame(
        {
            "one": positions[one],
            "other": positions[other],
            "kind": np.where(same_split, same_sku, ACROSS_SPLITS),
            "exact": digests[one] == digests[other],
        }
    )


def _similar(hashes: Words) -> tuple[Ints, Ints]:
    """Pairs of positions whose hashes differ in at most `BITS` bits, each pair once.

    With `BITS` differences over six bands of the hash at least two bands are equal: crops are
    sorted by each pair of bands in turn, and compared with those that follow while it is equal.
    """
    edges = np.linspace(0, 64, _BANDS + 1).astype(np.uint64)
    masks = [
        np.uint64(sum(1 << bit for bit in range(int(low), int(high))))
        for low, high in pairwise(edges)
    ]
    found: list[Words] = []
    count = np.uint64(max(len(hashes), 1))
    for first, second in combinations(masks, 2):
        keys = hashes & (first | second)
        order = np.lexsort((hashes, keys))
        sorted_keys, sorted_hashes = keys[order], hashes[order]
        for step in range(1, min(_CROWD, len(hashes) - 1) + 1):
            at = np.flatnonzero(sorted_keys[step:] == sorted_keys[:-step])
            if not len(at):
                break
            differing = np.bitwise_count(sorted_hashes[at] ^ sorted_hashes[at + step])
            at = at[differing <= BITS]
            pair = np.sort(np.stack([order[at], order[at + step]]), axis=0).astype(np.uint64)
            found.append(pair[0] * count + pair[1])
    pairs = np.unique(np.concatenate(found)) if found else np.empty(0, np.uint64)
    return (pairs // count).astype(np.int64), (pairs % count).astype(np.int64)


def _same_shades(
    pixels: np.ndarray[tuple[int, int], np.dtype[np.int16]], one: Ints, other: Ints
) -> tuple[Ints, Ints]:
    """Those pairs whose tiny pictures hardly differ: a hash knows no colour."""
    close = [
        np.abs(pixels[one[at : at + _CHUNK]] - pixels[other[at : at + _CHUNK]]).mean(axis=1)
        <= SHADES
        for at in range(0, len(one), _CHUNK)
    ]
    keep = np.concatenate(close) if close else np.empty(0, bool)
    return one[keep], other[keep]


def _pixels(crops: pd.DataFrame) -> np.ndarray[tuple[int, int], np.dtype[np.int16]]:
    """The tiny pictures, a row of 192 values a crop."""
    flat = np.frombuffer(b"".join(crops["tiny"].tolist()), np.uint8)
    return flat.reshape(len(crops), -1 if len(crops) else 192).astype(np.int16)
