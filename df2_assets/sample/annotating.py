"""What DeepFashion2 says about an image: source, pair, and the fields of each item."""

from typing import Any, Final

from df2_assets.dataset.boxes import Box
from df2_assets.dataset.taxonomy import CATEGORIES
from df2_assets.sample.framing import Placed, Size
from df2_assets.sample.geometry import Polygon
from df2_assets.sample.hiding import holds
from df2_assets.sample.plan import ImagePlan
from df2_assets.sample.scenes.occluders import Parts

Annotation = dict[str, Any]

_LANDMARKS: Final = {
    1: 25, 2: 33, 3: 31, 4: 39, 5: 15, 6: 15, 7: 10, 8: 14, 9: 8, 10: 29, 11: 37, 12: 19, 13: 19,
}  # fmt: skip
"""How many landmarks each category has (DeepFashion2 README)."""

_PAST_EDGE: Final = 9
"""Pixels at most by which a box may reach past the edge."""


def annotate(
    plan: ImagePlan, garments: list[Placed], obstacles: list[Parts], frame: Size
) -> Annotation:
    """The annotation file's content, items in the order of the plan."""
    result: Annotation = {"source": plan.source, "pair_id": plan.pair_id}
    for garment in sorted(garments, key=lambda garment: plan.items.index(garment.item)):
        item, box = garment.item, garment.box(frame)
        if plan.past_edge:
            box = _past_edge(garment, box, frame)
        result[f"item{item.index}"] = {
            "segmentation": [_inside(polygon, frame) for polygon in garment.polygons],
            "scale": scale_of(garment.box(frame), frame),
            "viewpoint": plan.viewpoint,
            "zoom_in": _zoom_in(garment.share_inside(frame)),
            "landmarks": _landmarks(garment, obstacles, frame),
            "style": item.style,
            "bounding_box": list(box),
            "category_id": item.category_id,
            "occlusion": item.occlusion,
            "category_name": CATEGORIES[item.category_id],
        }
    return result


def scale_of(box: Box, frame: Size) -> int:
    """1 small, 2 moderate, 3 large: the box takes under 10%, up to 40%, or more of the image."""
    x1, y1, x2, y2 = box
    share = (x2 - x1) * (y2 - y1) / (frame[0] * frame[1])
    return 1 if share < 0.1 else 2 if share <= 0.4 else 3


def _zoom_in(inside: float) -> int:
    """1 no zoom-in, 2 medium, 3 large: by how much of the garment is outside the frame."""
    return 1 if inside > 0.97 else 2 if inside > 0.75 else 3


def _past_edge(garment: Placed, box: Box, frame: Size) -> Box:
    """The box as an annotator draws it who does not stop at the edge."""
    x1, y1, x2, y2 = garment.extent
    return (
        max(int(x1), -_PAST_EDGE) if x1 < 0 else box[0],
        max(int(y1), -_PAST_EDGE) if y1 < 0 else box[1],
        min(int(x2) + 1, frame[0] + _PAST_EDGE) if x2 > frame[0] else box[2],
        min(int(y2) + 1, frame[1] + _PAST_EDGE) if y2 > frame[1] else box[3],
    )


def _inside(polygon: Polygon, frame: Size) -> list[float]:
    """x, y, x, y, ... with every point moved into the frame."""
    points = ((min(max(x, 0), frame[0]), min(max(y, 0), frame[1])) for x, y in polygon)
    return [round(value, 1) for point in points for value in point]


def _landmarks(garment: Placed, obstacles: list[Parts], frame: Size) -> list[float]:
    """x, y, visibility (2 visible, 1 hidden, 0 outside the image), spread along the outline."""
    outline = [point for polygon in garment.polygons for point in polygon]
    count = _LANDMARKS[garment.item.category_id]
    result: list[float] = []
    for i in range(count):
        x, y = outline[i * len(outline) // count]
        if not (0 <= x < frame[0] and 0 <= y < frame[1]):
            result += [0, 0, 0]
            continue
        hidden = any(holds(part, (x, y)) for obstacle in obstacles for part, _ in obstacle)
        result += [round(x, 1), round(y, 1), 1 if hidden else 2]
    return result
