"""Measures of how a crop looks: brightness, contrast, texture, a perceptual hash, a tiny picture.

Worker processes measure, so this module needs only Pillow and the standard library. The hash is the
difference hash (dHash): the picture is reduced to 9 by 8 pixels, and each bit says whether a pixel
is darker than its right neighbour. The hash hardly changes with size, JPEG quality or brightness,
and differs between different pictures.
"""

from itertools import pairwise
from typing import BinaryIO, Final, NamedTuple

from PIL import Image, ImageChops, ImageStat

MEASURES_VERSION: Final = 1
"""Raise this with each change to what is measured, or how."""

SIDE: Final = 8
"""Width and height of the tiny picture, in pixels."""

_DRAFT: Final = (96, 96)
"""Decode only as much detail as needed: libjpeg halves an image at no cost."""

_TEXTURE_SIDE: Final = 32
_HASH_SIZE: Final = (9, 8)


class Measures(NamedTuple):
    """The measures of one crop.

    `brightness` is the mean and `contrast` the standard deviation of luma, 0 to 255. `texture` is
    the mean difference between neighbouring pixels in the middle of the picture, 0 to 255. `phash`
    holds 64 bits as a signed integer. `tiny` is the picture as 8 by 8 pixels in RGB, 192 bytes.
    """

    brightness: float
    contrast: float
    texture: float
    phash: int
    tiny: bytes


def measure(file: BinaryIO) -> Measures:
    """Return the measures of a crop. If it cannot be read, raise what Pillow raises."""
    with Image.open(file, formats=("JPEG",)) as image:
        image.draft("RGB", _DRAFT)
        picture = image.convert("RGB")
    luma = picture.convert("L")
    light = ImageStat.Stat(luma)
    return Measures(
        round(light.mean[0], 2),
        round(light.stddev[0], 2),
        round(_measure_texture(luma), 2),
        _compute_hash(luma),
        picture.resize((SIDE, SIDE), Image.Resampling.BOX).tobytes(),
    )


def _compute_hash(luma: Image.Image) -> int:
    width, height = _HASH_SIZE
    pixels = luma.resize(_HASH_SIZE, Image.Resampling.BOX).tobytes()
    bits = 0
    for row in range(height):
        line = pixels[row * width : (row + 1) * width]
        for left, right in pairwise(line):
            bits = bits << 1 | (left < right)
    return bits - (1 << 64) if bits >> 63 else bits


def _measure_texture(luma: Image.Image) -> float:
    small = luma.resize((_TEXTURE_SIDE, _TEXTURE_SIDE), Image.Resampling.BOX)
    near, far = _TEXTURE_SIDE // 4, 3 * _TEXTURE_SIDE // 4
    middle = (near, near, far, far)
    right, down = (
        ImageStat.Stat(ImageChops.difference(small, ImageChops.offset(small, *by)).crop(middle))
        for by in ((1, 0), (0, 1))
    )
    return float(right.mean[0] + down.mean[0]) / 2
