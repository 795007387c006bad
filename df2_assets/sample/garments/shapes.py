"""A garment in a pose: the pieces of cloth, the seams and the trimmings, in body units."""

import math
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from df2_assets.sample.geometry import Polygon, closed, mirrored

Seam = tuple[Polygon, float]
Trim = tuple[Polygon, float]

_BODY: Final = (
    (1.5, 0.8), (2.1, 0.64), (2.6, 0.56), (3.05, 0.5), (3.5, 0.62), (3.95, 0.71), (4.4, 0.7),
    (8.0, 0.6),
)  # fmt: skip
_UPPER_ARM: Final = 1.3
_FOREARM: Final = 1.15

HIP_Y: Final = 4.0
KNEE_Y: Final = 5.85
ANKLE_Y: Final = 7.6


@dataclass(frozen=True)
class Pose:
    """How a body stands, or cloth lies: arm angles (upper, lower) in degrees from straight down.

    `right` is the arm at positive x. `stance` moves the feet apart. `back`: seen from behind.
    `empty`: nobody wears it, so that its inside shows.
    """

    right: tuple[float, float]
    left: tuple[float, float]
    stance: float = 0.0
    back: bool = False
    empty: bool = False

    def arm(self, side: int) -> Polygon:
        """Shoulder, elbow, wrist of the arm at positive (1) or negative (-1) x."""
        upper, lower = (math.radians(a) for a in (self.right if side > 0 else self.left))
        x, y = 0.76, 1.66
        elbow = (x + _UPPER_ARM * math.sin(upper), y + _UPPER_ARM * math.cos(upper))
        wrist = (elbow[0] + _FOREARM * math.sin(lower), elbow[1] + _FOREARM * math.cos(lower))
        return on_side([(x, y), elbow, wrist], side)

    def leg(self, side: int) -> Polygon:
        """Hip, knee, ankle."""
        knee, ankle = (0.36 + self.stance * 0.5, KNEE_Y), (0.33 + self.stance, ANKLE_Y)
        return on_side([(0.37, HIP_Y), knee, ankle], side)


FLAT: Final = Pose(right=(42, 34), left=(42, 34), stance=0.22, empty=True)


@dataclass(frozen=True)
class Piece:
    """A part of the silhouette; `turn` is the angle of its grain in degrees."""

    outline: Polygon
    turn: float = 0.0


@dataclass
class Shape:
    """What is painted, layer by layer, from the first field to the last.

    `lining` is what shows of the inside; `pieces` make up the silhouette; `prints` are in the
    fabric's second colour; `trims` are in a lighter or darker shade (factor); `seams` are lines
    with a width.
    """

    lining: list[Polygon] = field(default_factory=list)
    pieces: list[Piece] = field(default_factory=list)
    prints: list[Polygon] = field(default_factory=list)
    trims: list[Trim] = field(default_factory=list)
    seams: list[Seam] = field(default_factory=list)

    def seam(self, width: float, *line: tuple[float, float]) -> None:
        """A line of stitches."""
        self.seams.append((list(line), width))

    def seams_on_both(self, width: float, *line: tuple[float, float]) -> None:
        """The same line on either side of the body's axis."""
        self.seam(width, *line)
        self.seam(width, *mirrored(list(line)))

    def trim(self, factor: float, *outline: tuple[float, float]) -> None:
        """A collar, a belt, a button."""
        self.trims.append((list(outline), factor))

    def trims_on_both(self, factor: float, *outline: tuple[float, float]) -> None:
        """The same part on either side of the body's axis."""
        self.trim(factor, *outline)
        self.trim(factor, *mirrored(list(outline)))

    def trim_across(self, factor: float, *half: tuple[float, float]) -> None:
        """A part over the middle, whose right half goes from top to bottom."""
        self.trim(factor, *closed(list(half)))


def on_side(points: Polygon, side: int) -> Polygon:
    """`points` as they are (1), or on the other side of the body's axis (-1)."""
    return points if side > 0 else mirrored(points)


def body_width(y: float) -> float:
    """Half the width of the body at height `y`."""
    for (y1, w1), (y2, w2) in pairwise(_BODY):
        if y <= y2:
            return w1 + (w2 - w1) * max(0.0, (y - y1) / (y2 - y1))
    raise ValueError(f"no body at height {y}")
