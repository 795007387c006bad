"""The annotation of a drawn image: source, pair, and the fields of each item."""

from typing import Any, Final

from df2_assets.dataset.boxes import Box
from df2_assets.dataset.taxonomy import CATEGORIES, LANDMARKS, NOT_LABELLED, OCCLUDED, VISIBLE
from df2_assets.sample.canvas import Polygon, Size, contains
from df2_assets.sample.layout import Garment
from df2_assets.sample.plan import ImagePlan

Annotation = dict[str, Any]

_PAST_EDGE: Final = 9
"""The most pixels by which a box may extend past the edge."""


def annotate(
    plan: ImagePlan, garments: list[Garment], in_front: list[Polygon], frame: Size
) -> Annotation:
    """Return the content of the annotation file, with items in the order of the plan.

    `garments` are in the order of painting. `in_front` has the outlines in front of all garments,
    in pixels.
    """
    result: Annotation = {"source": plan.source, "pair_id": plan.pair_id}
    for garment in sorted(garments, key=lambda garment: plan.items.index(garment.item)):
        later = garments[garments.index(garment) + 1 :]
        hiding = [*in_front, *(outline for other in later for outline in other.outlines)]
        item, box, inside = garment.item, garment.box(frame), garment.share_inside(frame)
        result[f"item{item.index}"] = {
            "segmentation": [_clamp(outline, frame) for outline in garment.outlines],
            "scale": scale_of(box, frame),
            "viewpoint": plan.viewpoint,
            "zoom_in": 1 if inside > 0.97 else 2 if inside > 0.75 else 3,
            "landmarks": _landmarks(garment, hiding, frame),
            "style": item.style,
            "bounding_box": list(garment.box(frame, _PAST_EDGE * plan.past_edge)),
            "category_id": item.category_id,
            "occlusion": item.occlusion,
            "category_name": CATEGORIES[item.category_id],
        }
    return result


def scale_of(box: Box, frame: Size) -> int:
    """Return the scale label of a box: 1 below 10% of the image, 2 up to 40%, 3 above."""
    x1, y1, x2, y2 = box
    share = (x2 - x1) * (y2 - y1) / (frame[0] * frame[1])
    return 1 if share < 0.1 else 2 if share <= 0.4 else 3


def _clamp(outline: Polygon, frame: Size) -> list[float]:
    """Return an outline as x, y, x, y, ... with every point moved into the frame."""
    points = ((min(max(x, 0), frame[0]), min(max(y, 0), frame[1])) for x, y in outline)
    return [round(value, 1) for point in points for value in point]


def _landmarks(garment: Garment, hiding: list[Polygon], frame: Size) -> list[float]:
    """Return x, y and visibility of points along the outline.

    Those outside the image are not labelled, and hidden ones are occluded.
    """
    points = [point for outline in garment.outlines for point in outline]
    count = LANDMARKS[garment.item.category_id]
    result: list[float] = []
    for x, y in (points[i * len(points) // count] for i in range(count)):
        if not (0 <= x < frame[0] and 0 <= y < frame[1]):
            result += (0, 0, NOT_LABELLED)
        else:
            is_hidden = any(contains(outline, x, y) for outline in hiding)
            result += (round(x, 1), round(y, 1), OCCLUDED if is_hidden else VISIBLE)
    return result
