"""The person who wears the clothes, and how that person stands."""

import math
import random
from itertools import pairwise
from typing import Final, NamedTuple

from df2_assets.sample.canvas import Part, Polygon, closed, curve, ellipse, ribbon, shade

SKINS: Final = ((241, 208, 184), (206, 157, 120), (168, 117, 83), (122, 82, 58), (88, 59, 44))
_HAIRS: Final = ((38, 30, 28), (104, 70, 44), (186, 146, 92), (142, 62, 40), (120, 116, 116))
_SHOES: Final = ((240, 240, 238), (40, 36, 38), (120, 76, 50), (170, 60, 58), (90, 100, 120))
_HAIRCUTS: Final[tuple[Polygon, ...]] = (
    [(0.5, 0.3), (0.62, 1.2), (0.62, 2.0), (0.0, 2.1)],
    [(0.52, 0.35), (0.6, 0.9), (0.54, 1.2), (0.0, 1.2)],
)
"""The right edge of hair that falls behind the head."""

_BODY: Final = ((1.5, 0.8), (2.1, 0.64), (3.05, 0.5), (3.5, 0.62), (3.95, 0.71), (8.0, 0.6))
"""Height and half the width of the trunk there."""


class Pose(NamedTuple):
    """How a body stands, or cloth lies.

    `arms` are the angles of upper and lower arm in degrees from straight down, at positive and at
    negative x; `stance` moves the feet apart; `turned` is where the face looks, 0 for straight on.
    `back`: seen from behind. `empty`: nobody wears it, and the inside of the garment shows.
    """

    arms: tuple[tuple[float, float], ...]
    stance: float = 0.0
    turned: int = 0
    back: bool = False
    empty: bool = False

    def arm(self, side: int) -> Polygon:
        """Return the joints of an arm (0 or 1), both as if at positive x."""
        upper, lower = (math.radians(angle) for angle in self.arms[side])
        elbow = (0.76 + 1.3 * math.sin(upper), 1.66 + 1.3 * math.cos(upper))
        wrist = (elbow[0] + 1.15 * math.sin(lower), elbow[1] + 1.15 * math.cos(lower))
        return [(0.52, 1.6), (0.76, 1.68), elbow, wrist]

    def leg(self) -> Polygon:
        """Return hip, knee and ankle of the leg at positive x."""
        return [(0.37, 4.0), (0.36 + self.stance * 0.5, 5.85), (0.33 + self.stance, 7.6)]


FLAT: Final = Pose(((42, 34), (42, 34)), stance=0.22, empty=True)


class Figure(NamedTuple):
    """Somebody: `body` and `arms` are painted under the clothes, `locks` over them."""

    body: list[Part]
    arms: list[Part]
    locks: list[Part]


def body_width(y: float) -> float:
    """Return half the width of the trunk at a height of at most 8."""
    (y1, w1), (y2, w2) = next(part for part in pairwise(_BODY) if y <= part[1][0])
    return w1 + (w2 - w1) * max(0.0, (y - y1) / (y2 - y1))


def choose_pose(rng: random.Random, turned: int, back: bool) -> Pose:
    """Return a way to stand; unless turned, one in four has a hand on the hip."""
    arms = [(rng.uniform(8, 20), rng.uniform(2, 15)) for _ in range(2)]
    if not turned and rng.random() < 0.25:
        arms[rng.randrange(2)] = (rng.uniform(38, 46), rng.uniform(-38, -28))
    return Pose(tuple(arms), rng.uniform(-0.05, 0.2), turned, back)


def choose_figure(rng: random.Random, pose: Pose) -> Figure:
    """Return somebody in a pose."""
    skin, hair, shoes = rng.choice(SKINS), rng.choice(_HAIRS), rng.choice(_SHOES)
    *edge, end = rng.choice(_HAIRCUTS)
    fall, look = closed([(0, 0.05), *curve(edge), end]), 0.17 * pose.turned
    leg = Part(ribbon(curve(pose.leg()), 0.33, 0.11), skin, 0.13)
    x, y = pose.leg()[-1]
    sole = [(x - 0.15, y + 0.26), (x + 0.05, y + 0.42), (x + 0.24, y + 0.3)]
    shoe = Part([*curve([(x - 0.15, y), *sole]), (x + 0.15, y)], shoes, 0.13)
    flank = curve([(0.72, 1.48), (0.82, 1.62), (0.62, 2.15), (0.5, 3.05), (0.68, 3.95)])
    jaw = curve([(0.3, 0.15), (0.4, 0.5), (0.3, 0.86), (0.12, 1.02)])
    crown = curve([(-0.44, 0.62), (-0.45, 0.3), (0, -0.06), (0.45, 0.3), (0.44, 0.62)])
    fringe = curve([(0.35, 0.42), (0.1 + look, 0.24), (-0.2 + look, 0.3), (-0.35, 0.44)])
    body = [
        *(Part(fall, shade(hair, 0.8), 0.2), leg, leg.mirrored(), shoe, shoe.mirrored()),
        Part(closed([(0, 1.3), (0.25, 1.34), *flank, (0.66, 4.3), (0, 4.45)]), skin, 0.13),
        Part(closed([(0.2, 0.85), (0.27, 1.5)]), shade(skin, 0.86), 0.13),
        Part(closed([(0, 0.08), *jaw, (0, 1.04)]), skin, 0.12),
        Part([*crown, *fringe], hair, 0.15),
        Part(ribbon([(look, 0.55), (look * 1.4 + 0.03, 0.72)], 0.015), shade(skin, 0.8)),
        Part(ribbon([(look - 0.1, 0.84), (look + 0.1, 0.84)], 0.025), (168, 84, 80)),
        *(Part(ellipse(look + x, 0.53, 0.055, 0.035), (44, 34, 34)) for x in (-0.16, 0.16)),
    ]
    arms: list[Part] = []
    for side in (0, 1):
        path = pose.arm(side)
        (ex, ey), (hx, hy) = path[-2:]
        hand = ellipse(hx + (hx - ex) * 0.13, hy + (hy - ey) * 0.13, 0.12, 0.2)
        for part in (Part(ribbon(curve(path), 0.2, 0.09), skin, 0.1), Part(hand, skin, 0.08)):
            arms.append(part.mirrored() if side else part)
    return Figure(body, arms, [Part(fall, hair, 0.18)] if pose.back else [])
