"""What gets in the way: a bag, an arm, a plant, a phone.

Each is a list of coloured outlines around (0, 0), about one unit from the middle to its edge.
"""

import random
from collections.abc import Callable
from typing import Final

from df2_assets.sample.canvas import Colour, shade
from df2_assets.sample.geometry import Polygon, closed, curve, ellipse, ribbon
from df2_assets.sample.scenes.figure import SKINS

Parts = list[tuple[Polygon, Colour]]

_LEATHER: Final[tuple[Colour, ...]] = (
    (120, 70, 44), (46, 42, 44), (178, 132, 86), (132, 36, 46), (72, 82, 66), (206, 190, 166),
)  # fmt: skip


def choose(chance: random.Random, studio: bool) -> Parts:
    """Something that may lie or hang in front of a garment; in a studio, tidier things."""
    return chance.choice(_STUDIO if studio else _DAILY)(chance)


def _box(x1: float, y1: float, x2: float, y2: float) -> Polygon:
    return [(x1, y1), (x2, y1), (x2, y2), (x1, y2)]


def _cord(points: Polygon, width: float) -> Polygon:
    path = curve(points, 6)
    return ribbon(path, [width] * len(path))


def _tote(chance: random.Random) -> Parts:
    cloth = chance.choice((*_LEATHER, (226, 216, 196), (62, 84, 120)))
    handle = _cord([(-0.4, -0.6), (-0.32, -1.3), (0.32, -1.3), (0.4, -0.6)], 0.055)
    return [
        (handle, shade(cloth, 0.7)),
        ([(-0.72, -0.7), (0.72, -0.7), (0.82, 0.85), (-0.82, 0.85)], cloth),
        (ellipse(0, 0.1, 0.3, 0.3), shade(cloth, 1.6)),
        (_box(-0.4, 0.5, 0.4, 0.58), shade(cloth, 1.6)),
    ]


def _handbag(chance: random.Random) -> Parts:
    hide = chance.choice(_LEATHER)
    body = closed(curve([(0, -0.5), (0.85, -0.35), (0.95, 0.6), (0, 0.75)], 5))
    handle = _cord([(-0.5, -0.4), (-0.45, -1.0), (0.45, -1.0), (0.5, -0.4)], 0.07)
    flap = closed(curve([(0, -0.5), (0.86, -0.36), (0.6, 0.12), (0, 0.22)], 4))
    return [
        (handle, shade(hide, 0.75)),
        (body, hide),
        (flap, shade(hide, 0.82)),
        (_box(-0.1, 0.08, 0.1, 0.26), (212, 182, 98)),
    ]


def _phone(chance: random.Random) -> Parts:
    skin = chance.choice(SKINS)
    case = chance.choice(((30, 30, 34), (232, 230, 228), (196, 120, 130), (84, 110, 140)))
    parts: Parts = [
        (ribbon([(0.9, 7.0), (0.3, 2.2), (0.05, 0.4)], [0.5, 0.36, 0.36]), skin),
        (_box(-0.5, -0.95, 0.5, 0.8), case),
        (_box(-0.42, -0.87, -0.02, -0.45), shade(case, 0.6)),
        (ellipse(-0.3, -0.72, 0.09, 0.09, 12), (20, 20, 26)),
        (ellipse(-0.12, -0.56, 0.09, 0.09, 12), (20, 20, 26)),
    ]
    for y in (-0.1, 0.16, 0.42):
        parts.append((ribbon([(0.62, y), (0.3, y + 0.03)], [0.12, 0.1]), shade(skin, 0.95)))
        parts.append((ribbon([(-0.62, y + 0.1), (-0.38, y + 0.1)], [0.11, 0.09]), skin))
    return parts


def _arm(chance: random.Random) -> Parts:
    skin, side = chance.choice(SKINS), chance.choice((1, -1))
    path = curve([(6.5 * side, 4.6), (2.0 * side, 0.95), (-0.35 * side, 0.0)], 7)
    hand = curve([(-0.35 * side, 0), (-0.7 * side, -0.02), (-0.95 * side, 0.04)], 3)
    return [
        (ribbon(path, [0.46 - 0.018 * i for i in range(len(path))]), skin),
        (ribbon(hand, [0.2, 0.26, 0.27, 0.27, 0.25, 0.2, 0.1]), shade(skin, 0.96)),
        (ribbon([(-0.25 * side, -0.2), (-0.3 * side, 0.22)], [0.05, 0.05]), (212, 182, 98)),
    ]


def _leaves(chance: random.Random) -> Parts:
    green = chance.choice(((62, 112, 58), (86, 128, 62), (40, 84, 60), (120, 146, 78)))
    parts: Parts = []
    for i in range(9):
        x = (i - 4) * 0.24 + chance.uniform(-0.1, 0.1)
        y = -1 + chance.uniform(0, 0.5) + abs(i - 4) * 0.14
        lean = x * 0.5
        leaf = curve([(lean * 0.3, 1.2), (x - 0.2, (y + 0.9) / 2), (x, y)], 4)
        leaf += curve([(x, y), (x + 0.24, (y + 0.9) / 2), (lean * 0.3, 1.2)], 4)
        parts.append((leaf, shade(green, chance.uniform(0.7, 1.35))))
        parts.append((ribbon([(lean * 0.3, 1.2), (x, y)], [0.025, 0.008]), shade(green, 0.6)))
    return [*parts, ([(-0.42, 1.0), (0.42, 1.0), (0.32, 1.9), (-0.32, 1.9)], (182, 106, 74))]


