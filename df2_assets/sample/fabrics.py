"""Cloth: which fabric a garment is made of, and a piece of it in any size."""

import random
from functools import lru_cache
from itertools import product
from typing import Final, NamedTuple

from PIL import Image, ImageDraw

from df2_assets.sample.canvas import Camera, Colour, Polygon, Size, ellipse, hsv, multiply, shade

_SIDE: Final = 256
"""Pixels per side of a tile as its pattern is drawn."""

_TILE: Final = _SIDE // 2
"""Pixels per side of a tile in cloth: two body units."""

# Colours of a pattern: 0 the ground, 1 the second, 2 the third, 3 the ground in the shade.

_LINES: Final[dict[str, list[tuple[str, float, float, int, float]]]] = {
    "stripes": [("across", 0, 0.5, 1, 1)],
    "breton": [("across", 0, 0.25, 1, 1)],
    "pinstripe": [("down", 0, 0.1, 1, 1)],
    "gingham": [("across", 0, 0.5, 1, 0.55), ("down", 0, 0.5, 1, 0.55)],
    "tartan": [
        (way, *line)
        for line in ((0, 0.34, 1, 0.55), (0.5, 0.06, 2, 0.6), (0.65, 0.08, 3, 0.7))
        for way in ("across", "down")
    ],
    "diagonal": [("slanted", 0, 0.36, 1, 1)],
    "chevron": [("zigzag", 0, 0.36, 1, 1)],
    "knit": [("zigzag", 0, 0.3, 3, 1)],
    "denim": [("slanted", 0, 0.36, 3, 1)],
}
"""Way, place and width in shares of the period, colour, and how much it covers."""

_PETALS: Final = [ellipse(*at, 0.3, 0.3, 12) for at in ellipse(0, 0, 0.36, 0.36, 5)]
_MOTIFS: Final[dict[str, list[tuple[Polygon, int]]]] = {
    "dots": [(ellipse(0, 0, 0.5, 0.5), 1)],
    "argyle": [(ellipse(0, 0, 0.8, 0.8, 4), 1), (ellipse(0, 0, 0.24, 0.24, 4), 2)],
    "flowers": [*((petal, 1) for petal in _PETALS), (ellipse(0, 0, 0.2, 0.2), 2)],
    "leaves": [(ellipse(0, 0, 0.8, 0.3, 4), 1), (ellipse(0.3, 0.4, 0.4, 0.16, 4), 2)],
}
"""Outlines around (0, 0) and their colours."""

_TURNED: Final = ("flowers", "leaves")
"""Motifs that lie each in a direction of its own."""

CALM: Final = ("plain", "knit")
"""Patterns of one colour, near enough."""

_ANY: Final = ("plain", "plain", "blocks", "flowers", "flowers", "dots", *_LINES, *_MOTIFS)
_LEGS: Final = ("denim", "denim", "plain", "plain", "plain", "pinstripe", "tartan", "leaves")
_COATS: Final = ("plain", "plain", "knit", "knit", "denim", "tartan", "stripes", "breton")
_SUITED: Final = {3: _COATS, 4: _COATS, 7: _LEGS, 8: _LEGS}

_SCHEMES: Final = (
    (((0.02, 0.1), (0.86, 0.96)), 0.0, ((0.6, 0.85), (0.35, 0.75))),
    (((0.1, 0.5), (0.13, 0.26)), 0.1, ((0.2, 0.7), (0.85, 0.95))),
    (((0.2, 0.34), (0.8, 0.94)), 0.5, ((0.3, 0.6), (0.5, 0.75))),
    (((0.5, 0.82), (0.45, 0.85)), 0.08, ((0.25, 0.7), (0.9, 0.95))),
    (((0.5, 0.82), (0.45, 0.85)), 0.42, ((0.25, 0.7), (0.9, 0.95))),
)
"""Saturation and value of a ground, turn of the hue, saturation and value of a second colour."""


class Fabric(NamedTuple):
    """A pattern, its first three colours, `size` of its motif (0 to 2), `seed` of its chance."""

    pattern: str
    base: Colour
    accent: Colour
    third: Colour
    size: int
    seed: int


