"""The person who wears the clothes: simple, but with a head, hair, hands and shoes."""

import random
from dataclasses import dataclass
from typing import Final

from df2_assets.sample.brush import Brush
from df2_assets.sample.canvas import Colour, shade
from df2_assets.sample.garments.shapes import Pose
from df2_assets.sample.geometry import Polygon, closed, curve, ellipse, ribbon

SKINS: Final[tuple[Colour, ...]] = (
    (241, 208, 184), (229, 187, 156), (206, 157, 120), (168, 117, 83), (122, 82, 58), (88, 59, 44),
)  # fmt: skip
_HAIRS: Final[tuple[Colour, ...]] = (
    (38, 30, 28), (64, 44, 32), (104, 70, 44), (186, 146, 92), (142, 62, 40), (24, 24, 30),
    (120, 116, 116),
)  # fmt: skip
_SHOES: Final[tuple[Colour, ...]] = (
    (240, 240, 238), (40, 36, 38), (120, 76, 50), (170, 60, 58), (90, 100, 120),
)  # fmt: skip
_HAIRCUTS: Final = ("short", "bob", "long", "bun", "long", "tail")
_ARM: Final = [0.19, 0.178, 0.165, 0.153, 0.14, 0.128, 0.115, 0.103, 0.09]
_LEG: Final = [0.33, 0.303, 0.275, 0.248, 0.22, 0.193, 0.165, 0.138, 0.11]


