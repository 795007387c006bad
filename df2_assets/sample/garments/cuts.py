"""The numbers that make a silhouette, in body units (a head's height is 1)."""

from dataclasses import dataclass
from typing import Literal

Fit = Literal["boxy", "fitted", "flared"]
Neck = Literal["round", "scoop", "v", "boat", "square", "high"]
Collar = Literal["none", "shirt", "lapel", "hood", "stand"]
Front = Literal["plain", "buttons", "zip", "pocket", "print", "bib"]


@dataclass(frozen=True, kw_only=True)
class Upper:
    """A top, outwear or a dress.

    `shoulder` is half the width up to where the cloth ends on the shoulder, 0 for thin straps;
    `sleeve` the length along the arm, 0 for none; `hem_y` and `hem` height and half-width of the
    lower edge, `hem_drop` how much deeper it is in the middle; `ease` the room beside the body;
    `gap` half the opening of an open front, 0 for a closed one.
    """

    neck: Neck
    neck_width: float
    neck_depth: float
    fit: Fit
    ease: float
    hem_y: float
    hem: float
    hem_drop: float
    shoulder: float
    sleeve: float = 0.0
    cuff: float = 0.0
    gap: float = 0.0
    collar: Collar = "none"
    front: Front = "plain"
    belt: bool = False
    dress: bool = False


@dataclass(frozen=True, kw_only=True)
class Lower:
    """Shorts, trousers or a skirt.

    `hem` is half the width of a leg's or the skirt's lower edge; `flare` how late a skirt widens.
    """

    waist_y: float
    hem_y: float
    hem: float
    ease: float
    legs: bool
    cuffs: bool = False
    pleats: int = 0
    buttons: bool = False
    flare: float = 1.0


Cut = Upper | Lower
