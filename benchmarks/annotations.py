"""Annotation files with boxes, labels, outlines and landmarks of the usual sizes."""

import json
import math
import random
from typing import Any, Final

from benchmarks.pairs import ImageContent, Item
from df2_assets.dataset.boxes import Box
from df2_assets.dataset.taxonomy import CATEGORIES

_SHARE: Final = (1.9, 3.3)
"""Parameters of the beta distribution of the share of an image that a box covers."""

_SHORTEST_SIDE: Final = 48
_PAST_EDGE: Final = 0.004
"""Share of boxes that end a few pixels outside the image."""

_OCCLUSIONS: Final = (0.48, 0.49, 0.03)
_VIEWPOINTS: Final = (0.09, 0.77, 0.14)
_LANDMARKS: Final = (25, 33, 31, 39, 15, 15, 10, 14, 8, 29, 37, 19, 19)
"""Number of landmarks of category 1 to 13 (README of the data set)."""

_OUTLINE: Final = (50, 380)
"""Least and most points of the outline of an item."""


def draw_annotation(image: ImageContent, width: int, height: int, seed: str) -> bytes:
    """Return the annotation file of an image of this size in pixels; it depends on `seed` alone."""
    rng = random.Random(seed)
    content: dict[str, Any] = {"source": image.source, "pair_id": image.pair_id}
    for index, item in enumerate(image.items, start=1):
        content[f"item{index}"] = _item(rng, item, width, height)
    return json.dumps(content).encode()


def _item(rng: random.Random, item: Item, width: int, height: int) -> dict[str, Any]:
    x1, y1, x2, y2 = box = _box(rng, width, height)
    share = (x2 - x1) * (y2 - y1) / (width * height)
    if rng.random() < _PAST_EDGE:
        box = x1, y1, max(x2, width + rng.randint(1, 9)), y2
    return {
        "segmentation": _outline(rng, (x1, y1, x2, y2)),
        "scale": 1 if share < 0.1 else 2 if share <= 0.4 else 3,
        "viewpoint": _draw_1_to_3(rng, _VIEWPOINTS),
        "zoom_in": _draw_1_to_3(rng, (0.5, 0.3, 0.2)),
        "landmarks": _landmarks(rng, (x1, y1, x2, y2), _LANDMARKS[item.category_id - 1]),
        "style": item.style,
        "bounding_box": list(box),
        "category_id": item.category_id,
        "occlusion": _draw_1_to_3(rng, _OCCLUSIONS),
        "category_name": CATEGORIES[item.category_id],
    }


def _box(rng: random.Random, width: int, height: int) -> Box:
    """Draw a box inside the image, upright more often than not."""
    area = rng.betavariate(*_SHARE) * width * height
    upright = math.exp(rng.gauss(0.25, 0.3))
    w = min(width, max(_SHORTEST_SIDE, round(math.sqrt(area / upright))))
    h = min(height, max(_SHORTEST_SIDE, round(area / w)))
    x, y = rng.randint(0, width - w), rng.randint(0, height - h)
    return x, y, x + w, y + h


def _outline(rng: random.Random, box: Box) -> list[list[int]]:
    """Draw a polygon of points in the box: x, y, x, y, ..."""
    x1, y1, x2, y2 = box
    points = rng.randint(*_OUTLINE)
    return [[rng.randint(*side) for _ in range(points) for side in ((x1, x2), (y1, y2))]]


def _landmarks(rng: random.Random, box: Box, count: int) -> list[int]:
    """Place landmarks: x, y and visibility (0 not labelled, 1 hidden, 2 visible) of each."""
    x1, y1, x2, y2 = box
    marks: list[int] = []
    for _ in range(count):
        visibility = _draw_1_to_3(rng, (0.2, 0.2, 0.6)) - 1
        mark = [rng.randrange(x1, x2), rng.randrange(y1, y2), visibility]
        marks += mark if visibility else [0, 0, 0]
    return marks


def _draw_1_to_3(rng: random.Random, shares: tuple[float, float, float]) -> int:
    """Draw 1, 2 or 3 with these probabilities."""
    return rng.choices((1, 2, 3), shares)[0]
