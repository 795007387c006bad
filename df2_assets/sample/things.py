"""Things that lie about, or get in the way: a bag, an arm, a plant."""

import random
from typing import Final

from df2_assets.sample.canvas import Colour, Part, Polygon, closed, curve, ellipse, ribbon, shade
from df2_assets.sample.figure import SKINS

_BAGS: Final = ((120, 86, 66), (66, 62, 64), (178, 148, 116), (118, 62, 66), (82, 94, 116))
_PRINTED: Final = ((160, 92, 90), (86, 108, 134), (214, 200, 150), (230, 228, 222))
_CLOTHS: Final = ((184, 156, 124), (118, 130, 136), (160, 116, 110), (222, 214, 198))
_GREENS: Final = ((84, 112, 78), (100, 122, 84), (70, 92, 78))
_LEAF: Final = curve([(0, 1.2), (-0.24, 0.1), (0, -1), (0.24, 0.1), (0, 1.2)])

_THINGS: Final[dict[str, tuple[tuple[Colour, ...], list[tuple[Polygon, float | Colour]]]]] = {
    "tote": (_BAGS, [
        (ribbon(curve([(-0.4, -0.6), (-0.3, -1.3), (0.3, -1.3), (0.4, -0.6)]), 0.055), 0.7),
        (closed([(0.72, -0.7), (0.82, 0.85)]), 1),
        (ellipse(0, 0.1, 0.3, 0.3), 1.6),
    ]),
    "handbag": (_BAGS, [
        (ribbon(curve([(-0.5, -0.4), (-0.45, -1.0), (0.45, -1.0), (0.5, -0.4)]), 0.07), 0.75),
        (closed(curve([(0, -0.5), (0.85, -0.35), (0.95, 0.6), (0, 0.75)])), 1),
        (closed(curve([(0, -0.5), (0.86, -0.36), (0.6, 0.12), (0, 0.22)])), 0.8),
        (closed([(0.1, 0.08), (0.1, 0.26)]), (212, 182, 98)),
    ]),
    "arm": (SKINS, [
        (ribbon(curve([(6.5, 4.6), (2.0, 0.95), (-0.35, 0.0), (-0.95, 0.04)]), 0.46, 0.2), 1),
        (ellipse(-0.75, 0.02, 0.36, 0.27), 0.96),
        (ribbon([(-0.25, -0.24), (-0.3, 0.26)], 0.05), (212, 182, 98)),
    ]),
    "magazine": (_PRINTED, [
        (closed([(0.75, -0.95), (0.75, 0.95)]), 1),
        (closed([(0.62, -0.82), (0.62, -0.56)]), 0.45),
        (ellipse(0, 0.16, 0.4, 0.46), 1.7),
        (closed([(0.5, 0.75), (0.5, 0.83)]), 0.45),
    ]),
    "cushion": (_CLOTHS, [
        (closed(curve([(0, -0.74), (0.95, -0.9), (0.8, 0), (0.95, 0.9), (0, 0.74)])), 1),
        *((ribbon([(x, -0.68), (x, 0.68)], 0.06), 0.75) for x in (-0.5, 0, 0.5)),
    ]),
    "plant": (_GREENS, [
        *(
            ([(x + lean * (1.2 - y) / 2, y + abs(lean) * (1.2 - y) / 4) for x, y in _LEAF], tone)
            for lean, tone in ((-1.4, 0.7), (1.4, 0.7), (-0.8, 0.9), (0.8, 0.9), (0, 1.1))
        ),
        (closed([(0.42, 1.0), (0.32, 1.9)]), (172, 116, 90)),
    ]),
    "shoes": (_BAGS, [
        (ellipse(x, y, 0.32 * size, 0.85 * size), tone)
        for x in (-0.4, 0.4)
        for y, size, tone in ((0, 1, 1), (0.32, 0.55, 0.4))
    ]),
}  # fmt: skip
"""Colours to choose from, and outlines around (0, 0), about one unit from the middle to the edge.

Each outline has a factor by which that colour is shaded, or a colour of its own.
"""

IN_A_STUDIO: Final = ("tote", "handbag", "arm", "magazine")
IN_DAILY_LIFE: Final = ("tote", "handbag", "arm", "magazine", "plant", "cushion")
ON_THE_FLOOR: Final = ("shoes", "magazine", "tote", "cushion", "plant")


def choose_thing(rng: random.Random, names: tuple[str, ...]) -> list[Part]:
    """Return one of the named things in one of its colours, as it is or mirrored."""
    colours, outlines = _THINGS[rng.choice(names)]
    own, is_mirrored = rng.choice(colours), rng.random() < 0.5
    tones = [tone if isinstance(tone, tuple) else shade(own, tone) for _, tone in outlines]
    parts = [Part(o, tone, 0.12) for (o, _), tone in zip(outlines, tones, strict=True)]
    return [part.mirrored() for part in parts] if is_mirrored else parts
