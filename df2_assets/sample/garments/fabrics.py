"""Cloth: which fabric a garment is made of, and a piece of it in any size."""

import random
from functools import lru_cache
from typing import Final

from PIL import Image, ImageChops

from df2_assets.sample.canvas import Colour, hsv, shade
from df2_assets.sample.garments.prints import PRINTS
from df2_assets.sample.garments.weaves import SIDE, WEAVES, Fabric

_TILE: Final = SIDE // 2
"""Pixels of a tile's side in cloth: two body units."""

_PATTERNS: Final = WEAVES | PRINTS
_CALM: Final = ("plain", "plain", "heather", "knit", "pinstripe", "denim")
_LOUD: Final = tuple(sorted(_PATTERNS.keys() - {"knit", "heather", "denim"} | {"fade", "blocks"}))
_WARM: Final = ("heather", "knit", "stripes", "tartan", "argyle", "blocks", "plain", "breton")
_LEGS: Final = ("denim", "denim", "plain", "heather", "pinstripe", "tartan", "plain", "leaves")


def choose(chance: random.Random, category_id: int) -> Fabric:
    """A fabric that suits a category: denim for legs, wool for coats, prints for the rest."""
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


def cloth(fabric: Fabric, units: tuple[float, float], pixels: tuple[int, int]) -> Image.Image:
    """A piece of cloth, `units` body units wide and high, as an image of `pixels`."""
    width, height = (min(max(round(u * _TILE / 2), 8), 1024) for u in units)
    tile = _tile(fabric)
    sheet = Image.new("RGB", (width, height))
    for x in range(0, width, _TILE):
        for y in range(0, height, _TILE):
            sheet.paste(tile, (x, y))
    if fabric.pattern == "fade":
        mask = Image.linear_gradient("L").resize(sheet.size)
        sheet.paste(fabric.accent, (0, 0), mask)
    elif fabric.pattern == "blocks":
        edge = round(height * (0.34 + 0.1 * fabric.size))
        sheet.paste(fabric.accent, (0, edge, width, height))
        sheet.paste(fabric.third, (0, edge - 7, width, edge + 7))
    return sheet.resize(pixels, Image.Resampling.BICUBIC)


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


@lru_cache(maxsize=64)
def _tile(fabric: Fabric) -> Image.Image:
    tile = Image.new("RGB", (SIDE, SIDE), fabric.base)
    chance = random.Random(fabric.seed)
    if fabric.pattern in _PATTERNS:
        _PATTERNS[fabric.pattern](tile, fabric, chance)
    tile = tile.reduce(2)
    weave = Image.frombytes("L", tile.size, chance.randbytes(_TILE * _TILE))
    weave = weave.point([236 + v * 19 // 255 for v in range(256)])
    return ImageChops.multiply(tile, Image.merge("RGB", (weave, weave, weave)))
