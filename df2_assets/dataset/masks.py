"""Masks: polygons as pixels, and pixels as COCO's compressed run lengths.

A mask is an array of booleans with height rows and width columns. Its run lengths go down the
columns and begin with pixels outside the mask (`counts` of COCO's RLE). Masks are equal, pixel by
pixel, to those of pycocotools (`common/maskApi.c` of cocoapi), which a test compares. This module
needs only numpy, so that neither workers nor training machines have to compile anything.
"""

from collections.abc import Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Mask = npt.NDArray[np.bool_]
    Numbers = npt.NDArray[np.int64]
else:
    Mask = Any

Polygon = Sequence[float]
"""The corners of an outline: x1, y1, x2, y2, … in pixels, origin top left."""

_SCALE: Final = 5
"""COCO draws outlines on a grid that is five times as fine as the pixels."""

_MOST_STEPS: Final = 4_000_000
"""The most points of that grid on one outline. They take about 200 MB."""

_FIRST_CHARACTER: Final = 48
"""The character of the digit 0 in compressed run lengths. A digit has five bits and a flag."""


class OutlineTooLongError(ValueError):
    """A polygon whose outline has too many points to be drawn. No garment has one."""


def fill(polygons: Sequence[Polygon], width: int, height: int) -> Mask:
    """Return the pixels inside any of the polygons, as an array of `height` by `width` booleans.

    Raises OutlineTooLongError.
    """
    import numpy as np

    flat = np.zeros(width * height, np.bool_)
    for polygon in polygons:
        changes = _find_changes(polygon, width, height).tolist()
        for start, end in zip_longest(changes[::2], changes[1::2], fillvalue=len(flat)):
            flat[start:end] = True
    return flat.reshape((width, height)).T


def rasterize(polygons: Sequence[Polygon], width: int, height: int) -> str:
    """Return the mask of polygons as compressed run lengths. Raises OutlineTooLongError."""
    return encode_mask(fill(polygons, width, height))


def encode_mask(mask: Mask) -> str:
    """Return the compressed run lengths of a mask: the `counts` of COCO's RLE.

    Its `size` is `[height, width]`.
    """
    import numpy as np

    flat = np.ravel(mask, order="F")
    if not len(flat):
        return "0"
    ends = [*np.flatnonzero(flat[1:] != flat[:-1]) + 1, len(flat)]
    limits = np.array([0, *([0] if flat[0] else []), *ends], np.int64)
    runs = limits[1:] - limits[:-1]
    runs[3:] -= runs[1:-2].copy()  # only differences are stored, from the fourth run on
    digits, rest, is_open = [], runs, np.ones(len(runs), np.bool_)
    kept = []
    while is_open.any():
        digit, rest = rest & 0x1F, rest >> 5
        goes_on = np.where(digit & 0x10, rest != -1, rest != 0)
        digits.append(digit + 0x20 * goes_on + _FIRST_CHARACTER)
        kept.append(is_open)
        is_open = is_open & goes_on
    text = np.stack(digits, 1)[np.stack(kept, 1)]
    return text.astype(np.uint8).tobytes().decode("ascii")


def decode_mask(counts: str, width: int, height: int) -> Mask:
    """Return the mask of compressed run lengths. Raises ValueError where the sizes do not match."""
    import numpy as np

    values = np.frombuffer(counts.encode("ascii"), np.uint8).astype(np.int64) - _FIRST_CHARACTER
    ends = np.flatnonzero(values & 0x20 == 0)
    starts = np.concatenate(([0], ends[:-1] + 1)) if len(ends) else ends
    place = np.arange(len(values)) - np.repeat(starts, ends - starts + 1)
    runs = np.add.reduceat((values & 0x1F) << (5 * place), starts)
    is_negative = values[ends] & 0x10 != 0
    runs = np.where(is_negative, runs - (1 << (5 * (ends - starts + 1))), runs)
    runs[1::2] = np.cumsum(runs[1::2])
    runs[2::2] = np.cumsum(runs[2::2])
    if runs.sum() != width * height or (runs < 0).any():
        raise ValueError(f"a mask of {runs.sum()} pixels, not of {width} x {height}")
    flat = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
    return flat.reshape((width, height)).T


def _find_changes(polygon: Polygon, width: int, height: int) -> "Numbers":
    """Return the pixels, counted down the columns, at which an outline is entered or left.

    The outline is drawn as points on a fine grid, edge by edge. Where it steps from one column of
    pixels to the next, everything below changes sides.
    """
    import numpy as np

    corners = (_SCALE * np.array(polygon, np.float64).reshape(-1, 2) + 0.5).astype(np.int64)
    ends = np.roll(corners, -1, axis=0)
    across = np.abs(ends - corners)
    is_flat = across[:, 0] >= across[:, 1]
    steps = across.max(axis=1)
    if steps.sum() > _MOST_STEPS:
        raise OutlineTooLongError(f"an outline of {steps.sum() // _SCALE:,} pixels")
    major = np.where(is_flat, 0, 1)
    rows = np.arange(len(corners))
    # Each edge is drawn in the direction in which its major coordinate grows.
    is_turned = corners[rows, major] > ends[rows, major]
    low = np.where(is_turned[:, None], ends, corners)
    high = np.where(is_turned[:, None], corners, ends)
    rise = (high - low)[rows, 1 - major] / np.maximum(steps, 1)

    edge = np.repeat(rows, steps + 1)
    step = np.arange(len(edge)) - np.repeat(np.cumsum(steps + 1) - steps - 1, steps + 1)
    step = np.where(is_turned[edge], steps[edge] - step, step)
    along = low[rows, major][edge] + step
    beside = (low[rows, 1 - major][edge] + rise[edge] * step + 0.5).astype(np.int64)
    x = np.where(is_flat[edge], along, beside)
    y = np.where(is_flat[edge], beside, along)

    left = np.minimum(x[1:], x[:-1])  # of two points beside each other
    is_border = (x[1:] != x[:-1]) & (left % _SCALE == _SCALE // 2)
    column = left[is_border] // _SCALE
    row = -((_SCALE // 2 - np.minimum(y[1:], y[:-1])[is_border]) // _SCALE)
    is_inside = (column >= 0) & (column < width)
    changes = column[is_inside] * height + np.clip(row[is_inside], 0, height)
    places, counts = np.unique(changes, return_counts=True)
    changed: Numbers = places[(counts % 2 == 1) & (places < width * height)]
    return changed
