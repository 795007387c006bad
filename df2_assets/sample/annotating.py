"""What DeepFashion2 says about an image: source, pair, and the fields of each item."""

from typing import Any, Final

from df2_assets.dataset.boxes import Box
from df2_assets.dataset.taxonomy import CATEGORIES
from df2_assets.sample.framing import Placed, Size
from df2_assets.sample.geometry import Polygon
from df2_assets.sample.hiding import Obstacle, hidden_points
from df2_assets.sample.plan import ImagePlan

Annotation = dict[str, Any]

_LANDMARKS: Final = {
    1: 25,
    2: 33,
    3: 31,
    4: 39,
    5: 15,
    6: 15,
    7: 10,
    8: 14,
    9: 8,
    10: 29,
    11: 37,
    12: 19,
    13: 19,
}
"""Landmarks of each category (Ge et al., CVPR 2019, table of the data set's README)."""

_PAST_EDGE: Final = 9
"""Pixels at most by which a box may reach past the edge."""


def annotate(
    plan: ImagePlan, garments: list[Placed], obstacles: list[Obstacle], frame: Size
) -> Annotation:
    """The annotation file's content; items in the order of the plan, which is none."""
    result: Annotation = {"source": plan.source, "pair_id": plan.pair_id}
    furthest = min(garments, key=lambda g: g.share_inside(frame))
    for garment in sorted(garments, key=lambda g: plan.items.index(g.item)):
        past = plan.past_edge and garment is furthest
        result[f"item{garment.item.index}"] = _item(plan, garment, obstacles, frame, past)
    return result


def _item(
    plan: ImagePlan, garment: Placed, obstacles: list[Obstacle], frame: Size, past: bool
) -> Annotation:
    item, box = garment.item, garment.box(frame)
    return {
        "segmentation": [_flat(polygon, frame) for polygon in garment.polygons],
        "scale": _scale(box, frame),
        "viewpoint": plan.viewpoint,
        "zoom_in": _zoom_in(garment.share_inside(frame)),
        "landmarks": _landmarks(garment, obstacles, frame),
        "style": item.style,
        "bounding_box": list(_past_edge(garment, box, frame) if past else box),
        "category_id": item.category_id,
        "occlusion": item.occlusion,
        "category_name": CATEGORIES[item.category_id],
    }


def _scale(box: Box, frame: Size) -> int:
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


def _flat(polygon: Polygon, frame: Size) -> list[float]:
    """x, y, x, y, ... inside the frame."""
    width, height = frame
    inside = ((min(max(x, 0), width), min(max(y, 0), height)) for x, y in polygon)
    return [round(value, 1) for point in inside for value in point]


def _landmarks(garment: Placed, obstacles: list[Obstacle], frame: Size) -> list[float]:
    """x, y, visibility (2 visible, 1 hidden, 0 outside the image), spread along the outline."""
    outline = [point for polygon in garment.polygons for point in polygon]
    count = _LANDMARKS[garment.item.category_id]
    points = [outline[i * len(outline) // count] for i in range(count)]
    result: list[float] = []
    for (x, y), hidden in zip(points, hidden_points(points, obstacles), strict=True):
        if 0 <= x < frame[0] and 0 <= y < frame[1]:
            result += [round(x, 1), round(y, 1), 1 if hidden else 2]
        else:
            result += [0, 0, 0]
    return result
