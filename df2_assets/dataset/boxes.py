"""Boxes: `(x1, y1, x2, y2)`, half-open, in pixels of the stored image, origin top left.

The only place that turns an annotated box into the box that is cut. `clamp`, `cut` and `size` take
integers, or columns of a table with one box per row.
"""

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import pandas as pd

Box = tuple[int, int, int, int]

Edge = TypeVar("Edge", int, "pd.Series[int]")


def is_reversed(box: Box) -> bool:
    """Whether the corners are swapped or the box has no area, as given."""
    x1, y1, x2, y2 = box
    return x2 <= x1 or y2 <= y1


def clamp(
    box: tuple[Edge, Edge, Edge, Edge], width: Edge, height: Edge
) -> tuple[Edge, Edge, Edge, Edge]:
    """Return the part of a box inside an image; empty where they do not touch."""
    x1, y1, x2, y2 = box
    return _within(x1, width), _within(y1, height), _within(x2, width), _within(y2, height)


def cut(
    box: tuple[Edge, Edge, Edge, Edge], width: Edge, height: Edge
) -> tuple[Edge, Edge, Edge, Edge]:
    """Return the box that is cut from an image for an annotated box: the part inside the image."""
    return clamp(box, width, height)


def size(box: tuple[Edge, Edge, Edge, Edge]) -> tuple[Edge, Edge]:
    """Return width and height of a box; those of the crop where it is the box that is cut."""
    x1, y1, x2, y2 = box
    return x2 - x1, y2 - y1


def reads_as_width_height(box: Box, width: int, height: int) -> bool:
    """Whether a reversed box would fit as `x, y, width, height` (DeepFashion2 issue 78)."""
    x, y, w, h = box
    return (
        is_reversed(box) and x >= 0 and y >= 0 and w > 0 < h and x + w <= width and y + h <= height
    )


def _within(edge: Edge, most: Edge) -> Edge:
    if isinstance(edge, int) and isinstance(most, int):
        return min(max(edge, 0), most)
    return edge.clip(0, most)
