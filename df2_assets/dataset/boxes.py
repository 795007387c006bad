"""Boxes: integers `(x1, y1, x2, y2)`, half-open, in pixels of the stored image, origin top left."""

Box = tuple[int, int, int, int]


def is_reversed(box: Box) -> bool:
    """Whether the corners are swapped or the box has no area, as given."""
    x1, y1, x2, y2 = box
    return x2 <= x1 or y2 <= y1


def clamp(box: Box, width: int, height: int) -> Box:
    """The part of `box` inside an image of `width` by `height`; empty where they do not touch."""
    x1, y1, x2, y2 = box
    return (
        min(max(x1, 0), width),
        min(max(y1, 0), height),
        min(max(x2, 0), width),
        min(max(y2, 0), height),
    )


def reads_as_width_height(box: Box, width: int, height: int) -> bool:
    """Whether a reversed box would fit as `x, y, width, height` (DeepFashion2 issue 78)."""
    x, y, w, h = box
    return (
        is_reversed(box) and x >= 0 and y >= 0 and w > 0 < h and x + w <= width and y + h <= height
    )
