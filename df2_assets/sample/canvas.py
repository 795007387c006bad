"""Outlines, the camera that sees them, and painting them with smooth edges.

Body units: x to the right from the body's axis, y down from the top of the head, whose height is
one unit; the feet of a standing figure are at y = 8.
"""

import colorsys
import math
import random
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from PIL import Image, ImageChops, ImageDraw, ImageFilter

Point = tuple[float, float]
Polygon = list[Point]
Bounds = tuple[float, float, float, float]
Colour = tuple[int, int, int]
Area = tuple[int, int, int, int]
Size = tuple[int, int]


class Part(NamedTuple):
    """An outline in one colour, which darkens over `depth` towards the edges."""

    outline: Polygon
    colour: Colour
    depth: float = 0.0

    def mirrored(self) -> "Part":
        """Return the part on the other side of the body's axis."""
        return self._replace(outline=mirrored(self.outline))


@dataclass(frozen=True)
class Camera:
    """Where body units land in the picture.

    `unit` is the number of pixels per body unit; (`x0`, `y0`) is the pixel of the body's
    (0, `pivot`). `squeeze` narrows a figure that is turned to the side, or widens cloth that lies
    flat; `tilt` is in degrees.
    """

    unit: float
    x0: float
    y0: float
    pivot: float = 0.0
    squeeze: float = 1.0
    tilt: float = 0.0

    def at(self, points: Polygon) -> Polygon:
        """Return `points` in pixels."""
        turn = math.radians(self.tilt)
        sin, cos = math.sin(turn) * self.unit, math.cos(turn) * self.unit
        flat = [(x * self.squeeze, y - self.pivot) for x, y in points]
        return [(self.x0 + u * cos - v * sin, self.y0 + u * sin + v * cos) for u, v in flat]


def curve(points: Polygon, steps: int = 5) -> Polygon:
    """Return a smooth open curve through `points` (Catmull-Rom), ends included."""
    ends = [points[0], *points, points[-1]]
    result: Polygon = []
    for p, q, r, s in zip(ends, ends[1:], ends[2:], ends[3:], strict=False):
        for t in (step / steps for step in range(steps)):
            a, b = 3 * t**2 - 2 * t**3, (t**3 - 2 * t**2 + t) / 2
            c = (t**3 - t**2) / 2
            x, y = (
                q[i] + a * (r[i] - q[i]) + b * (r[i] - p[i]) + c * (s[i] - q[i]) for i in (0, 1)
            )
            result.append((x, y))
    return [*result, points[-1]]


def mirrored(points: Polygon) -> Polygon:
    """Return `points` on the other side of the body's axis, in the same order."""
    return [(-x, y) for x, y in points]


def closed(half: Polygon) -> Polygon:
    """Return the outline whose right half, from top to bottom, is `half`."""
    return [*half, *reversed(mirrored(half))]


def box(x1: float, y1: float, x2: float, y2: float) -> Polygon:
    """Return a rectangle."""
    return [(x1, y1), (x2, y1), (x2, y2), (x1, y2)]


def ellipse(x: float, y: float, rx: float, ry: float, points: int = 20) -> Polygon:
    """Return an ellipse around (x, y)."""
    turns = (2 * math.pi * i / points for i in range(points))
    return [(x + rx * math.cos(a), y + ry * math.sin(a)) for a in turns]


def ribbon(path: Polygon, start: float, end: float | None = None) -> Polygon:
    """Return a band along `path`, `start` to each side of it at first and `end` at last."""
    end = start if end is None else end
    left: Polygon = []
    right: Polygon = []
    last = len(path) - 1
    for i, (x, y) in enumerate(path):
        (ax, ay), (bx, by) = path[max(i - 1, 0)], path[min(i + 1, last)]
        reach = (start + (end - start) * i / last) / (math.hypot(bx - ax, by - ay) or 1.0)
        nx, ny = (ay - by) * reach, (bx - ax) * reach
        left.append((x + nx, y + ny))
        right.append((x - nx, y - ny))
    return [*left, *reversed(right)]


