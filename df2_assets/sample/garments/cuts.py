"""What a garment is cut like: the numbers that make a silhouette, for each of 13 categories."""

import random
from dataclasses import dataclass
from typing import Final, Literal

Fit = Literal["boxy", "fitted", "flared"]
Neck = Literal["round", "scoop", "v", "boat", "square", "high"]
Collar = Literal["none", "shirt", "lapel", "hood", "stand"]
Front = Literal["plain", "buttons", "zip", "pocket", "print", "bib"]


@dataclass(frozen=True)
class Upper:
    """A top, outwear or dress, in body units.

    `shoulder` is where the cloth ends on the shoulder (half-width), 0 for thin straps; `sleeve` its
    length along the arm, 0 for none; `hem_y` and `hem` height and half-width of the lower edge;
    `gap` half the opening of an open front, 0 for a closed one.
    """

    neck: Neck
    neck_width: float
    neck_depth: float
    shoulder: float
    sleeve: float
    cuff: float
    fit: Fit
    ease: float
    hem_y: float
    hem: float
    hem_drop: float = 0.06
    gap: float = 0.0
    collar: Collar = "none"
    front: Front = "plain"
    belt: bool = False
    dress: bool = False


@dataclass(frozen=True)
class Lower:
    """Shorts, trousers or a skirt, in body units; `hem` is half the width of a leg or the skirt."""

    waist_y: float
    hem_y: float
    hem: float
    ease: float
    legs: bool
    pleats: int = 0
    pockets: bool = False
    cuffs: bool = False
    buttons: bool = False
    flared: float = 1.0


Cut = Upper | Lower

_CLOSED_NECKS: Final[tuple[Neck, ...]] = ("round", "round", "v", "boat", "scoop", "square")
_NECK_SIZES: Final[dict[Neck, tuple[float, float]]] = {
    "round": (0.34, 1.62),
    "scoop": (0.42, 1.95),
    "v": (0.36, 2.12),
    "boat": (0.56, 1.56),
    "square": (0.42, 1.85),
    "high": (0.25, 1.42),
}


def choose(chance: random.Random, category_id: int, short: bool) -> Cut:
    """A cut of the category; `short` keeps outwear above the knees, for wear over legs."""
    if category_id in (7, 8, 9):
        return _lower(chance, category_id)
    if category_id in (3, 4):
        return _outwear(chance, sleeve_long=category_id == 4, short=short)
    sleeves = {1: "short", 2: "long", 5: "none", 6: "straps"}
    sleeves |= {10: "short", 11: "long", 12: "none", 13: "straps"}
    return _closed(chance, sleeves[category_id], dress=category_id >= 10)


def _closed(chance: random.Random, sleeves: str, dress: bool) -> Upper:
    neck: Neck = chance.choice(_CLOSED_NECKS)
    collar: Collar = "none"
    front: Front = chance.choice(("plain", "plain", "print", "pocket"))
    shoulder, sleeve, cuff = 0.86, 0.0, 0.0
    if sleeves == "short":
        sleeve, cuff = chance.uniform(0.62, 1.0), chance.uniform(0.3, 0.42)
        if chance.random() < 0.35:
            collar, front, neck = "shirt", "buttons", "v"
    elif sleeves == "long":
        sleeve, cuff = chance.uniform(2.3, 2.5), chance.uniform(0.15, 0.26)
        neck = chance.choice((*_CLOSED_NECKS, "high", "high"))
        if chance.random() < 0.3:
            collar, front, neck = "shirt", "buttons", "v"
        elif not dress and chance.random() < 0.3:
            collar, front, neck = "hood", "bib", "round"
    elif sleeves == "none":
        shoulder = chance.uniform(0.58, 0.68)
        neck = chance.choice(("scoop", "round", "v", "square"))
    else:
        shoulder, neck, front = 0.0, "v", "plain"
    if dress and front == "print":
        front = "plain"
    width, depth = _NECK_SIZES[neck]
    if collar == "shirt":
        depth = 1.85
    if sleeves == "none":
        width = min(width, shoulder - 0.2)
    if dress:
        fit: Fit = chance.choice(("flared", "flared", "flared", "fitted"))
        hem_y = chance.choice((4.9, 5.3, 5.7, 6.4, 7.0)) + chance.uniform(-0.15, 0.15)
        hem = chance.uniform(1.0, 1.6) if fit == "flared" else chance.uniform(0.64, 0.74)
        belt = chance.random() < 0.4
    else:
        fit = chance.choice(("boxy", "fitted", "fitted", "flared"))
        hem_y = chance.uniform(3.4, 3.9)
        hem = {"boxy": 0.82, "fitted": 0.7, "flared": 1.0}[fit]
        belt = False
    ease = chance.uniform(0.03, 0.1) + (0.08 if fit == "boxy" else 0.0)
    return Upper(
        neck,
        width,
        depth,
        shoulder,
        sleeve,
        cuff,
        fit,
        ease,
        hem_y,
        hem,
        hem_drop=chance.uniform(0.02, 0.12),
        collar=collar,
        front=front,
        belt=belt,
        dress=dress,
    )


def _outwear(chance: random.Random, sleeve_long: bool, short: bool) -> Upper:
    collar: Collar = chance.choice(("lapel", "lapel", "stand", "none", "shirt"))
    fit: Fit = chance.choice(("boxy", "boxy", "fitted", "flared"))
    if sleeve_long:
        collar = chance.choice((collar, "hood"))
        sleeve, cuff = chance.uniform(2.35, 2.6), chance.uniform(0.2, 0.32)
        hem_y = chance.uniform(3.4, 3.8) if short else chance.uniform(4.4, 6.3)
    else:
        sleeve, cuff = chance.uniform(0.8, 1.25), chance.uniform(0.42, 0.55)
        hem_y = chance.uniform(3.4, 3.7) if short else chance.uniform(4.0, 5.0)
    reach = hem_y - 3.6
    hem = {"boxy": 0.86, "fitted": 0.76, "flared": 0.95}[fit] + 0.12 * reach
    return Upper(
        "v",
        0.36,
        2.3,
        0.93,
        sleeve,
        cuff,
        fit,
        chance.uniform(0.14, 0.22),
        hem_y,
        hem,
        gap=chance.uniform(0.22, 0.38),
        collar=collar,
        front=chance.choice(("buttons", "zip", "pocket")),
        belt=False,
    )


def _lower(chance: random.Random, category_id: int) -> Lower:
    waist_y = chance.uniform(2.98, 3.2)
    if category_id == 9:
        hem_y = chance.choice((4.7, 5.2, 5.7, 6.3, 7.0)) + chance.uniform(-0.15, 0.15)
        straight = chance.random() < 0.25
        hem = chance.uniform(0.6, 0.72) if straight else 0.85 + (hem_y - 4.5) * 0.28
        return Lower(
            waist_y,
            hem_y,
            hem + chance.uniform(0, 0.15),
            chance.uniform(0.02, 0.06),
            legs=False,
            pleats=0 if straight else chance.choice((0, 5, 9)),
            buttons=chance.random() < 0.3,
            flared=1.0 if straight else chance.uniform(0.8, 1.3),
        )
    if category_id == 7:
        hem_y, hem = chance.uniform(4.85, 5.6), chance.uniform(0.4, 0.52)
    else:
        hem_y, hem = chance.uniform(7.1, 7.65), chance.choice((0.17, 0.21, 0.27, 0.38, 0.46))
    return Lower(
        waist_y,
        hem_y,
        hem,
        chance.uniform(0.03, 0.1),
        legs=True,
        pockets=True,
        cuffs=chance.random() < 0.3,
    )
