"""Outlines, cameras, and painting with smooth edges.

Outlines are in body units: x points right from the axis of the body, y points down from the top of
the head. The head is one unit high, and the feet of a standing figure are at y = 8.
"""

import colorsys
import math
import random
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from PIL import Image, ImageChops, ImageDraw, ImageFilter

Polygon = list[tuple[float, float]]
Bounds = tuple[float, float, float, float]
Colour = tuple[int, int, int]
Area = tuple[int, int, int, int]
Size = tuple[int, int]


class Part(NamedTuple):
    """An outline in one colour."""

    outline: Polygon
    colour: Colour


class Camera(NamedTuple):
    """The projection of body units to pixels.

    (0, `pivot`) is projected to the pixel (`x0`, `y0`), with `unit` pixels per body unit. `squeeze`
    narrows a figure that is turned to the side. `tilt` is in degrees.
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
            a, b, c = 3 * t**2 - 2 * t**3, (t**3 - 2 * t**2 + t) / 2, (t**3 - t**2) / 2
            x = q[0] + a * (r[0] - q[0]) + b * (r[0] - p[0]) + c * (s[0] - q[0])
            y = q[1] + a * (r[1] - q[1]) + b * (r[1] - p[1]) + c * (s[1] - q[1])
            result.append((x, y))
    return [*result, points[-1]]


def mirror(points: Polygon) -> Polygon:
    """Return `points` on the other side of the body's axis, in the same order."""
    return [(-x, y) for x, y in points]


def mirror_both(half: Polygon) -> list[Polygon]:
    """Return `half` and its mirror image."""
    return [half, mirror(half)]


def close_outline(half: Polygon) -> Polygon:
    """Return the outline whose right half, from top to bottom, is `half`."""
    return [*half, *reversed(mirror(half))]


def ellipse(x: float, y: float, rx: float, ry: float, points: int = 20) -> Polygon:
    """Return an ellipse around (x, y)."""
    turns = (2 * math.pi * i / points for i in range(points))
    return [(x + rx * math.cos(a), y + ry * math.sin(a)) for a in turns]


def ribbon(path: Polygon, start: float, end: float | None = None) -> Polygon:
    """Return a band along `path`, whose half width changes from `start` to `end`."""
    last, left, right = len(path) - 1, [], []
    for i, (x, y) in enumerate(path):
        (ax, ay), (bx, by) = path[max(i - 1, 0)], path[min(i + 1, last)]
        half = start + ((start if end is None else end) - start) * i / last
        reach = half / (math.hypot(bx - ax, by - ay) or 1.0)
        left.append((x + (ay - by) * reach, y + (bx - ax) * reach))
        right.append((x - (ay - by) * reach, y - (bx - ax) * reach))
    return [*left, *reversed(right)]


def bounds(outlines: Iterable[Polygon]) -> Bounds:
    """Return the smallest x1, y1, x2, y2 around `outlines`."""
    xs, ys = zip(*(point for outline in outlines for point in outline), strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def contains(outline: Polygon, x: float, y: float) -> bool:
    """Return whether a point is inside an outline: a ray from it has an odd number of crossings."""
    crossed = False
    for (x1, y1), (x2, y2) in zip(outline, [*outline[1:], outline[0]], strict=True):
        if (y1 > y) != (y2 > y) and x < x1 + (x2 - x1) * (y - y1) / (y2 - y1):
            crossed = not crossed
    return crossed


def shade(colour: Colour, factor: float) -> Colour:
    """Return `colour` darker (factor below 1) or lighter (towards white, above 1)."""
    r, g, b = (round(c * factor if factor <= 1 else 255 - (255 - c) / factor) for c in colour)
    return r, g, b


def hsv(hue: float, saturation: float, value: float) -> Colour:
    """Return a colour from hue (one turn is 1), saturation and value (0 to 1)."""
    r, g, b = colorsys.hsv_to_rgb(hue % 1, saturation, value)
    return round(r * 255), round(g * 255), round(b * 255)


def ramp(low: float, high: float) -> list[int]:
    """Return a lookup table that maps 0 to 255 linearly to `low` to `high` times 255."""
    return [max(0, min(255, round(255 * low + (high - low) * v))) for v in range(256)]


def coverage(outlines: Iterable[Polygon], area: Area) -> Image.Image:
    """Return a grey mask of `area`: 255 inside `outlines`, smooth at their edges."""
    left, top, right, bottom = area
    mask = Image.new("L", (2 * (right - left), 2 * (bottom - top)))
    draw = ImageDraw.Draw(mask)
    for outline in outlines:
        draw.polygon([(2 * (x - left), 2 * (y - top)) for x, y in outline], fill=255)
    return mask.reduce(2)


def mask_of(
    outlines: Sequence[Polygon], size: Size, margin: int = 0
) -> tuple[Area, Image.Image] | None:
    """Return the area of an image that `outlines` touch, and their mask in it; None without one."""
    x1, y1, x2, y2 = bounds(outlines)
    left, top = max(math.floor(x1) - margin, 0), max(math.floor(y1) - margin, 0)
    right, bottom = min(math.ceil(x2) + margin, size[0]), min(math.ceil(y2) + margin, size[1])
    area = (left, top, right, bottom)
    return (area, coverage(outlines, area)) if left < right and top < bottom else None


def clouds(rng: random.Random, size: Size, cells: Size) -> Image.Image:
    """Return a grey image of soft random patches, `cells` of them across and down."""
    grid = Image.frombytes("L", cells, rng.randbytes(cells[0] * cells[1]))
    return grid.resize(size, Image.Resampling.BICUBIC)


def multiply(image: Image.Image, light: Image.Image) -> Image.Image:
    """Return `image`, multiplied by a grey image of light: 255 keeps a pixel unchanged."""
    return ImageChops.multiply(image, Image.merge("RGB", (light, light, light)))


def soften(mask: Image.Image, radius: float) -> Image.Image:
    """Return `mask` blurred by about `radius` pixels. It is reduced first, to save time."""
    factor = max(1, round(radius / 2))
    small = mask.reduce(factor).filter(ImageFilter.BoxBlur(max(radius / factor / 1.5, 0.5)))
    return small.resize(mask.size, Image.Resampling.BILINEAR)


def paint(image: Image.Image, camera: Camera, parts: list[Part], depth: float = 0.0) -> None:
    """Paint parts in order. Each part darkens towards its edges, over `depth` body units."""
    for outline, colour in parts:
        if masked := mask_of([camera.at(outline)], image.size):
            area, mask = masked
            sheet = Image.new("RGB", mask.size, colour)
            if depth:
                sheet = multiply(sheet, soften(mask, depth * camera.unit).point(ramp(0.52, 1.0)))
            image.paste(sheet, area, mask)


def paint_shadow(image: Image.Image, outlines: Sequence[Polygon], fall: float) -> None:
    """Paint the shadow of `outlines`, moved by `fall` pixels and blurred."""
    moved = [[(x + fall, y + fall) for x, y in outline] for outline in outlines]
    reach = max(4, round(2 * fall))
    if masked := mask_of(moved, image.size, 2 * reach):
        image.paste((0, 0, 0), masked[0], soften(masked[1], reach).point(ramp(0, 0.4)))
