"""Patterns that are printed: dots, flowers, leaves, spots. Each draws on a tile that repeats."""

import math
import random
from collections.abc import Callable
from typing import Final

from PIL import Image, ImageDraw

from df2_assets.sample.canvas import Colour, hsv, shade
from df2_assets.sample.garments.weaves import SIDE, Fabric, Pattern
from df2_assets.sample.geometry import Point


def _everywhere(at: Point, reach: float, motif: Callable[[float, float], object]) -> None:
    """Draw a motif at a point, and again wherever it crosses the tile's edge."""
    for x in (at[0] - SIDE, at[0], at[0] + SIDE):
        for y in (at[1] - SIDE, at[1], at[1] + SIDE):
            if -reach < x < SIDE + reach and -reach < y < SIDE + reach:
                motif(x, y)


def _spots(chance: random.Random, count: int, distance: float) -> list[Point]:
    """`count` places on the tile at most, none nearer to another than `distance`."""

    def apart(a: float, b: float) -> float:
        return min(abs(a - b), SIDE - abs(a - b))

    spots: list[Point] = []
    for _ in range(count * 6):
        x, y = chance.uniform(0, SIDE), chance.uniform(0, SIDE)
        if all(math.hypot(apart(x, u), apart(y, v)) >= distance for u, v in spots):
            spots.append((x, y))
        if len(spots) == count:
            break
    return spots


def _disc(draw: ImageDraw.ImageDraw, x: float, y: float, radius: float, colour: Colour) -> None:
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)


def _dots(tile: Image.Image, fabric: Fabric, chance: random.Random) -> None:
    draw = ImageDraw.Draw(tile)
    period = (32, 64, 128)[fabric.size]
    radius = period * chance.choice((0.16, 0.24, 0.3))
    for row, y in enumerate(range(0, SIDE + 1, period // 2)):
        for x in range(-(row % 2) * period // 2, SIDE + period, period):
            _disc(draw, x, y, radius, fabric.accent)


def _floral(tile: Image.Image, fabric: Fabric, chance: random.Random) -> None:
    draw = ImageDraw.Draw(tile)
    reach = (17, 25, 38)[fabric.size]
    green = hsv(0.33 + chance.uniform(-0.08, 0.08), 0.4, 0.5)
    for spot in _spots(chance, 40, reach * 1.9):
        turn, petals = chance.uniform(0, 2), chance.choice((5, 5, 6))
        colour = fabric.accent if chance.random() < 0.7 else fabric.third
        parts = [(0.85, 0.22, turn + side, green) for side in (0.9, 2.6)]
        parts += [(0.42, 0.3, turn + 2 * math.pi * i / petals, colour) for i in range(petals)]
        parts.append((0.0, 0.22, 0.0, shade(colour, 0.55)))

        def flower(
            x: float, y: float, parts: list[tuple[float, float, float, Colour]] = parts
        ) -> None:
            for away, size, a, tone in parts:
                u, v = x + reach * away * math.cos(a), y + reach * away * math.sin(a)
                _disc(draw, u, v, reach * size, tone)

        _everywhere(spot, reach, flower)


def _leaves(tile: Image.Image, fabric: Fabric, chance: random.Random) -> None:
    draw = ImageDraw.Draw(tile)
    for colour in (fabric.accent, fabric.third, shade(fabric.base, 0.7)):
        for spot in _spots(chance, 14, 44):
            a, length = chance.uniform(0, 6.28), chance.uniform(18, 40)
            dx, dy = math.cos(a) * length, math.sin(a) * length
            ends = [(-dx, -dy), (-dy * 0.4, dx * 0.4), (dx, dy), (dy * 0.4, -dx * 0.4)]

            def leaf(x: float, y: float, ends: list[Point] = ends, colour: Colour = colour) -> None:
                draw.polygon([(x + u, y + v) for u, v in ends], fill=colour)

            _everywhere(spot, 44, leaf)


def _leopard(tile: Image.Image, fabric: Fabric, chance: random.Random) -> None:
    draw = ImageDraw.Draw(tile)
    dark = shade(fabric.base, 0.35)
    reach = (12, 16, 22)[fabric.size]
    for spot in _spots(chance, 60, reach * 2.1):
        start = chance.randrange(360)
        rx, ry = reach * chance.uniform(0.7, 1.1), reach * chance.uniform(0.7, 1.1)

        def rosette(x: float, y: float, start: int = start, rx: float = rx, ry: float = ry) -> None:
            box = (x - rx, y - ry, x + rx, y + ry)
            draw.ellipse(box, fill=shade(fabric.base, 0.75))
            draw.arc(box, start, start + 150, fill=dark, width=reach // 2)
            draw.arc(box, start + 190, start + 310, fill=dark, width=reach // 2)

        _everywhere(spot, reach * 1.2, rosette)


def _scatter(tile: Image.Image, fabric: Fabric, chance: random.Random) -> None:
    draw = ImageDraw.Draw(tile)
    for spot in _spots(chance, 50, 30):
        a, colour = chance.uniform(0, 3.14), chance.choice((fabric.accent, fabric.third))
        end = (math.cos(a) * 13, math.sin(a) * 13)

        def dash(x: float, y: float, end: Point = end, colour: Colour = colour) -> None:
            draw.line((x - end[0], y - end[1], x + end[0], y + end[1]), fill=colour, width=8)

        _everywhere(spot, 20, dash)


PRINTS: Final[dict[str, Pattern]] = {
    "dots": _dots,
    "floral": _floral,
    "leaves": _leaves,
    "leopard": _leopard,
    "scatter": _scatter,
}
