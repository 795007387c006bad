"""Cloth: a colour scheme and a pattern, drawn as a tile two body units wide that repeats."""

import colorsys
import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from PIL import Image, ImageChops, ImageDraw

from df2_assets.sample.canvas import Colour, shade

TILE: Final = 128
"""Pixels of a tile's side; 64 a body unit."""
_FINE: Final = 2 * TILE


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
    "stripes", "breton", "pinstripe", "diagonal", "gingham", "tartan", "dots", "floral", "fade",
    "blocks", "chevron", "argyle", "leopard", "leaves", "scatter",
)  # fmt: skip
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
        base = _hsv(chance.uniform(0.58, 0.63), 0.62 - 0.35 * level, level)
        accent, third = shade(base, 1.5), shade(base, 0.6)
    return Fabric(pattern, base, accent, third, chance.randrange(3), chance.getrandbits(32))


def _scheme(chance: random.Random) -> tuple[Colour, Colour, Colour]:
    """Three colours that go together: a ground, one beside or against it, a light or dark one."""
    hue = chance.random()
    kind = chance.randrange(6)
    if kind == 0:
        base = _hsv(hue, chance.uniform(0.02, 0.1), chance.uniform(0.86, 0.96))
        accent = _hsv(hue, chance.uniform(0.6, 0.85), chance.uniform(0.35, 0.75))
    elif kind == 1:
        base = _hsv(hue, chance.uniform(0.1, 0.5), chance.uniform(0.13, 0.26))
        accent = _hsv(hue + chance.choice((0.1, 0.5)), chance.uniform(0.2, 0.7), 0.9)
    elif kind == 2:
        base = _hsv(hue, chance.uniform(0.2, 0.34), chance.uniform(0.8, 0.94))
        accent = _hsv(hue + 0.5, chance.uniform(0.3, 0.6), chance.uniform(0.5, 0.75))
    else:
        base = _hsv(hue, chance.uniform(0.5, 0.82), chance.uniform(0.45, 0.85))
        accent = _hsv(hue + chance.choice((0.08, 0.42, 0.5)), chance.uniform(0.25, 0.7), 0.93)
    third = chance.choice(((245, 242, 234), (28, 29, 38), shade(accent, 0.6), shade(base, 1.8)))
    return base, accent, third


def _hsv(hue: float, saturation: float, value: float) -> Colour:
    r, g, b = colorsys.hsv_to_rgb(hue % 1, saturation, value)
    return round(r * 255), round(g * 255), round(b * 255)


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


def _bands(tile: Image.Image, colour: Colour, period: int, width: int, upright: bool) -> None:
    draw = ImageDraw.Draw(tile)
    for at in range(0, _FINE, period):
        end = at + width - 1
        box = (at, 0, end, _FINE) if upright else (0, at, _FINE, end)
        draw.rectangle(box, fill=colour)


def _wrapped(
    x: float, y: float, reach: float, motif: Callable[[float, float], object]
) -> None:
    """Draw a motif at (x, y) and again wherever it crosses the tile's edge."""
    for dx in (-_FINE, 0, _FINE):
        for dy in (-_FINE, 0, _FINE):
            if -reach < x + dx < _FINE + reach and -reach < y + dy < _FINE + reach:
                motif(x + dx, y + dy)


