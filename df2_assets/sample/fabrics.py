"""Cloth: which fabric a garment is made of, and a piece of it in any size."""

import math
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

_LINES: Final[dict[str, list[tuple[str, float, float, int, float]]]] = {
    "stripes": [("across", 0, 0.5, 1, 1)],
    "breton": [("across", 0, 0.25, 1, 1)],
    "ribbons": [("across", 0, 0.5, 1, 1), ("across", 0.3, 0.12, 2, 1)],
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
"""Way, place and width in shares of the period, colour, and how much it covers.

Colours: 0 the ground, 1 the second, 2 the third, 3 the ground in the shade."""

_PETALS: Final = [(0.5 * math.cos(a), 0.5 * math.sin(a)) for a in (0.3, 1.56, 2.81, 4.07, 5.33)]
_IN_ROWS: Final[dict[str, list[tuple[Polygon, int]]]] = {
    "dots": [(ellipse(0, 0, 0.5, 0.5), 1)],
    "argyle": [(ellipse(0, 0, 0.8, 0.8, 4), 1), (ellipse(0, 0, 0.24, 0.24, 4), 2)],
}
_STREWN: Final[dict[str, list[tuple[Polygon, int]]]] = {
    "flowers": [
        *((ellipse(x, y, 0.42, 0.42), 1) for x, y in _PETALS),
        (ellipse(0, 0, 0.3, 0.3), 2),
    ],
    "leaves": [(ellipse(0, 0, 1.1, 0.4, 4), 1), (ellipse(0.5, 0.7, 0.6, 0.24, 4), 2)],
    "dashes": [(ellipse(0, 0, 0.9, 0.22, 4), 1)],
}
"""Outlines around (0, 0) and their colours."""

_ANY: Final = (
    *("stripes", "breton", "ribbons", "pinstripe", "gingham", "tartan", "diagonal", "chevron"),
    *("dots", "dots", "argyle", "flowers", "flowers", "leaves", "dashes", "blocks"),
    *("plain", "plain", "knit"),
)
_LEGS: Final = ("denim", "denim", "plain", "plain", "plain", "pinstripe", "tartan", "leaves")
_COATS: Final = ("plain", "plain", "knit", "knit", "denim", "tartan", "stripes", "breton")
_SUITED: Final = {3: _COATS, 4: _COATS, 7: _LEGS, 8: _LEGS}

CALM: Final = ("plain", "knit")
"""Patterns of one colour, near enough."""

_SCHEMES: Final = (
    (((0.02, 0.1), (0.86, 0.96)), 0.0, ((0.6, 0.85), (0.35, 0.75))),
    (((0.1, 0.5), (0.13, 0.26)), 0.1, ((0.2, 0.7), (0.85, 0.95))),
    (((0.2, 0.34), (0.8, 0.94)), 0.5, ((0.3, 0.6), (0.5, 0.75))),
    (((0.5, 0.82), (0.45, 0.85)), 0.08, ((0.25, 0.7), (0.9, 0.95))),
    (((0.5, 0.82), (0.45, 0.85)), 0.42, ((0.25, 0.7), (0.9, 0.95))),
)
"""Saturation and value of a ground, turn of the hue, saturation and value of a second colour."""


class Fabric(NamedTuple):
    """A pattern, the colours of its ground and motif, `size` (0 to 2) and what is random in it."""

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
    for x in range(0, width, _TILE):
        for y in range(0, height, _TILE):
            sheet.paste(tile, (x, y))
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
    colours = (fabric.base, fabric.accent, fabric.third, shade(fabric.base, 0.72))
    tile = Image.new("RGB", (_SIDE, _SIDE), fabric.base)
    for way, place, width, colour, share in _LINES.get(pattern, ()):
        layer = tile.copy()
        draw = ImageDraw.Draw(layer)
        for at in range(-_SIDE + round(place * period), _SIDE + period, period):
            line = _trace_line(way, at, period // 2)
            draw.line(line, fill=colours[colour], width=max(round(width * period), 3))
        tile.paste(Image.blend(tile, layer, share))
    draw, spots = ImageDraw.Draw(tile), []
    if pattern in _STREWN:
        radius = 10 + period * 0.22
        spots = [(*spot, rng.uniform(0, 360)) for spot in _strew(rng, 2.1 * radius)]
    elif pattern in _IN_ROWS:
        radius = period / 2
        spots = [
            (x + y % period, y, 0.0)
            for x in range(0, _SIDE, period)
            for y in range(0, _SIDE, period // 2)
        ]
    for x, y, turn in spots:
        for dx, dy in product((-_SIDE, 0, _SIDE), repeat=2):
            camera = Camera(radius, x + dx, y + dy, tilt=turn)
            for outline, colour in (_STREWN | _IN_ROWS)[pattern]:
                draw.polygon(camera.at(outline), fill=colours[colour])
    weave = Image.frombytes("L", (_TILE, _TILE), rng.randbytes(_TILE * _TILE))
    return multiply(tile.reduce(2), weave.point([236 + v * 19 // 255 for v in range(256)]))


def _trace_line(way: str, at: int, half: int) -> Polygon:
    """Return one line of a pattern across the whole tile."""
    if way == "zigzag":
        return [(i * half, at + half * (i % 2)) for i in range(-1, _SIDE // half + 2)]
    ends: dict[str, Polygon] = {
        "across": [(0, at), (_SIDE, at)],
        "down": [(at, 0), (at, _SIDE)],
        "slanted": [(at - 2 * half, -2 * half), (at + _SIDE + 2 * half, _SIDE + 2 * half)],
    }
    return ends[way]


def _strew(rng: random.Random, distance: float) -> Polygon:
    """Return random places, none nearer to another than `distance`, also across the edges."""
    spots: Polygon = []
    for _ in range(160):
        x, y = rng.uniform(0, _SIDE), rng.uniform(0, _SIDE)
        gaps = ((abs(x - u), abs(y - v)) for u, v in spots)
        if all(math.hypot(min(a, _SIDE - a), min(b, _SIDE - b)) >= distance for a, b in gaps):
            spots.append((x, y))
    return spots