@dataclass(frozen=True)
class Figure:
    """Who is in the picture; `turned` is 0 from the front or behind, else where the face looks."""

    skin: Colour
    hair: Colour
    haircut: str
    shoes: Colour
    turned: int

    def paint_behind(self, brush: Brush) -> None:
        """Hair that falls behind the shoulders."""
        falls: dict[str, Polygon] = {
            "long": [(0.5, 0.3), (0.62, 1.2), (0.62, 2.0), (0, 2.1)],
            "bob": [(0.52, 0.35), (0.6, 0.9), (0.54, 1.2), (0, 1.2)],
        }
        if self.haircut in falls:
            *fall, end = falls[self.haircut]
            brush.round(shade(self.hair, 0.8), 0.2, closed([(0, 0.05), *curve(fall, 4), end]))

    def paint_body(self, brush: Brush, pose: Pose) -> None:
        """Legs, shoes, trunk, neck and head."""
        for side in (1, -1):
            leg = pose.leg(side)
            brush.round(self.skin, 0.13, ribbon(curve(leg, 4), _LEG))
            x, y = leg[-1]
            toe = x + 0.22 * self.turned + 0.06 * side
            sole = [(x - 0.15, y + 0.25), (toe, y + 0.42), (toe + 0.17, y + 0.3)]
            shoe = curve([(x - 0.15, y - 0.1), *sole, (x + 0.15, y - 0.1)], 4)
            brush.round(self.shoes, 0.13, shoe)
        flank = curve([(0.82, 1.62), (0.62, 2.15), (0.5, 3.05), (0.68, 3.95), (0.66, 4.3)], 4)
        shoulders = [(0.0, 1.3), (0.25, 1.34), (0.72, 1.48)]
        brush.round(self.skin, 0.13, closed([*shoulders, *flank, (0, 4.45)]))
        neck = closed([(0, 0.85), (0.2, 0.85), (0.27, 1.5), (0, 1.5)])
        brush.round(shade(self.skin, 0.86), 0.13, neck)
        self._head(brush, pose)

    def paint_arms(self, brush: Brush, pose: Pose) -> None:
        """Arms and hands."""
        for side in (1, -1):
            arm = pose.arm(side)
            brush.round(self.skin, 0.1, ribbon(curve(arm, 4), _ARM), ellipse(*arm[0], 0.19, 0.19))
            (ex, ey), (wx, wy) = arm[1:]
            dx, dy = (wx - ex) * 0.15, (wy - ey) * 0.15
            hand = [(wx, wy), (wx + dx, wy + dy), (wx + 2 * dx, wy + 2 * dy)]
            brush.round(self.skin, 0.08, ribbon(hand, [0.09, 0.14, 0.07]))

    def paint_locks(self, brush: Brush, pose: Pose) -> None:
        """Long hair that falls over the clothes, when seen from behind."""
        if not pose.back or self.haircut not in ("long", "tail"):
            return
        width, end = (0.5, 2.0) if self.haircut == "long" else (0.17, 2.1)
        edge = curve([(width * 0.9, 0.5), (width, 1.3), (width * 0.6, end)], 4)
        brush.round(self.hair, 0.18, closed([(0, 0.2), *edge, (0, end + 0.1)]))
        for x in (-0.5, 0.1, 0.6):
            strand = curve([(x * width, 0.3), (x * width * 1.1, 1.2), (x * width * 0.7, end)], 4)
            brush.line(shade(self.hair, 1.5), 0.02, strand, 0.35)

    def _head(self, brush: Brush, pose: Pose) -> None:
        if pose.back:
            brush.round(self.hair, 0.2, ellipse(0, 0.52, 0.43, 0.52))
        else:
            self._face(brush, 0.17 * self.turned)
        if self.haircut == "bun":
            brush.round(self.hair, 0.1, ellipse(0, -0.12, 0.22, 0.18))

    def _face(self, brush: Brush, look: float) -> None:
        """A face and the hair above it; `look` moves its features to a side."""
        jaw = curve([(0.3, 0.15), (0.4, 0.5), (0.3, 0.86), (0.12, 1.02)], 4)
        brush.round(self.skin, 0.12, closed([(0, 0.08), *jaw, (0, 1.04)]))
        crown = curve([(-0.45, 0.3), (-0.25, -0.02), (0, -0.06), (0.25, -0.02), (0.45, 0.3)], 4)
        fringe = curve([(0.35, 0.42), (0.1 + look, 0.24), (-0.2 + look, 0.3), (-0.35, 0.44)], 4)
        left, right = (-0.43, 0.62 + 0.15 * look), (0.43, 0.62 - 0.15 * look)
        brush.round(self.hair, 0.15, [left, *crown, right, *fringe])
        for x in (look - 0.16, look + 0.16):
            if abs(x) < 0.32:
                brush.fill((34, 28, 28), ellipse(x, 0.53, 0.055, 0.035, 10), 0.85)
                brow = [(x - 0.08, 0.43), (x + 0.02, 0.4), (x + 0.09, 0.43)]
                brush.line(self.hair, 0.035, brow, 0.8)
        nose = [(look, 0.55), (look * 1.5 + 0.03, 0.7), (look, 0.73)]
        brush.line(shade(self.skin, 0.7), 0.025, nose, 0.7)
        mouth = curve([(look - 0.11, 0.83), (look, 0.865), (look + 0.11, 0.83)], 3)
        brush.line((168, 74, 74), 0.05, mouth, 0.8)


def choose(chance: random.Random, turned: int) -> Figure:
    """Somebody."""
    skin, hair = chance.choice(SKINS), chance.choice(_HAIRS)
    return Figure(skin, hair, chance.choice(_HAIRCUTS), chance.choice(_SHOES), turned)


def pose(chance: random.Random, turned: int, back: bool) -> Pose:
    """A way to stand; unless turned, one in four has a hand on the hip."""
    if turned:
        arms = [(chance.uniform(6, 16), chance.uniform(0, 14)) for _ in range(2)]
    else:
        arms = [(chance.uniform(10, 24), chance.uniform(2, 16)) for _ in range(2)]
        if chance.random() < 0.25:
            arms[0] = (chance.uniform(38, 46), chance.uniform(-38, -28))
    chance.shuffle(arms)
    return Pose(arms[0], arms[1], chance.uniform(-0.05, 0.2), back)