def _spots(
    chance: random.Random, count: int, distance: float
) -> list[tuple[float, float]]:
    """`count` places on the tile at most, none nearer to another than `distance`."""
    spots: list[tuple[float, float]] = []
    for _ in range(count * 6):
        x, y = chance.uniform(0, _FINE), chance.uniform(0, _FINE)
        gaps = (
            math.hypot(min(abs(x - u), _FINE - abs(x - u)), min(abs(y - v), _FINE - abs(y - v)))
            for u, v in spots
        )
        if all(gap >= distance for gap in gaps):
            spots.append((x, y))
        if len(spots) == count:
            break
    return spots


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
    for at in range(-_FINE, 2 * _FINE, period):
        ends = ((at, 0), (at + slope * _FINE, _FINE))
        draw.line(ends, fill=fabric.accent, width=period * 5 // 16)


def _gingham(tile: Image.Image, fabric: Fabric, chance: random.Random) -> None:
    period = (32, 64, 64)[fabric.size]
    half = shade(fabric.base, 1.0)
    middle: Colour = tuple((a + b) // 2 for a, b in zip(half, fabric.accent, strict=True))  # type: ignore[assignment]
    _bands(tile, middle, period, period // 2, upright=True)
    _bands(tile, middle, period, period // 2, upright=False)
    draw = ImageDraw.Draw(tile)
    for x in range(0, _FINE, period):
        for y in range(0, _FINE, period):
            draw.rectangle((x, y, x + period // 2 - 1, y + period // 2 - 1), fill=fabric.accent)


def _tartan(tile: Image.Image, fabric: Fabric, chance: random.Random) -> None:
    period = (64, 128, 128)[fabric.size]
    for upright in (True, False):
        layer = tile.copy()
        _bands(layer, fabric.accent, period, period // 3, upright)
        draw = ImageDraw.Draw(layer)
        for at in range(period // 2, _FINE, period):
            for offset, colour in ((0, fabric.third), (period // 6, shade(fabric.base, 0.6))):
                lo, hi = at + offset, at + offset + max(period // 24, 3)
                draw.rectangle((lo, 0, hi, _FINE) if upright else (0, lo, _FINE, hi), fill=colour)
        tile.paste(Image.blend(tile, layer, 0.55))


def _dots(tile: Image.Image, fabric: Fabric, chance: random.Random) -> None:
    draw = ImageDraw.Draw(tile)
    period = (32, 64, 128)[fabric.size]
    radius = period * chance.choice((0.16, 0.24, 0.3))
    for row, y in enumerate(range(0, _FINE + 1, period // 2)):
        for x in range(-(row % 2) * period // 2, _FINE + period, period):
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=fabric.accent)


def _floral(tile: Image.Image, fabric: Fabric, chance: random.Random) -> None:
    draw = ImageDraw.Draw(tile)
    reach = (17, 25, 38)[fabric.size]
    leaf = _hsv(0.33 + chance.uniform(-0.08, 0.08), 0.4, 0.5)

    def disc(x: float, y: float, radius: float, colour: Colour) -> None:
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)

    for x, y in _spots(chance, 40, reach * 1.9):
        turn, petals = chance.uniform(0, 2), chance.choice((5, 5, 6))
        colour = fabric.accent if chance.random() < 0.7 else fabric.third

        def flower(u: float, v: float, turn: float = turn, petals: int = petals,
                   colour: Colour = colour) -> None:  # fmt: skip
            for side in (0.9, 2.6):
                disc(u + reach * 0.85 * math.cos(turn + side), v + reach * 0.85 * math.sin(turn + side), reach * 0.22, leaf)  # noqa: E501
            for i in range(petals):
                a = turn + 2 * math.pi * i / petals
                disc(u + reach * 0.42 * math.cos(a), v + reach * 0.42 * math.sin(a), reach * 0.3, colour)  # noqa: E501
            disc(u, v, reach * 0.22, shade(colour, 0.55))

        _wrapped(x, y, reach, flower)


def _leaves(tile: Image.Image, fabric: Fabric, chance: random.Random) -> None:
    draw = ImageDraw.Draw(tile)
    for shade_of in (fabric.accent, fabric.third, shade(fabric.base, 0.7)):
        for x, y in _spots(chance, 14, 44):
            a, length = chance.uniform(0, 6.28), chance.uniform(18, 40)

            def leaf(u: float, v: float, a: float = a, length: float = length,
                     colour: Colour = shade_of) -> None:  # fmt: skip
                dx, dy = math.cos(a) * length, math.sin(a) * length
                draw.polygon(
                    [(u - dx, v - dy), (u - dy * 0.4, v + dx * 0.4), (u + dx, v + dy), (u + dy * 0.4, v - dx * 0.4)],  # noqa: E501
                    fill=colour,
                )

            _wrapped(x, y, 44, leaf)


def _leopard(tile: Image.Image, fabric: Fabric, chance: random.Random) -> None:
    draw = ImageDraw.Draw(tile)
    dark = shade(fabric.base, 0.35)
    reach = (12, 16, 22)[fabric.size]
    for x, y in _spots(chance, 60, reach * 2.1):
        start, rx, ry = chance.randrange(360), chance.uniform(0.7, 1.1), chance.uniform(0.7, 1.1)

        def rosette(u: float, v: float, start: int = start, rx: float = rx,
                    ry: float = ry) -> None:  # fmt: skip
            box = (u - reach * rx, v - reach * ry, u + reach * rx, v + reach * ry)
            draw.ellipse(box, fill=shade(fabric.base, 0.75))
            draw.arc(box, start, start + 150, fill=dark, width=reach // 2)
            draw.arc(box, start + 190, start + 310, fill=dark, width=reach // 2)

        _wrapped(x, y, reach * 1.2, rosette)


def _scatter(tile: Image.Image, fabric: Fabric, chance: random.Random) -> None:
    draw = ImageDraw.Draw(tile)
    for x, y in _spots(chance, 50, 30):
        a, colour = chance.uniform(0, 3.14), chance.choice((fabric.accent, fabric.third))

        def dash(u: float, v: float, a: float = a, colour: Colour = colour) -> None:
            dx, dy = math.cos(a) * 13, math.sin(a) * 13
            draw.line((u - dx, v - dy, u + dx, v + dy), fill=colour, width=8)

        _wrapped(x, y, 20, dash)


def _chevron(tile: Image.Image, fabric: Fabric, chance: random.Random) -> None:
    draw = ImageDraw.Draw(tile)
    period = (32, 64, 64)[fabric.size]
    for at in range(-_FINE // 2, _FINE + period, period):
        points = [(x * 32, at + (0 if x % 2 else 32)) for x in range(-1, _FINE // 32 + 2)]
        draw.line(points, fill=fabric.accent, width=period * 3 // 8)


def _argyle(tile: Image.Image, fabric: Fabric, chance: random.Random) -> None:
    draw = ImageDraw.Draw(tile)
    step = (32, 64, 64)[fabric.size]
    for i, x in enumerate(range(0, _FINE + 1, step)):
        for y in range(0, _FINE + 1, 2 * step):
            colour = fabric.accent if i % 2 else fabric.third
            v = y + step * (i % 2)
            draw.polygon([(x - step // 2, v), (x, v - step), (x + step // 2, v), (x, v + step)], fill=colour)  # noqa: E501
    for at in range(-_FINE, 2 * _FINE, step):
        draw.line((at, 0, at + _FINE // 2, _FINE), fill=shade(fabric.base, 1.6), width=3)
        draw.line((at, 0, at - _FINE // 2, _FINE), fill=shade(fabric.base, 1.6), width=3)


def _knit(tile: Image.Image, fabric: Fabric, chance: random.Random) -> None:
    draw = ImageDraw.Draw(tile)
    dark = shade(fabric.base, 0.7)
    for y in range(-16, _FINE + 16, 16):
        for x in range(0, _FINE, 16):
            draw.line((x, y, x + 8, y + 9, x + 16, y), fill=dark, width=4)
    if fabric.size == 2:
        for y in range(24, _FINE, 128):
            for x in range(0, _FINE, 32):
                draw.polygon([(x, y + 16), (x + 16, y), (x + 32, y + 16), (x + 16, y + 32)], fill=fabric.accent)  # noqa: E501


def _heather(tile: Image.Image, fabric: Fabric, chance: random.Random) -> None:
    flecks = Image.frombytes("L", (TILE, _FINE), chance.randbytes(TILE * _FINE))
    mask = flecks.resize(tile.size).point([140 if v > 200 else 0 for v in range(256)])
    tile.paste(shade(fabric.base, 1.7), (0, 0), mask)


def _denim(tile: Image.Image, fabric: Fabric, chance: random.Random) -> None:
    draw = ImageDraw.Draw(tile)
    for at in range(-_FINE, _FINE, 8):
        draw.line((at, 0, at + _FINE, _FINE), fill=shade(fabric.base, 0.86), width=3)
    flecks = Image.frombytes("L", (TILE, TILE // 8), chance.randbytes(TILE * TILE // 8))
    tile.paste(fabric.accent, (0, 0), flecks.resize(tile.size).point([v // 4 for v in range(256)]))


PATTERNS: Final[dict[str, Callable[[Image.Image, Fabric, random.Random], None]]] = {
    "stripes": _stripes,
    "breton": _breton,
    "pinstripe": _pinstripe,
    "diagonal": _diagonal,
    "gingham": _gingham,
    "tartan": _tartan,
    "dots": _dots,
    "floral": _floral,
    "leaves": _leaves,
    "leopard": _leopard,
    "scatter": _scatter,
    "chevron": _chevron,
    "argyle": _argyle,
    "knit": _knit,
    "heather": _heather,
    "denim": _denim,
}
