"""Cloth: a colour scheme and a pattern, drawn as a tile two body units wide that repeats."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from PIL import Image, ImageChops, ImageDraw

from df2_assets.sample.canvas import Colour, hsv, shade
from df2_assets.sample.garments.patterns import PATTERNS, SIDE

TILE: Final = 128
"""Pixels of a tile's side; 64 a body unit."""


@dataclass(frozen=True)
class Fabric:
    """`pattern` names one of PATTERNS; `size` scales its motif; `seed` places what is random."""

    pattern: str
    base: Colour
    accent: Colour
    third: Colour
    size: int
    seed: int


_CALM: Final = ("plain", "plain", "heather", "knit", "pinstripe", "denim")
_LOUD: Final = (
    "stripes",
    "breton",
    "pinstripe",
    "diagonal",
    "gingham",
    "tartan",
    "dots",
    "floral",
    "fade",
    "blocks",
    "chevron",
    "argyle",
    "leopard",
    "leaves",
    "scatter",
)
_WARM: Final = ("heather", "knit", "stripes", "tartan", "argyle", "blocks", "plain", "breton")
_LEGS: Final = ("denim", "denim", "plain", "heather", "pinstripe", "tartan", "plain", "leaves")


def choose(chance: random.Random, category_id: int) -> Fabric:
    """A fabric that suits a category: denim for legs, wool for coats, prints for dresses."""
    if category_id in (7, 8):
        pattern = chance.choice(_LEGS)
    elif category_id in (3, 4):
        pattern = chance.choice((*_WARM, *_CALM))
    else:
        pattern = chance.choice((*_LOUD, *_CALM[:4], *_LOUD))
    base, accent, third = _scheme(chance)
    if pattern == "denim":
        level = chance.uniform(0.3, 0.75)
        base = hsv(chance.uniform(0.58, 0.63), 0.62 - 0.35 * level, level)
        accent, third = shade(base, 1.5), shade(base, 0.6)
    return Fabric(pattern, base, accent, third, chance.randrange(3), chance.getrandbits(32))


def _scheme(chance: random.Random) -> tuple[Colour, Colour, Colour]:
    """Three colours that go together: a ground, one beside or against it, a light or dark one."""
    hue = chance.random()
    kind = chance.randrange(6)
    if kind == 0:
        base = hsv(hue, chance.uniform(0.02, 0.1), chance.uniform(0.86, 0.96))
        accent = hsv(hue, chance.uniform(0.6, 0.85), chance.uniform(0.35, 0.75))
    elif kind == 1:
        base = hsv(hue, chance.uniform(0.1, 0.5), chance.uniform(0.13, 0.26))
        accent = hsv(hue + chance.choice((0.1, 0.5)), chance.uniform(0.2, 0.7), 0.9)
    elif kind == 2:
        base = hsv(hue, chance.uniform(0.2, 0.34), chance.uniform(0.8, 0.94))
        accent = hsv(hue + 0.5, chance.uniform(0.3, 0.6), chance.uniform(0.5, 0.75))
    else:
        base = hsv(hue, chance.uniform(0.5, 0.82), chance.uniform(0.45, 0.85))
        accent = hsv(hue + chance.choice((0.08, 0.42, 0.5)), chance.uniform(0.25, 0.7), 0.93)
    third = chance.choice(((245, 242, 234), (28, 29, 38), shade(accent, 0.6), shade(base, 1.8)))
    return base, accent, third


def cloth(fabric: Fabric, units: tuple[float, float], pixels: tuple[int, int]) -> Image.Image:
    """A piece of cloth, `units` body units wide and high, as an image of `pixels`."""
    width = min(max(round(units[0] * TILE / 2), 8), 1024)
    height = min(max(round(units[1] * TILE / 2), 8), 1024)
    tile = _tile(fabric)
    sheet = Image.new("RGB", (width, height))
    for x in range(0, width, TILE):
        for y in range(0, height, TILE):
            sheet.paste(tile, (x, y))
    if fabric.pattern in _WHOLE:
        sheet = _WHOLE[fabric.pattern](sheet, fabric)
    return sheet.resize(pixels, Image.Resampling.BICUBIC)


def _fade(sheet: Image.Image, fabric: Fabric) -> Image.Image:
    mask = Image.linear_gradient("L").resize(sheet.size)
    return Image.composite(Image.new("RGB", sheet.size, fabric.accent), sheet, mask)


def _blocks(sheet: Image.Image, fabric: Fabric) -> Image.Image:
    width, height = sheet.size
    edge = round(height * (0.34 + 0.1 * fabric.size))
    sheet.paste(fabric.accent, (0, edge, width, height))
    sheet.paste(fabric.third, (0, edge - 7, width, edge + 7))
    return sheet


_WHOLE: Final[dict[str, Callable[[Image.Image, Fabric], Image.Image]]] = {
    "fade": _fade,
    "blocks": _blocks,
}
"""Patterns that run once over the whole garment."""


@lru_cache(maxsize=64)
def _tile(fabric: Fabric) -> Image.Image:
    tile = Image.new("RGB", (_FINE, _FINE), fabric.base)
    chance = random.Random(fabric.seed)
    if fabric.pattern in PATTERNS:
        PATTERNS[fabric.pattern](tile, fabric, chance)
    tile = tile.reduce(2)
    weave = Image.frombytes("L", tile.size, chance.randbytes(TILE * TILE))
    weave = weave.point([236 + v * 19 // 255 for v in range(256)])
    return ImageChops.multiply(tile, Image.merge("RGB", (weave, weave, weave)))


