"""Cloth: choosing the fabric of a garment, and drawing a piece of it in any size."""

import random
from functools import lru_cache
from itertools import product
from typing import Final, NamedTuple

from PIL import Image, ImageDraw

from df2_assets.sample.canvas import Colour, Polygon, Size, ellipse, hsv, shade

_TILE: Final = 128
"""Width and height of a tile of cloth in pixels. A tile is two body units wide."""


def _box(x1: float, y1: float, x2: float, y2: float) -> Polygon:
    return [(x1, y1), (x2, y1), (x2, y2), (x1, y2)]


_SPOTS: Final = ((0.25, 0.25), (0.75, 0.75))
_SLANTED: Final[tuple[Polygon, ...]] = (
    [(0, 0), (0.4, 0), (0, 0.4)],
    [(1, 0), (1, 0.4), (0.4, 1), (0, 1)],
)
_ZIGZAG: Final[Polygon] = [(0, 0.5), (0.5, 0), (1, 0.5), (1, 0.9), (0.5, 0.4), (0, 0.9)]

_PATTERNS: Final[dict[str, list[tuple[Polygon, int]]]] = {
    "plain": [],
    "stripes": [(_box(0, 0, 1, 0.5), 1)],
    "pinstripe": [(_box(0, 0, 0.1, 1), 1)],
    "gingham": [(_box(0, 0, 1, 0.5), 2), (_box(0, 0, 0.5, 1), 2), (_box(0, 0, 0.5, 0.5), 1)],
    "diagonal": [(outline, 1) for outline in _SLANTED],
    "chevron": [(_ZIGZAG, 1)],
    "diamonds": [(ellipse(0.5, 0.5, 0.5, 0.5, 4), 1)],
    "dots": [(ellipse(*at, 0.18, 0.18), 1) for at in _SPOTS],
    "flowers": [
        *((ellipse(*at, 0.1, 0.1), 1) for spot in _SPOTS for at in ellipse(*spot, 0.14, 0.14, 5)),
        *((ellipse(*spot, 0.07, 0.07), 2) for spot in _SPOTS),
    ],
    "denim": [(outline, 3) for outline in _SLANTED],
}
"""The outlines in the square that a pattern repeats, with their colours.

Colour 1 is the second colour, 2 is halfway between the base and the second, 3 is a darker base.
"""

_ANY: Final = ("plain", "flowers", *(name for name in _PATTERNS if name != "denim"))
_LEGS: Final = ("denim", "denim", "plain", "plain", "plain", "pinstripe", "gingham")

_SCHEMES: Final = (
    (0.07, 0.92, 0.0, 0.7, 0.55),
    (0.3, 0.2, 0.1, 0.5, 0.9),
    (0.28, 0.9, 0.5, 0.45, 0.6),
    (0.7, 0.7, 0.08, 0.5, 0.92),
    (0.7, 0.7, 0.42, 0.5, 0.92),
)
"""Saturation and value of the base, then change of hue, saturation and value of the second."""


class Fabric(NamedTuple):
    """A pattern, its colours, and the pixels of a tile after which it repeats."""

    pattern: str
    base: Colour
    accent: Colour
    period: int


def choose_fabric(rng: random.Random, category_id: int) -> Fabric:
    """Return a fabric that suits a category: a calm one for shorts and trousers."""
    pattern, depth = rng.choice(_LEGS if category_id in (7, 8) else _ANY), rng.uniform(0.8, 1.06)
    hue, (saturation, value, turn, *second) = rng.random(), rng.choice(_SCHEMES)
    base = hsv(hue, saturation * depth, value * depth)
    if pattern == "denim":
        base = hsv(0.6, 0.45, depth * rng.uniform(0.3, 0.75))
    period = 4 if pattern == "denim" else 16 << rng.randrange(3)
    return Fabric(pattern, base, hsv(hue + turn, *second), period)


def cut_cloth(fabric: Fabric, unit: float, size: Size) -> Image.Image:
    """Return a piece of cloth of `size` in pixels, with `unit` pixels per body unit."""
    side = max(round(2 * unit), 4)
    return _repeat(_draw_tile(fabric).resize((side, side), Image.Resampling.BICUBIC), size)


@lru_cache(maxsize=64)
def _draw_tile(fabric: Fabric) -> Image.Image:
    """Draw a tile that repeats without a seam."""
    base, side = fabric.base, 4 * fabric.period
    red, green, blue = ((a + b) // 2 for a, b in zip(base, fabric.accent, strict=True))
    colours = (base, fabric.accent, (red, green, blue), shade(base, 0.72))
    cell = Image.new("RGB", (side, side), base)
    draw = ImageDraw.Draw(cell)
    for outline, colour in _PATTERNS[fabric.pattern]:
        draw.polygon([(x * side, y * side) for x, y in outline], fill=colours[colour])
    return _repeat(cell.reduce(4), (_TILE, _TILE))


def _repeat(tile: Image.Image, size: Size) -> Image.Image:
    sheet = Image.new("RGB", size)
    for at in product(range(0, size[0], tile.width), range(0, size[1], tile.height)):
        sheet.paste(tile, at)
    return sheet
