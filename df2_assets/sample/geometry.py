"""Points, curves and the camera: from body units (a head's height is 1) to pixels.

Body units: x to the right from the body's axis, y down from the top of the head; the feet of a
standing figure are at y = 8.
"""

import math
from dataclasses import dataclass

Point = tuple[float, float]
Polygon = list[Point]
Bounds = tuple[float, float, float, float]


def curve(points: Polygon, steps: int = 6) -> Polygon:
    """A smooth open curve through `points` (Catmull-Rom), ends included."""
    padded = [points[0], *points, points[-1]]
    result: Polygon = []
    for p0, p1, p2, p3 in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
        for step in range(steps):
            t = step / steps
            a, b = 2 * t**3 - 3 * t**2 + 1, t**3 - 2 * t**2 + t
            c, d = 3 * t**2 - 2 * t**3, t**3 - t**2
            result.append(
                (
                    a * p1[0] + b * (p2[0] - p0[0]) / 2 + c * p2[0] + d * (p3[0] - p1[0]) / 2,
                    a * p1[1] + b * (p2[1] - p0[1]) / 2 + c * p2[1] + d * (p3[1] - p1[1]) / 2,
                )
            )
    return [*result, points[-1]]


def mirrored(points: Polygon) -> Polygon:
    """`points` on the other side of the body's axis, in the same order."""
    return [(-x, y) for x, y in points]


def closed(half: Polygon) -> Polygon:
    """The outline whose right half, from top to bottom, is `half`."""
    return [*half, *reversed(mirrored(half))]


def ellipse(x: float, y: float, rx: float, ry: float, points: int = 24) -> Polygon:
    """An ellipse around (x, y)."""
    turns = (2 * math.pi * i / points for i in range(points))
    return [(x + rx * math.cos(a), y + ry * math.sin(a)) for a in turns]


def ribbon(path: Polygon, widths: list[float]) -> Polygon:
    """The outline of a band along `path`; `widths` are half-widths at its points."""
    left: Polygon = []
    right: Polygon = []
    for i, (x, y) in enumerate(path):
        (ax, ay), (bx, by) = path[max(i - 1, 0)], path[min(i + 1, len(path) - 1)]
        length = math.hypot(bx - ax, by - ay) or 1.0
        nx, ny = (ay - by) / length * widths[i], (bx - ax) / length * widths[i]
        left.append((x + nx, y + ny))
        right.append((x - nx, y - ny))
    return [*left, *reversed(right)]


def bounds(polygons: list[Polygon]) -> Bounds:
    """The smallest x1, y1, x2, y2 around `polygons`."""
    xs = [x for polygon in polygons for x, _ in polygon]
    ys = [y for polygon in polygons for _, y in polygon]
    return min(xs), min(ys), max(xs), max(ys)


@dataclass(frozen=True)
class Camera:
    """Where body units land in the picture.

    `unit` is pixels a body unit; (`x0`, `y0`) the pixel of the body's (0, `pivot`); `squeeze`
    narrows the figure (turned to the side) or widens it (cloth laid flat); `tilt` is in degrees.
    """

    unit: float
    x0: float
    y0: float
    pivot: float = 4.0
    squeeze: float = 1.0
    tilt: float = 0.0

    def at(self, points: Polygon) -> Polygon:
        """`points` in pixels."""
        sin, cos = math.sin(math.radians(self.tilt)), math.cos(math.radians(self.tilt))
        result: Polygon = []
        for x, y in points:
            u, v = x * self.squeeze * self.unit, (y - self.pivot) * self.unit
            result.append((self.x0 + u * cos - v * sin, self.y0 + u * sin + v * cos))
        return result
