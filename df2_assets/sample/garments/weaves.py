"""Patterns that a loom makes: stripes, checks, knits. Each draws on a tile that repeats."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from PIL import Image, ImageDraw

from df2_assets.sample.canvas import Colour, shade

SIDE: Final = 256
"""Pixels of a tile's side as patterns draw it."""


@dataclass(frozen=True)
class Fabric:
    """A `pattern` by name, its colours, `size` of its motif (0 to 2), `seed` of what is random."""

    pattern: str
    base: Colour
    accent: Colour
    third: Colour
    size: int
    seed: int


Pattern = Callable[[Image.Image, Fabric, random.Random], None]


def _bands(tile: Image.Image, colour: Colour, period: int, width: int, upright: bool) -> None:
    draw = ImageDraw.Draw(tile)
    for at in range(0, SIDE, period):
        end = at + width - 1
        draw.rectangle((at, 0, end, SIDE) if upright else (0, at, SIDE, end), fill=colour)


def _stripes(tile: Image.Image, fabric: Fabric, chance: random.Random) -> None:
    period = (32, 64, 128)[fabric.size]
    _bands(tile, fabric.accent, period, period // 2, upright=False)
    if chance.random() < 0.4:
        _bands(tile, fabric.third, period, period // 8, upright=False)


def _breton(tile: Image.Image, fabric: Fabric, chance: random.Random) -> None:
    period = (32, 64, 64)[fabric.size]
    _bands(tile, fabric.accent, period, period // 4, upright=False)


def _pinstripe(tile: Image.Image, fabric: Fabric, chance: random.Random) -> None:
    period = (16, 32, 64)[fabric.size]
    _bands(tile, fabric.accent, period, max(period // 8, 3), upright=True)


def _diagonal(tile: Image.Image, fabric: Fabric, chance: random.Random) -> None:
    draw = ImageDraw.Draw(tile)
    period = (32, 64, 128)[fabric.size]
    slope = chance.choice((1, -1))
    for at in range(-SIDE, 2 * SIDE, period):
        draw.line((at, 0, at + slope * SIDE, SIDE), fill=fabric.accent, width=period * 5 // 16)


def _gingham(tile: Image.Image, fabric: Fabric, chance: random.Random) -> None:
    period = (32, 64, 64)[fabric.size]
    half = period // 2
    for upright in (True, False):
        layer = tile.copy()
        _bands(layer, fabric.accent, period, half, upright)
        tile.paste(Image.blend(tile, layer, 0.55))


def _tartan(tile: Image.Image, fabric: Fabric, chance: random.Random) -> None:
    period = (64, 128, 128)[fabric.size]
    for upright in (True, False):
        layer = tile.copy()
        _bands(layer, fabric.accent, period, period // 3, upright)
        draw = ImageDraw.Draw(layer)
        for at in range(period // 2, SIDE, period):
            for offset, colour in ((0, fabric.third), (period // 6, shade(fabric.base, 0.6))):
                low, high = at + offset, at + offset + max(period // 24, 3)
                box = (low, 0, high, SIDE) if upright else (0, low, SIDE, high)
                draw.rectangle(box, fill=colour)
        tile.paste(Image.blend(tile, layer, 0.55))


def _chevron(tile: Image.Image, fabric: Fabric, chance: random.Random) -> None:
    draw = ImageDraw.Draw(tile)
    period = (32, 64, 64)[fabric.size]
    for at in range(-SIDE // 2, SIDE + period, period):
        points = [(x * 32, at + (0 if x % 2 else 32)) for x in range(-1, SIDE // 32 + 2)]
        draw.line(points, fill=fabric.accent, width=period * 3 // 8)


def _argyle(tile: Image.Image, fabric: Fabric, chance: random.Random) -> None:
    draw = ImageDraw.Draw(tile)
    step = (32, 64, 64)[fabric.size]
    half = step // 2
    for column, x in enumerate(range(0, SIDE + 1, step)):
        colour = fabric.accent if column % 2 else fabric.third
        for y in range(step * (column % 2), SIDE + step + 1, 2 * step):
            draw.polygon([(x - half, y), (x, y - step), (x + half, y), (x, y + step)], fill=colour)
    for at in range(-SIDE, 2 * SIDE, step):
        for slope in (SIDE // 2, -SIDE // 2):
            draw.line((at, 0, at + slope, SIDE), fill=shade(fabric.base, 1.6), width=3)


def _knit(tile: Image.Image, fabric: Fabric, chance: random.Random) -> None:
    draw = ImageDraw.Draw(tile)
    for y in range(-16, SIDE + 16, 16):
        for x in range(0, SIDE, 16):
            draw.line((x, y, x + 8, y + 9, x + 16, y), fill=shade(fabric.base, 0.7), width=4)
    if fabric.size == 2:
        for y in range(24, SIDE, 128):
            for x in range(0, SIDE, 32):
                diamond = [(x, y + 16), (x + 16, y), (x + 32, y + 16), (x + 16, y + 32)]
                draw.polygon(diamond, fill=fabric.accent)


def _heather(tile: Image.Image, fabric: Fabric, chance: random.Random) -> None:
    flecks = Image.frombytes("L", (SIDE // 2, SIDE), chance.randbytes(SIDE * SIDE // 2))
    mask = flecks.resize(tile.size).point([140 if v > 200 else 0 for v in range(256)])
    tile.paste(shade(fabric.base, 1.7), (0, 0), mask)


def _denim(tile: Image.Image, fabric: Fabric, chance: random.Random) -> None:
    draw = ImageDraw.Draw(tile)
    for at in range(-SIDE, SIDE, 8):
        draw.line((at, 0, at + SIDE, SIDE), fill=shade(fabric.base, 0.86), width=3)
    flecks = Image.frombytes("L", (128, 16), chance.randbytes(128 * 16)).resize(tile.size)
    tile.paste(fabric.accent, (0, 0), flecks.point([v // 4 for v in range(256)]))


WEAVES: Final[dict[str, Pattern]] = {
    "stripes": _stripes,
    "breton": _breton,
    "pinstripe": _pinstripe,
    "diagonal": _diagonal,
    "gingham": _gingham,
    "tartan": _tartan,
    "chevron": _chevron,
    "argyle": _argyle,
    "knit": _knit,
    "heather": _heather,
    "denim": _denim,
}
