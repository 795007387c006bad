"""The check for SKUs whose crops look different: several garments under one pair id and style.

It uses a cheap distance that depends little on light and pose: how the colours in the middle of two
crops are distributed, and how busy they are. Where the split has embeddings, their vectors are
compared instead. It does not prove that a label is wrong, it only says
where to look first.
"""

from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from df2_assets.checks.finding import CROP, Finding, number_of
from df2_assets.checks.likeness import Floats as Vectors
from df2_assets.checks.likeness import Ints, share_of_nearer_strangers
from df2_assets.dataset.frames import TEXT

UNLIKE: Final = 36.0
"""Distance above which two crops show different garments; of one garment it is mostly under 25."""

_FEWEST: Final = 3
"""How many crops of a SKU must be comparable: of only two, neither is the odd one out."""

_HEAVY: Final = 3
_LIGHT: Final = 0.3
"""Weight of lightness, against 1 for each colour difference: it varies most between photographs."""

_TEXTURE: Final = 0.5

NEARER: Final = 1 / 3
"""Share of strangers above which a crop is of another garment; of its own it is mostly under 0.1.
A crop of another garment is as near as any stranger, so all shares are equally likely for it."""

Floats = np.ndarray[tuple[int, ...], np.dtype[np.float32]]


class _Odd(NamedTuple):
    """A crop unlike its SKU, by its place, and the nearest crop of the SKU."""

    place: int
    distance: float
    nearest: int


def unlike_crops(crops: pd.DataFrame, groups: pd.DataFrame, vectors: Vectors | None) -> Finding:
    """Find crops that look unlike most others of their SKU; `unlike` is the nearest of those.

    `crops` are rows of `looks`, `groups` those of `sku_groups`. Heavily occluded, greyscale and
    incomparable crops are ignored.

    Crops of a SKU belong together if a chain of steps of at most `UNLIKE` connects them. Those
    outside the largest such part are the offenders. With `vectors`, one per crop and of length 1,
    the offenders are the crops of which more than `NEARER` of the strangers are nearer than the
    nearest crop of the SKU.
    """
    columns = ["crop_path", "occlusion", *([] if vectors is None else ["category_id"])]
    rows = crops.merge(groups[columns], on="crop_path", how="left")
    pixels = np.frombuffer(b"".join(rows["tiny"].tolist()), np.uint8).reshape(len(rows), 8, 8, 3)
    coloured = (pixels != pixels[..., :1]).any(axis=(1, 2, 3))
    usable = rows["comparable"].to_numpy(bool) & coloured & (rows["occlusion"] != _HEAVY).to_numpy()
    if vectors is not None:
        usable &= np.isfinite(vectors).all(axis=1)
    rows = rows[usable].reset_index(drop=True)
    skus = [
        places
        for places in rows.groupby("sku_id", sort=True).indices.values()
        if len(places) >= _FEWEST
    ]
    if vectors is None:
        odd = _find_by_colour(rows, pixels[usable], skus)
    else:
        odd = _find_by_vector(rows, vectors[usable], skus)
    odd.sort(key=lambda crop: (-crop.distance, crop.place))
    offenders = rows.iloc[[crop.place for crop in odd]][CROP].reset_index(drop=True)
    paths = rows["crop_path"].tolist()
    offenders["unlike"] = pd.Series([paths[crop.nearest] for crop in odd], dtype=TEXT)
    offenders["distance"] = pd.Series([crop.distance for crop in odd], dtype="float64")
    offenders["what"] = "unlike the other crops of its SKU"
    count = offenders["sku_id"].nunique()
    summary = f"{number_of(len(skus), 'SKU')} with {_FEWEST} crops or more to compare: "
    if count:
        summary += (
            f"in {count:,} some look unlike the rest ({number_of(len(offenders), 'crop')}). "
            "Several garments may have the same pair id: look at the worst first."
        )
    else:
        summary += "the crops of each look alike."
    return Finding(
        offenders.empty,
        "warn",
        len(skus),
        summary,
        offenders,
        {"skus_unlike": count, "crops_unlike": len(offenders)},
    )


def _find_by_colour(
    rows: pd.DataFrame, pixels: "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]", skus: list[Ints]
) -> list[_Odd]:
    """Return the crops outside the main part of their SKU."""
    colours, texture = _colours(pixels), rows["texture"].to_numpy(np.float32)
    catalog = (rows["domain"] == "catalog").to_numpy(bool)
    odd: list[_Odd] = []
    for places in skus:
        distances = _distances(colours[places], texture[places])
        part = _parts(distances)
        main = _main(part, catalog[places])
        for place in np.flatnonzero(part != main):
            candidates = np.flatnonzero(part == main)
            nearest = candidates[distances[place, candidates].argmin()]
            step = round(float(distances[place, nearest]), 1)
            odd.append(_Odd(int(places[place]), step, int(places[nearest])))
    return odd


def _find_by_vector(rows: pd.DataFrame, vectors: Vectors, skus: list[Ints]) -> list[_Odd]:
    """Return the crops that are nearer to strangers than to their SKU; distances are in percent."""
    shares, nearest = share_of_nearer_strangers(vectors, rows["sku_id"], rows["category_id"])
    return [
        _Odd(int(place), round(100 * float(shares[place]), 1), int(nearest[place]))
        for places in skus
        for place in places[shares[places] > NEARER]
    ]


def _colours(pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> Floats:
    """Return lightness and two colour differences of the middle, sorted to ignore their places."""
    middle = pixels[:, 1:7, 2:6].reshape(len(pixels), 24, 3).astype(np.float32)
    red, green, blue = middle[..., 0], middle[..., 1], middle[..., 2]
    light = _LIGHT * (red + green + blue) / 3
    spread = np.stack([light, red - green, (red + green) / 2 - blue], axis=2)
    return np.sort(spread, axis=1).reshape(len(pixels), 72)


def _distances(colours: Floats, texture: Floats) -> Floats:
    """Return the distances between the crops of a SKU, computed row by row to save memory."""
    rows = [np.abs(colours - crop).mean(axis=1) for crop in colours]
    apart: Floats = np.abs(texture[:, None] - texture[None])
    apart *= _TEXTURE
    apart += np.stack(rows)
    return apart


def _parts(distances: Floats) -> Floats:
    """Return for each crop the number of the part that steps of at most `UNLIKE` connect it to."""
    count = len(distances)
    part = np.full(count, -1)
    near = distances <= UNLIKE
    for start in range(count):
        if part[start] >= 0:
            continue
        reached = np.zeros(count, bool)
        reached[start] = True
        while (more := near[reached].any(axis=0) & ~reached).any():
            reached |= more
        part[reached] = start
    return part


def _main(part: Floats, catalog: "np.ndarray[tuple[int, ...], np.dtype[np.bool_]]") -> int:
    """Return the largest part; of several the one with most catalog crops, or else the first."""
    return int(
        max(
            np.unique(part).tolist(),
            key=lambda n: ((part == n).sum(), (catalog & (part == n)).sum(), -n),
        )
    )
