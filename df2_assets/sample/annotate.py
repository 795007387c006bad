"""What DeepFashion2 says about an image: source, pair, and the fields of each item."""

from typing import Any, Final

from PIL import Image

from df2_assets.dataset.boxes import Box
from df2_assets.dataset.taxonomy import CATEGORIES
from df2_assets.sample.canvas import Polygon, Size, bounds, coverage
from df2_assets.sample.layout import Garment
from df2_assets.sample.occlusion import Obstacle
from df2_assets.sample.plan import ImagePlan

Annotation = dict[str, Any]

_LANDMARKS: Final = {
    1: 25, 2: 33, 3: 31, 4: 39, 5: 15, 6: 15, 7: 10, 8: 14, 9: 8, 10: 29, 11: 37, 12: 19, 13: 19,
}  # fmt: skip
"""How many landmarks each category has (DeepFashion2 README)."""

_PAST_EDGE: Final = 9
"""Pixels at most by which a box may reach past the edge."""


def annotate(
    plan: ImagePlan, garments: list[Garment], obstacles: list[Obstacle], frame: Size
) -> Annotation:
    """Return the annotation file's content, items in the order of the plan."""
    parts = [camera.at(part.outline) for camera, parts in obstacles for part in parts]
    hidden = coverage(parts, (0, 0, *frame)) if parts else Image.new("L", frame)
    result: Annotation = {"source": plan.source, "pair_id": plan.pair_id}
    for garment in sorted(garments, key=lambda garment: plan.items.index(garment.item)):
        item, box, inside = garment.item, garment.box(frame), garment.share_inside(frame)
        result[f"item{item.index}"] = {
            "segmentation": [_clamp(outline, frame) for outline in garment.outlines],
            "scale": scale_of(box, frame),
            "viewpoint": plan.viewpoint,
            "zoom_in": 1 if inside > 0.97 else 2 if inside > 0.75 else 3,
            "landmarks": _landmarks(garment, hidden),
            "style": item.style,
            "bounding_box": _reach_past(garment, frame) if plan.past_edge else list(box),
            "category_id": item.category_id,
            "occlusion": item.occlusion,
            "category_name": CATEGORIES[item.category_id],
        }
    return result


def scale_of(box: Box, frame: Size) -> int:
    """Return 1, 2 or 3: the box takes under 10%, up to 40%, or more of the image."""
    x1, y1, x2, y2 = box
    share = (x2 - x1) * (y2 - y1) / (frame[0] * frame[1])
    return 1 if share < 0.1 else 2 if share <= 0.4 else 3


def _reach_past(garment: Garment, frame: Size) -> list[int]:
    """Return the box as an annotator draws it who does not stop at the edge."""
    (x1, y1, x2, y2), (width, height) = bounds(garment.outlines), frame
    low, high = -_PAST_EDGE, _PAST_EDGE
    right, bottom = min(int(x2) + 1, width + high), min(int(y2) + 1, height + high)
    return [max(int(x1), low), max(int(y1), low), right, bottom]


def _clamp(outline: Polygon, frame: Size) -> list[float]:
    """Return x, y, x, y, ... with every point moved into the frame."""
    points = ((min(max(x, 0), frame[0]), min(max(y, 0), frame[1])) for x, y in outline)
    return [round(value, 1) for point in points for value in point]


def _landmarks(garment: Garment, hidden: Image.Image) -> list[float]:
    """Return x, y, visibility (2 visible, 1 hidden, 0 outside the image), along the outline."""
    points = [point for outline in garment.outlines for point in outline]
    count = _LANDMARKS[garment.item.category_id]
    result: list[float] = []
    for i in range(count):
        x, y = points[i * len(points) // count]
        if 0 <= x < hidden.width and 0 <= y < hidden.height:
            result += [round(x, 1), round(y, 1), 1 if hidden.getpixel((int(x), int(y))) else 2]
        else:
            result += [0, 0, 0]
    return result
