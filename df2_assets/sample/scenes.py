"""Backgrounds, and objects that lie on them or hide garments.

Shop images have plain backgrounds. User images have rooms, streets and floors.
"""

import random
from collections.abc import Iterable
from typing import Final

from PIL import Image, ImageDraw

from df2_assets.sample.canvas import (
    Camera,
    Colour,
    Part,
    Polygon,
    Size,
    close_outline,
    clouds,
    curve,
    ellipse,
    hsv,
    mirror,
    multiply,
    paint,
    ramp,
    ribbon,
    shade,
)  # fmt: skip
from df2_assets.sample.figure import SKINS

_BAGS: Final = ((120, 86, 66), (66, 62, 64), (178, 148, 116), (118, 62, 66), (82, 94, 116))
_PRINTED: Final = ((160, 92, 90), (86, 108, 134), (214, 200, 150), (230, 228, 222))
_GREENS: Final = ((84, 112, 78), (100, 122, 84), (70, 92, 78))
_LEAF: Final = curve([(0, 1.2), (-0.24, 0.1), (0, -1), (0.24, 0.1), (0, 1.2)])

_THINGS: Final[dict[str, tuple[tuple[Colour, ...], list[tuple[Polygon, float]]]]] = {
    "handbag": (_BAGS, [
        (ribbon(curve([(-0.5, -0.4), (-0.45, -1.0), (0.45, -1.0), (0.5, -0.4)]), 0.07), 0.75),
        (close_outline(curve([(0, -0.5), (0.85, -0.35), (0.95, 0.6), (0, 0.75)])), 1),
        (close_outline(curve([(0, -0.5), (0.86, -0.36), (0.6, 0.12), (0, 0.22)])), 0.8),
        (close_outline([(0.1, 0.08), (0.1, 0.26)]), 2),
    ]),
    "arm": (SKINS, [
        (ribbon(curve([(6.5, 4.6), (2.0, 0.95), (-0.35, 0.0), (-0.95, 0.04)]), 0.46, 0.2), 1),
        (ellipse(-0.75, 0.02, 0.36, 0.27), 0.96),
    ]),
    "magazine": (_PRINTED, [
        (close_outline([(0.75, -0.95), (0.75, 0.95)]), 1),
        (close_outline([(0.62, -0.82), (0.62, -0.56)]), 0.45),
        (ellipse(0, 0.16, 0.4, 0.46), 1.7),
    ]),
    "plant": (_GREENS, [
        (close_outline([(0.42, 1.0), (0.32, 1.9)]), 0.5),
        *(
            ([(x + lean * (1.2 - y) / 2, y + abs(lean) * (1.2 - y) / 4) for x, y in _LEAF], tone)
            for lean, tone in ((-1.4, 0.7), (1.4, 0.7), (-0.8, 0.9), (0.8, 0.9), (0, 1.1))
        ),
    ]),
}  # fmt: skip
"""Colours, and outlines with shades around (0, 0), about one unit from the middle to the edge."""

_ON_THE_FLOOR: Final = ("handbag", "magazine", "plant")


def choose_thing(rng: random.Random, names: Iterable[str] = _THINGS) -> list[Part]:
    """Return one of the named objects in one of its colours, possibly mirrored."""
    colours, outlines = _THINGS[rng.choice([*names])]
    own, is_mirrored = rng.choice(colours), rng.random() < 0.5
    return [Part(mirror(o) if is_mirrored else o, shade(own, tone)) for o, tone in outlines]


def draw_studio(rng: random.Random, size: Size) -> Image.Image:
    """Return a plain background: almost white or pale, and a little lighter in the middle."""
    colour = hsv(rng.random(), rng.choice((0.01, rng.uniform(0.02, 0.18))), rng.uniform(0.88, 0.98))
    light = Image.radial_gradient("L").resize(size).point(ramp(1.0, 0.86))
    return multiply(Image.new("RGB", size, colour), light)


def draw_scene(rng: random.Random, size: Size, lying: bool) -> Image.Image:
    """Return a room or a street or, if `lying`, a floor seen from above.

    It is drawn at half the size and enlarged, so that it is out of focus, as behind a person.
    """
    width, height = (size[0] + 1) // 2, (size[1] + 1) // 2
    small = Image.new("RGB", (width, height), _choose_colour(rng))
    draw = ImageDraw.Draw(small)
    horizon = 0 if lying else round(height * rng.uniform(0.68, 0.8))
    if not lying:
        _draw_fronts(draw, rng, horizon, width)
    floor, across = hsv(rng.uniform(0, 0.12), 0.45, rng.uniform(0.4, 0.85)), rng.randint(18, 34)
    for x in range(-rng.randrange(across), width, across):
        plank = (x, horizon, x + across, height)
        draw.rectangle(plank, fill=shade(floor, rng.uniform(0.8, 1.1)), outline=shade(floor, 0.6))
    for _ in range(rng.randint(4, 7)):
        x, y, reach = rng.randint(0, width), rng.randint(horizon, height), rng.randint(16, 30)
        paint(small, Camera(reach, x, y), choose_thing(rng, _ON_THE_FLOOR))
    small = multiply(small, clouds(rng, small.size, (4, 5)).point(ramp(0.82, 1.1)))
    return small.resize(size, Image.Resampling.BICUBIC)


def _choose_colour(rng: random.Random) -> Colour:
    return hsv(rng.random(), rng.uniform(0.1, 0.5), rng.uniform(0.45, 0.9))


def _draw_fronts(draw: ImageDraw.ImageDraw, rng: random.Random, ground: int, width: int) -> None:
    """Draw a row of houses with windows, or of low cupboards with doors."""
    pane, ceiling = rng.choice(((10, 15), (30, 40))), rng.choice((0, ground // 2))
    x = -rng.randint(0, 40)
    while x < width:
        right, top = x + rng.randint(44, 96), rng.randint(ceiling, ground * 3 // 4)
        wall, glass = _choose_colour(rng), _choose_colour(rng)
        draw.rectangle((x, top, right, ground), fill=wall)
        for u in range(x + 7, right - pane[0], pane[0] + 8):
            for v in range(top + 9, ground - pane[1], pane[1] + 10):
                draw.rectangle((u, v, u + pane[0], v + pane[1]), glass, shade(wall, 1.5))
        x = right