def _magazine(chance: random.Random) -> Parts:
    cover = chance.choice(((196, 60, 62), (52, 92, 140), (238, 208, 96), (230, 228, 222)))
    dark = shade(cover, 0.45)
    return [
        (_box(-0.75, -0.95, 0.75, 0.95), cover),
        (_box(-0.62, -0.82, 0.62, -0.56), dark),
        (ellipse(0, 0.16, 0.4, 0.46), shade(cover, 1.7)),
        (_box(-0.6, 0.72, 0.2, 0.78), dark),
        (_box(-0.6, 0.83, 0.0, 0.87), dark),
    ]


def _bouquet(chance: random.Random) -> Parts:
    parts: Parts = [([(-0.5, 0.1), (0.5, 0.1), (0.16, 1.25), (-0.16, 1.25)], (214, 190, 152))]
    tones: tuple[Colour, ...] = ((226, 120, 140), (240, 200, 96), (236, 234, 228), (170, 110, 176))
    for _ in range(14):
        x, y, r = chance.uniform(-0.65, 0.65), chance.uniform(-0.85, 0.1), chance.uniform(0.18, 0.3)
        tone = chance.choice((*tones, (88, 128, 72)))
        parts.append((ellipse(x, y, r, r, 14), tone))
        parts.append((ellipse(x, y, r * 0.5, r * 0.5, 10), shade(tone, 0.75)))
    return parts


def _cushion(chance: random.Random) -> Parts:
    tone: Colour = chance.choice(((198, 148, 92), (110, 130, 138), (176, 90, 84), (222, 214, 198)))
    edge = [(0.0, -0.74), (0.95, -0.9), (0.8, 0.0), (0.95, 0.9), (0.0, 0.74)]
    outline = closed(curve(edge, 5))
    bands = [(_box(x - 0.06, -0.68, x + 0.06, 0.68), shade(tone, 0.75)) for x in (-0.5, 0.0, 0.5)]
    return [(outline, tone), *bands]


def _chair(chance: random.Random) -> Parts:
    wood = chance.choice(((130, 88, 58), (52, 48, 46), (224, 220, 212)))
    slats = [(_box(-0.8, y, 0.8, y + 0.26), wood) for y in (-0.85, -0.4, 0.05)]
    posts = [(_box(x - 0.1, -1.1, x + 0.1, 2.2), shade(wood, 0.8)) for x in (-0.85, 0.85)]
    return [*slats, *posts, (_box(-1.0, 0.5, 1.0, 0.78), shade(wood, 1.2))]


def _card(chance: random.Random) -> Parts:
    tone = chance.choice(((250, 248, 242), (34, 36, 42), (214, 62, 66), (244, 210, 90)))
    ink = (40, 40, 44) if sum(tone) > 380 else (240, 240, 236)
    return [
        (_box(-0.9, -0.62, 0.9, 0.62), tone),
        (_box(-0.7, -0.4, 0.3, -0.22), ink),
        (_box(-0.7, -0.06, 0.7, 0.04), ink),
        (_box(-0.7, 0.16, 0.5, 0.26), ink),
        (ellipse(0.6, -0.32, 0.16, 0.16, 16), shade(ink, 0.8)),
    ]


def _hat(chance: random.Random) -> Parts:
    straw: Colour = chance.choice(((222, 194, 140), (64, 58, 60), (190, 148, 110)))
    return [
        (ellipse(0, 0.2, 1.05, 0.62, 30), straw),
        (ellipse(0, 0.1, 0.62, 0.42, 26), shade(straw, 0.82)),
        (ellipse(0, -0.05, 0.56, 0.42, 26), shade(straw, 1.1)),
        (_cord([(-0.6, 0.1), (0, 0.36), (0.6, 0.1)], 0.07), (60, 44, 48)),
    ]


def _stack(chance: random.Random) -> Parts:
    folded = ((70, 96, 130), (214, 206, 190), (166, 92, 84), (96, 112, 88), (206, 168, 98))
    parts: Parts = []
    for y in (0.8, 0.32, -0.16, -0.64):
        tone = chance.choice(folded)
        left = [(-0.9, y), (-1.0, y - 0.22), (-0.85, y - 0.44)]
        parts.append((curve([*left, (0.9, y - 0.42), (0.95, y)], 4), tone))
        parts.append((_box(-0.9, y - 0.22, 0.9, y - 0.18), shade(tone, 0.6)))
    return parts


_Maker = Callable[[random.Random], Parts]
_ANYWHERE: Final[tuple[_Maker, ...]] = (_tote, _handbag, _arm, _magazine, _bouquet)
_STUDIO: Final = (*_ANYWHERE, _card, _hat, _stack)
_DAILY: Final = (*_ANYWHERE, _phone, _leaves, _chair, _cushion)
