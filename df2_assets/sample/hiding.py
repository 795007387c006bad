"""Occlusion: what lies in front of a garment, and how much of it that hides."""

import math
import random
from operator import mul
from typing import Final

from PIL import Image, ImageChops

from df2_assets.sample.canvas import coverage
from df2_assets.sample.framing import Placed, Size
from df2_assets.sample.geometry import Point, Polygon
from df2_assets.sample.scenes.occluders import Parts, choose

_HIDDEN: Final = {1: (0.0, 0.14), 2: (0.18, 0.36), 3: (0.42, 0.72)}
"""Occlusion label -> share of the garment inside the frame that is hidden, from and up to."""

_SCALE: Final = 5
"""Shares are measured on an image so many times smaller."""

_OBSTACLES: Final = 3
"""In front of one garment at most."""

_TRIES: Final = 14


def hide(garments: list[Placed], rng: random.Random, frame: Size, studio: bool) -> list[Parts]:
    """Obstacles, in pixels, that hide as much of each garment as its label says.

    `garments` are in the order of painting: later ones already hide earlier ones.
    """
    labels = [garment.item.occlusion for garment in garments]
    masks = [_mask(garment.polygons, frame) for garment in garments]
    nothing = Image.new("L", masks[0].size)
    hidden = [_union([nothing, *masks[i + 1 :]]) for i in range(len(masks))]
    obstacles: list[Parts] = []
    for i in sorted(range(len(labels)), key=lambda i: labels[i]):
        for _ in range(_OBSTACLES):
            if _share(masks[i], hidden[i]) >= _HIDDEN[labels[i]][0]:
                break
            best: tuple[float, Parts, list[Image.Image]] | None = None
            for obstacle in _placements(garments[i], choose(rng, studio), rng, frame):
                mask = _mask([outline for outline, _ in obstacle], frame)
                after = [ImageChops.lighter(h, mask) for h in hidden]
                cost = _cost(i, labels, [_share(m, a) for m, a in zip(masks, after, strict=True)])
                if best is None or cost < best[0]:
                    best = cost, obstacle, after
                if not cost:
                    break
            assert best is not None
            obstacles.append(best[1])
            hidden = best[2]
    return obstacles


def holds(outline: Polygon, point: Point) -> bool:
    """Whether a point is inside an outline (ray casting)."""
    x, y = point
    inside = False
    for (ax, ay), (bx, by) in zip(outline, [*outline[1:], outline[0]], strict=True):
        if (ay > y) != (by > y) and x < ax + (y - ay) / (by - ay) * (bx - ax):
            inside = not inside
    return inside


def _placements(target: Placed, parts: Parts, rng: random.Random, frame: Size) -> list[Parts]:
    """The parts in several places over a garment, from small to large."""
    x1, y1, x2, y2 = target.box(frame)
    wanted = sum(_HIDDEN[target.item.occlusion]) / 2
    reach = math.sqrt((x2 - x1) * (y2 - y1) * wanted)
    placements = []
    for attempt in range(_TRIES):
        size, turn = (0.42 + 0.06 * attempt) * reach, rng.uniform(-0.3, 0.3)
        x, y = (a + (b - a) * rng.uniform(0.2, 0.8) for a, b in ((x1, x2), (y1, y2)))
        sin, cos = math.sin(turn) * size, math.cos(turn) * size
        placements.append(
            [
                ([(x + u * cos - v * sin, y + u * sin + v * cos) for u, v in outline], colour)
                for outline, colour in parts
            ]
        )
    return placements


def _cost(target: int, labels: list[int], shares: list[float]) -> float:
    """How far the garments are from their labels: too little of the target, too much of any."""
    cost = max(_HIDDEN[labels[target]][0] - shares[target], 0.0)
    for label, share in zip(labels, shares, strict=True):
        cost += max(share - _HIDDEN[label][1], 0.0)
    return cost


def _mask(polygons: list[Polygon], frame: Size) -> Image.Image:
    small = [[(x / _SCALE, y / _SCALE) for x, y in polygon] for polygon in polygons]
    return coverage(small, (0, 0, frame[0] // _SCALE, frame[1] // _SCALE))


def _union(masks: list[Image.Image]) -> Image.Image:
    result = masks[0]
    for mask in masks[1:]:
        result = ImageChops.lighter(result, mask)
    return result


def _share(mask: Image.Image, over: Image.Image) -> float:
    """How much of `mask` lies under `over`."""
    return _weight(ImageChops.darker(mask, over)) / max(_weight(mask), 1)


def _weight(mask: Image.Image) -> int:
    return sum(map(mul, range(256), mask.histogram()))
