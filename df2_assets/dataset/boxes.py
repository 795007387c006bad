"""Boxes: `(x1, y1, x2, y2)`, half-open, in pixels of the stored image, origin top left.

Only this module turns an annotated box into the box that is cut, and widens it for crop variants.
`clamp`, `cut` and `size` take integers, or table columns with one box per row.
"""

import math
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import pandas as pd

Box = tuple[int, int, int, int]

Edge = TypeVar("Edge", int, "pd.Series[int]", "pd.Series[float]")


def is_reversed(box: Box) -> bool:
    """Return whether the corners of a box are swapped, or the box has no area."""
    x1, y1, x2, y2 = box
    return x2 <= x1 or y2 <= y1


def clamp(
    box: tuple[Edge, Edge, Edge, Edge], width: Edge, height: Edge
) -> tuple[Edge, Edge, Edge, Edge]:
    """Return the part of a box inside an image. It is empty if the two do not overlap."""
    x1, y1, x2, y2 = box
    return _limit(x1, width), _limit(y1, height), _limit(x2, width), _limit(y2, height)


def cut(
    box: tuple[Edge, Edge, Edge, Edge], width: Edge, height: Edge
) -> tuple[Edge, Edge, Edge, Edge]:
    """Return the box to cut for an annotated box: the part inside the image."""
    return clamp(box, width, height)


def grow(box: Box, margin: float) -> Box:
    """Return a box with a margin on each side: a share of its width and height.

    The margin is rounded to whole pixels, halves up. It may end outside the image.
    """
    x1, y1, x2, y2 = box
    across, down = (math.floor(side * margin + 0.5) for side in size(box))
    return x1 - across, y1 - down, x2 + across, y2 + down


def square(box: Box) -> Box:
    """Return the smallest square around a box, with the box in its middle.

    If both sides cannot get the same, the right or the lower one gets a pixel more. The square may
    end outside the image.
    """
    x1, y1, _, _ = box
    width, height = size(box)
    side = max(width, height)
    x1, y1 = x1 - (side - width) // 2, y1 - (side - height) // 2
    return x1, y1, x1 + side, y1 + side


def size(box: tuple[Edge, Edge, Edge, Edge]) -> tuple[Edge, Edge]:
    """Return the width and height of a box. For the box that is cut, they are those of the crop."""
    x1, y1, x2, y2 = box
    return x2 - x1, y2 - y1


def reads_as_width_height(box: Box, width: int, height: int) -> bool:
    """Return whether a reversed box would fit as `x, y, width, height` (DeepFashion2 issue 78)."""
    x, y, w, h = box
    return (
        is_reversed(box) and x >= 0 and y >= 0 and w > 0 < h and x + w <= width and y + h <= height
    )


def _limit(edge: Edge, most: Edge) -> Edge:
    if isinstance(edge, int) and isinstance(most, int):
        return min(max(edge, 0), most)
    return edge.clip(0, most)