def choose_fabric(rng: random.Random, category_id: int) -> Fabric:
    """Return a fabric that suits a category: denim for legs, wool for coats, any for the rest."""
    pattern = rng.choice(_SUITED.get(category_id, _ANY))
    hue, (ground, turn, second) = rng.random(), rng.choice(_SCHEMES)
    base = hsv(hue, *(rng.uniform(*ends) for ends in ground))
    accent = hsv(hue + turn, *(rng.uniform(*ends) for ends in second))
    third = rng.choice(((245, 242, 234), (28, 29, 38), shade(accent, 0.6), shade(base, 1.8)))
    if pattern == "denim":
        base = hsv(rng.uniform(0.58, 0.63), rng.uniform(0.36, 0.5), rng.uniform(0.3, 0.75))
    return Fabric(pattern, base, accent, third, rng.randrange(3), rng.getrandbits(32))


def cut_cloth(fabric: Fabric, units: tuple[float, float], pixels: Size) -> Image.Image:
    """Return a piece of cloth, `units` body units wide and high, as an image of `pixels`."""
    width, height = (min(max(round(u * _TILE / 2), 8), 1024) for u in units)
    sheet, tile = Image.new("RGB", (width, height)), _draw_tile(fabric)
    for at in product(range(0, width, _TILE), range(0, height, _TILE)):
        sheet.paste(tile, at)
    if fabric.pattern == "blocks":
        edge = round(height * (0.34 + 0.1 * fabric.size))
        sheet.paste(fabric.accent, (0, edge, width, height))
        sheet.paste(fabric.third, (0, edge - 7, width, edge + 7))
    return sheet.resize(pixels, Image.Resampling.BICUBIC)


@lru_cache(maxsize=64)
def _draw_tile(fabric: Fabric) -> Image.Image:
    """Draw a tile that repeats without a seam."""
    pattern, rng = fabric.pattern, random.Random(fabric.seed)
    period = {"knit": 16, "denim": 8}.get(pattern, 32 << fabric.size)
    colours = (*fabric[1:4], shade(fabric.base, 0.72))
    tile = Image.new("RGB", (_SIDE, _SIDE), fabric.base)
    for way, place, width, colour, share in _LINES.get(pattern, ()):
        layer = tile.copy()
        draw = ImageDraw.Draw(layer)
        for at in range(-_SIDE + round(place * period), _SIDE + period, period):
            line = _trace_line(way, at, period // 2)
            draw.line(line, fill=colours[colour], width=max(round(width * period), 3))
        tile.paste(Image.blend(tile, layer, share))
    draw, motif, around = ImageDraw.Draw(tile), _MOTIFS.get(pattern, []), (-_SIDE, 0, _SIDE)
    for x, y in product(range(0, _SIDE, period), range(0, _SIDE, period // 2)) if motif else ():
        turn = rng.uniform(0, 360) if pattern in _TURNED else 0
        for u, v in ((x + y % period + dx, y + dy) for dx in around for dy in around):
            if max(abs(u - _TILE), abs(v - _TILE)) < _TILE + period:
                camera = Camera(period / 2, u, v, tilt=turn)
                for outline, colour in motif:
                    draw.polygon(camera.at(outline), fill=colours[colour])
    weave = Image.frombytes("L", (_TILE, _TILE), rng.randbytes(_TILE * _TILE))
    return multiply(tile.reduce(2), weave.point([236 + v * 19 // 255 for v in range(256)]))


def _trace_line(way: str, at: int, half: int) -> Polygon:
    """Return one line of a pattern across the whole tile."""
    if way == "zigzag":
        return [(i * half, at + half * (i % 2)) for i in range(-1, _SIDE // half + 2)]
    start, end = {"across": ((0, 0), (1, 0)), "down": ((0, 0), (0, 1))}.get(way, ((-1, -1), (2, 2)))
    x, y = (0, at) if way == "across" else (at, 0)
    return [(x + _SIDE * u, y + _SIDE * v) for u, v in (start, end)]
