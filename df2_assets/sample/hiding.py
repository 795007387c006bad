"""Occlusion: what lies in front of a garment, and how much of it that hides."""

import math
import random
from dataclasses import dataclass
from typing import Final

from PIL import Image, ImageChops

from df2_assets.sample import occluders
from df2_assets.sample.canvas import coverage
from df2_assets.sample.framing import Placed, Size
from df2_assets.sample.geometry import Polygon

HIDDEN: Final = {1: (0.0, 0.14), 2: (0.18, 0.36), 3: (0.42, 0.72)}
"""Occlusion label -> share of the garment inside the frame that is hidden, from and up to."""

_SCALE: Final = 5
"""Shares are measured on an image so many times smaller."""


@dataclass(frozen=True)
class Obstacle:
    """Coloured outlines in pixels, painted over everything."""

    parts: occluders.Parts


def hide(garments: list[Placed], rng: random.Random, frame: Size, studio: bool) -> list[Obstacle]:
    """Obstacles that hide as much of each garment as its label says, and little of the others.

    `garments` are in the order of painting: later ones already hide earlier ones.
    """
    masks = [_mask(g.polygons, frame) for g in garments]
    hidden = []
    for i, mask in enumerate(masks):
        above = Image.new("L", mask.size)
        for later in masks[i + 1 :]:
            above = ImageChops.lighter(above, later)
        hidden.append(above)
    obstacles: list[Obstacle] = []
    for i in sorted(range(len(garments)), key=lambda i: garments[i].item.occlusion):
        for _ in range(3):
            low = HIDDEN[garments[i].item.occlusion][0]
            if _share(masks[i], hidden[i]) >= low:
                break
            obstacle, shape = _best(i, garments, masks, hidden, rng, frame, studio)
            obstacles.append(obstacle)
            hidden = [ImageChops.lighter(h, shape) for h in hidden]
    return obstacles


def _best(
    target: int,
    garments: list[Placed],
    masks: list[Image.Image],
    hidden: list[Image.Image],
    rng: random.Random,
    frame: Size,
    studio: bool,
) -> tuple[Obstacle, Image.Image]:
    """Of some places and sizes, the one that comes nearest to every garment's label."""
    parts = occluders.choose(rng, studio)
    x1, y1, x2, y2 = garments[target].box(frame)
    low, high = HIDDEN[garments[target].item.occlusion]
    reach = math.sqrt((x2 - x1) * (y2 - y1) * (low + high) / 2)
    tries = []
    for attempt in range(14):
        grow = (0.42 + 0.06 * attempt) * reach
        x, y = x1 + (x2 - x1) * rng.uniform(0.2, 0.8), y1 + (y2 - y1) * rng.uniform(0.2, 0.8)
        turn = rng.uniform(-0.3, 0.3)
        moved = [(_move(outline, x, y, grow, turn), colour) for outline, colour in parts]
        shape = _mask([outline for outline, _ in moved], frame)
        cost = 0.0
        for i, garment in enumerate(garments):
            share = _share(masks[i], ImageChops.lighter(hidden[i], shape))
            floor, ceiling = HIDDEN[garment.item.occlusion]
            cost += max(share - ceiling, 0) * 2
            if i == target:
                cost += max(floor - share, 0) * 2
        tries.append((cost, attempt, moved, shape))
        if not cost:
            break
    _, _, moved, shape = min(tries, key=lambda t: t[:2])
    return Obstacle(moved), shape


def hidden_points(points: Polygon, obstacles: list[Obstacle]) -> list[bool]:
    """For each point whether an obstacle's outline holds it (ray casting)."""
    outlines = [outline for obstacle in obstacles for outline, _ in obstacle.parts]
    return [any(_holds(outline, point) for outline in outlines) for point in points]


def _holds(outline: Polygon, point: tuple[float, float]) -> bool:
    x, y = point
    inside = False
    for (ax, ay), (bx, by) in zip(outline, [*outline[1:], outline[0]], strict=True):
        if (ay > y) != (by > y) and x < ax + (y - ay) / (by - ay) * (bx - ax):
            inside = not inside
    return inside


def _mask(polygons: list[Polygon], frame: Size) -> Image.Image:
    small = [[(x / _SCALE, y / _SCALE) for x, y in polygon] for polygon in polygons]
    return coverage(small, (0, 0, frame[0] // _SCALE, frame[1] // _SCALE))


def _share(mask: Image.Image, over: Image.Image) -> float:
    """How much of `mask` lies under `over`."""
    both = ImageChops.darker(mask, over)
    return _weight(both) / max(_weight(mask), 1)


def _weight(mask: Image.Image) -> int:
    return sum(level * count for level, count in enumerate(mask.histogram()))


def _move(outline: Polygon, x: float, y: float, grow: float, turn: float) -> Polygon:
    sin, cos = math.sin(turn), math.cos(turn)
    return [(x + (u * cos - v * sin) * grow, y + (u * sin + v * cos) * grow) for u, v in outline]
