"""SKUs whose crops look unlike each other: different garments under one pair id and style.

A cheap distance that lighting and pose disturb little: how the colours in the middle of two crops
are spread, and how busy they are. It cannot say that a label is wrong, only where to look first.
"""

from typing import Final

import numpy as np
import pandas as pd

from df2_assets.checks.finding import CROP, Finding, number_of
from df2_assets.dataset.frames import TEXT

UNLIKE: Final = 36.0
"""Distance beyond which two crops are not of one garment; of one they are mostly under 25."""

_FEWEST: Final = 3
"""Crops of a SKU that can be compared: of two, neither is the odd one."""

_HEAVY: Final = 3
_LIGHT: Final = 0.3
"""Weight of lightness beside the two colour differences: two photographs differ in it most."""

_TEXTURE: Final = 0.5

Floats = np.ndarray[tuple[int, ...], np.dtype[np.float32]]


def unlike_crops(crops: pd.DataFrame, groups: pd.DataFrame) -> Finding:
    """Find crops further than 36 from most others of their SKU; `unlike` is the nearest.

    `crops` are rows of `looks`, `groups` those of `sku_groups`. A SKU's crops fall apart where no
    chain of steps up to that distance joins them; what the largest part does not hold is odd.
    Left out are heavily occluded crops, those that cannot be compared, and greyscale ones.
    """
    rows = crops.merge(groups[["crop_path", "occlusion"]], on="crop_path", how="left")
    pixels = np.frombuffer(b"".join(rows["tiny"].tolist()), np.uint8).reshape(len(rows), 8, 8, 3)
    coloured = (pixels != pixels[..., :1]).any(axis=(1, 2, 3))
    usable = rows["comparable"].to_numpy(bool) & coloured & (rows["occlusion"] != _HEAVY).to_numpy()
    rows, colours = rows[usable].reset_index(drop=True), _colours(pixels[usable])
    texture = rows["texture"].to_numpy(np.float32)
    catalog = (rows["domain"] == "catalog").to_numpy(bool)
    odd: list[tuple[int, float, int]] = []
    judged = 0
    for places in rows.groupby("sku_id", sort=True).indices.values():
        if len(places) < _FEWEST:
            continue
        judged += 1
        distances = _distances(colours[places], texture[places])
        part = _parts(distances)
        main = _main(part, catalog[places])
        for place in np.flatnonzero(part != main):
            others = np.flatnonzero(part == main)
            nearest = others[distances[place, others].argmin()]
            step = round(float(distances[place, nearest]), 1)
            odd.append((int(places[place]), step, int(places[nearest])))
    odd.sort(key=lambda one: (-one[1], one[0]))
    found = rows.iloc[[place for place, _, _ in odd]][CROP].reset_index(drop=True)
    paths = rows["crop_path"].tolist()
    found["unlike"] = pd.Series([paths[nearest] for _, _, nearest in odd], dtype=TEXT)
    found["distance"] = pd.Series([step for _, step, _ in odd], dtype="float64")
    found["what"] = "unlike the other crops of its SKU"
    skus = found["sku_id"].nunique()
    summary = f"{number_of(judged, 'SKU')} with {_FEWEST} crops or more to compare: "
    if skus:
        summary += (
            f"in {skus:,} some look unlike the rest ({number_of(len(found), 'crop')}). Different "
            "garments may be under one pair id: look at the worst first."
        )
    else:
        summary += "the crops of each look alike."
    return Finding(
        found.empty,
        "warn",
        judged,
        summary,
        found,
        {"skus_unlike": skus, "crops_unlike": len(found)},
    )


def _colours(pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> Floats:
    """Return lightness and two colour differences of the middle, sorted: place does not matter."""
    middle = pixels[:, 1:7, 2:6].reshape(len(pixels), 24, 3).astype(np.float32)
    red, green, blue = middle[..., 0], middle[..., 1], middle[..., 2]
    light = _LIGHT * (red + green + blue) / 3
    spread = np.stack([light, red - green, (red + green) / 2 - blue], axis=2)
    return np.sort(spread, axis=1).reshape(len(pixels), 72)


def _distances(colours: Floats, texture: Floats) -> Floats:
    """Return distances between the crops of a SKU; row by row, for a SKU can have hundreds."""
    rows = [np.abs(colours - one).mean(axis=1) for one in colours]
    apart: Floats = np.abs(texture[:, None] - texture[None])
    apart *= _TEXTURE
    apart += np.stack(rows)
    return apart


def _parts(distances: Floats) -> Floats:
    """Return for each crop the number of the part that steps up to the limit join it to."""
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
    """Return the part with most crops; of equal ones that with more of the shop's, or the first."""
    return int(
        max(
            np.unique(part).tolist(),
            key=lambda one: ((part == one).sum(), (catalog & (part == one)).sum(), -one),
        )
    )
