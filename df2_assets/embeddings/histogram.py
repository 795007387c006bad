"""The encoder `histogram`: colours and the directions of edges, without a model.

It is the floor that every model must beat. All of its sums are of integers, so every machine
computes the same vectors. Floats only fill the tables, whose values are rounded, and take the
square roots at the end.
"""

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Final

from PIL import Image

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Ints = npt.NDArray[np.int64]
    Floats = npt.NDArray[np.float32]

_SIDE: Final = 64
"""The side of the square to which pictures are reduced, in pixels."""

_BINS: Final = (4, 7, 7)
_RANGES: Final = ((0, 100), (-60, 60), (-60, 60))
"""The number of bins, and the values of the first and the last, for each coordinate of CIELAB."""

_DIRECTIONS: Final = 8
_UNIT: Final = 64
"""The weight of a pixel, which is divided between the bins on both sides of its value."""

_SCALE: Final = 1 << 12
"""The integers that stand for 1 in CIELAB."""

_LIGHT: Final = (1 << 16) - 1
"""The integer that stands for the light of white."""

_HALF: Final = _SIDE // 2
_CORNERS: Final = ((0, 0), (0, _HALF), (_HALF, 0), (_HALF, _HALF), (_HALF // 2, _HALF // 2))
"""The cells are squares of half a side: the four quarters of the picture, and its middle."""


class Histogram:
    """Histograms of CIELAB colours and of the directions of edges, in five cells of a picture.

    A vector has `5 * (4 * 7 * 7 + 8)` values and the length 1. They are the square roots of shares,
    so that the scalar product of two vectors is the Bhattacharyya coefficient of their histograms.
    Colours and edges have the same weight.
    """

    name = "histogram"
    version = "1"
    in_workers = True

    def __call__(self, images: Sequence[Image.Image]) -> "Floats":
        import numpy as np

        return np.stack([_encode(image) for image in images])


def _encode(image: Image.Image) -> "Floats":
    import numpy as np

    pixels = np.asarray(image.resize((_SIDE, _SIDE), Image.Resampling.BOX), np.int64)
    lab = convert_to_lab(pixels)
    shares = []
    for bins, weights, count in (_bin_colours(lab), _bin_edges(lab[..., 0])):
        for top, left in _CORNERS:
            cell = slice(top, top + _HALF), slice(left, left + _HALF)
            # The weights are integers, of which float64 has exact sums.
            sums = np.bincount(bins[cell].ravel(), weights[cell].ravel(), count)
            shares.append(sums / max(sums.sum(), 1))
    vector = np.sqrt(np.concatenate(shares) / (2 * len(_CORNERS)))
    return vector.astype(np.float32)


def convert_to_lab(pixels: "Ints") -> "Ints":
    """Return pixels of sRGB, 0 to 255, as integers of CIELAB: 4096 is 1."""
    import numpy as np

    light, to_xyz, root = _tables()
    x, y, z = np.moveaxis(root[light[pixels] @ to_xyz // _LIGHT * _SCALE // _LIGHT], -1, 0)
    return np.stack([116 * y - 16 * _SCALE, 500 * (x - y), 200 * (y - z)], axis=-1)


@cache
def _tables() -> "tuple[Ints, Ints, Ints]":
    """Return the light of each value of sRGB, the matrix to XYZ, and the roots of shares of light.

    The matrix is that of IEC 61966-2-1, divided by the white point D65.
    """
    import numpy as np

    value = np.arange(256) / 255
    light = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array(
        [
            [0.4124564, 0.3575761, 0.1804375],
            [0.2126729, 0.7151522, 0.0721750],
            [0.0193339, 0.1191920, 0.9503041],
        ]
    )
    share = np.arange(_SCALE + 1) / _SCALE
    root = np.where(share > (6 / 29) ** 3, np.cbrt(share), share * (29 / 6) ** 2 / 3 + 4 / 29)
    return (
        np.rint(light * _LIGHT).astype(np.int64),
        np.floor(to_xyz / to_xyz.sum(axis=1, keepdims=True) * _LIGHT).astype(np.int64).T,
        np.rint(root * _SCALE).astype(np.int64),
    )


def _bin_colours(lab: "Ints") -> "tuple[Ints, Ints, int]":
    """Return for each pixel the eight bins around its colour, their weights, and how many exist."""
    import numpy as np

    bins = np.zeros((*lab.shape[:2], 1), np.int64)
    weights = np.ones_like(bins)
    for axis, (count, (low, high)) in enumerate(zip(_BINS, _RANGES, strict=True)):
        steps = (lab[..., axis : axis + 1] - low * _SCALE) * (count - 1) * _UNIT
        place = np.clip(steps // ((high - low) * _SCALE), 0, (count - 1) * _UNIT)
        lower, part = place // _UNIT, place % _UNIT
        upper = np.minimum(lower + 1, count - 1)
        bins = np.concatenate([bins * count + lower, bins * count + upper], axis=-1)
        weights = np.concatenate([weights * (_UNIT - part), weights * part], axis=-1)
    return bins, weights, int(np.prod(_BINS))


def _bin_edges(lightness: "Ints") -> "tuple[Ints, Ints, int]":
    """Return for each pixel the direction in which lightness changes most, and how much it does."""
    import numpy as np

    across, down = np.zeros_like(lightness), np.zeros_like(lightness)
    across[:, 1:-1] = lightness[:, 2:] - lightness[:, :-2]
    down[1:-1] = lightness[2:] - lightness[:-2]
    angles = np.arange(_DIRECTIONS) * np.pi / _DIRECTIONS
    towards = np.rint(np.stack([np.cos(angles), np.sin(angles)]) * _SCALE).astype(np.int64)
    steps = np.abs(np.stack([across, down], axis=-1) @ towards)
    return steps.argmax(axis=-1), np.abs(across) + np.abs(down), _DIRECTIONS
