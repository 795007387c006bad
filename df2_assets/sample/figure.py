"""The person who wears the clothes, and the pose."""

import math
import random
from itertools import pairwise
from typing import Final, NamedTuple

from df2_assets.sample.canvas import (
    Part,
    Polygon,
    close_outline,
    curve,
    ellipse,
    mirror_both,
    ribbon,
    shade,
)

SKINS: Final = ((241, 208, 184), (206, 157, 120), (168, 117, 83), (122, 82, 58), (88, 59, 44))
_HAIRS: Final = ((38, 30, 28), (104, 70, 44), (186, 146, 92), (142, 62, 40), (120, 116, 116))
_SHOES: Final = ((240, 240, 238), (40, 36, 38), (120, 76, 50), (170, 60, 58), (90, 100, 120))

_BODY: Final = ((1.5, 0.8), (2.1, 0.64), (3.05, 0.5), (3.5, 0.62), (3.95, 0.71), (8.0, 0.6))
"""Half the width of the trunk, by height, in body units."""


class Pose(NamedTuple):
    """The pose of a body, or of cloth that is laid flat.

    `upper` and `lower` are the angles of the arms, in degrees from straight down. `stance` moves
    the feet apart, in body units. If `empty`, nobody wears the clothes, and their inside shows.
    """

    upper: float
    lower: float
    stance: float
    empty: bool = False

    def arm(self) -> Polygon:
        """Return the joints of the arm at positive x."""
        upper, lower = math.radians(self.upper), math.radians(self.lower)
        elbow = (0.76 + 1.3 * math.sin(upper), 1.66 + 1.3 * math.cos(upper))
        wrist = (elbow[0] + 1.15 * math.sin(lower), elbow[1] + 1.15 * math.cos(lower))
        return [(0.52, 1.6), (0.76, 1.68), elbow, wrist]

    def leg(self) -> Polygon:
        """Return hip, knee and ankle of the leg at positive x."""
        return [(0.37, 4.0), (0.36 + self.stance * 0.5, 5.85), (0.33 + self.stance, 7.6)]


FLAT: Final = Pose(42, 34, 0.22, empty=True)


def body_width(y: float) -> float:
    """Return half the width of the trunk at a height of at most 8."""
    (y1, w1), (y2, w2) = next(part for part in pairwise(_BODY) if y <= part[1][0])
    return w1 + (w2 - w1) * max(0.0, (y - y1) / (y2 - y1))


def choose_pose(rng: random.Random) -> Pose:
    """Return a random standing pose."""
    return Pose(rng.uniform(8, 20), rng.uniform(2, 15), rng.uniform(-0.05, 0.2))


def choose_figure(rng: random.Random, pose: Pose) -> list[Part]:
    """Return the parts of a person in a pose, without clothes."""
    skin, hair, shoes = rng.choice(SKINS), rng.choice(_HAIRS), rng.choice(_SHOES)
    flank = curve([(0.72, 1.48), (0.82, 1.62), (0.62, 2.15), (0.5, 3.05), (0.68, 3.95)])
    (x, y), hand = pose.leg()[-1], pose.arm()[-1]
    limbs = [
        *mirror_both(ribbon(curve(pose.leg()), 0.33, 0.11)),
        *mirror_both(ribbon(curve(pose.arm()), 0.2, 0.09)),
        *mirror_both(ellipse(*hand, 0.14, 0.22)),
        close_outline([(0, 1.3), (0.25, 1.34), *flank, (0.66, 4.3), (0, 4.45)]),
    ]
    return [
        Part(ellipse(0, 0.62, 0.56, 0.68), shade(hair, 0.8)),
        *(Part(outline, skin) for outline in limbs),
        *(Part(shoe, shoes) for shoe in mirror_both(ellipse(x + 0.04, y + 0.18, 0.18, 0.26))),
        Part(close_outline([(0.2, 0.85), (0.27, 1.5)]), shade(skin, 0.86)),
        Part(ellipse(0, 0.54, 0.41, 0.52), skin),
        Part(ellipse(0, 0.2, 0.42, 0.26), hair),
    ]