def bounds(outlines: list[Polygon]) -> Bounds:
    """Return the smallest x1, y1, x2, y2 around `outlines`."""
    xs = [x for outline in outlines for x, _ in outline]
    ys = [y for outline in outlines for _, y in outline]
    return min(xs), min(ys), max(xs), max(ys)


def shade(colour: Colour, factor: float) -> Colour:
    """Return `colour` darker (factor below 1) or lighter (towards white, above 1)."""
    if factor <= 1:
        r, g, b = (round(c * factor) for c in colour)
    else:
        r, g, b = (round(255 - (255 - c) / factor) for c in colour)
    return r, g, b


def hsv(hue: float, saturation: float, value: float) -> Colour:
    """Return a colour from hue (one turn is 1), saturation and value (0 to 1)."""
    r, g, b = colorsys.hsv_to_rgb(hue % 1, saturation, value)
    return round(r * 255), round(g * 255), round(b * 255)


@lru_cache(maxsize=256)
def ramp(low: float, high: float) -> list[int]:
    """Return a lookup table from 0..255 to a share of 255 between `low` and `high`."""
    return [max(0, min(255, round(255 * (low + (high - low) * v / 255)))) for v in range(256)]


def area_of(outlines: list[Polygon], size: Size, margin: int = 0) -> Area | None:
    """Return the part of an image that `outlines` touch; None where they lie outside."""
    x1, y1, x2, y2 = bounds(outlines)
    left, top = max(math.floor(x1) - margin, 0), max(math.floor(y1) - margin, 0)
    right, bottom = min(math.ceil(x2) + margin, size[0]), min(math.ceil(y2) + margin, size[1])
    return (left, top, right, bottom) if left < right and top < bottom else None


def coverage(outlines: list[Polygon], area: Area) -> Image.Image:
    """Return a grey mask of `area`: 255 inside `outlines`, smooth at their edges."""
    left, top, right, bottom = area
    mask = Image.new("L", (2 * (right - left), 2 * (bottom - top)))
    draw = ImageDraw.Draw(mask)
    for outline in outlines:
        draw.polygon([(2 * (x - left), 2 * (y - top)) for x, y in outline], fill=255)
    return mask.reduce(2)


def clouds(rng: random.Random, size: Size, cells: Size) -> Image.Image:
    """Return a grey image of soft random patches, `cells` of them across and down."""
    grid = Image.frombytes("L", cells, rng.randbytes(cells[0] * cells[1]))
    return grid.resize(size, Image.Resampling.BICUBIC)


def multiply(image: Image.Image, light: Image.Image) -> Image.Image:
    """Return `image` under a grey image of light: 255 leaves a pixel as it is."""
    return ImageChops.multiply(image, Image.merge("RGB", (light, light, light)))


def soften(mask: Image.Image, radius: float) -> Image.Image:
    """Return `mask` blurred by about `radius` pixels, by way of a smaller image."""
    factor = max(1, round(radius / 2))
    small = mask.reduce(factor).filter(ImageFilter.BoxBlur(max(radius / factor / 1.5, 0.5)))
    return small.resize(mask.size, Image.Resampling.BILINEAR)


def paint(image: Image.Image, camera: Camera, parts: list[Part]) -> None:
    """Paint parts as the camera sees them, one over the other."""
    for outline, colour, depth in parts:
        seen = [camera.at(outline)]
        area = area_of(seen, image.size)
        if area is None:
            continue
        mask = coverage(seen, area)
        if depth:
            light = soften(mask, depth * camera.unit).point(ramp(0.52, 1.0))
            image.paste(multiply(Image.new("RGB", mask.size, colour), light), area, mask)
        else:
            image.paste(colour, area, mask)


def paint_shadow(
    image: Image.Image, outlines: list[Polygon], offset: tuple[float, float], depth: float
) -> None:
    """Darken what lies behind `outlines` by `depth`, moved by `offset` pixels and blurred."""
    reach = max(4, round(sum(offset)))
    moved = [[(x + offset[0], y + offset[1]) for x, y in outline] for outline in outlines]
    area = area_of(moved, image.size, 2 * reach)
    if area is not None:
        image.paste((0, 0, 0), area, soften(coverage(moved, area), reach).point(ramp(0, depth)))
