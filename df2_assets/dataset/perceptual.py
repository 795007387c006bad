"""What a crop looks like, in a few numbers: light, contrast, texture, a hash, a tiny picture.

Pillow and the standard library alone: workers measure. The hash is the difference hash (dHash): of
a picture reduced to 9 by 8, whether each pixel is lighter than its right neighbour. It survives
another size, another quality and a little more light, and tells different pictures apart.
"""

from itertools import pairwise
from typing import BinaryIO, Final, NamedTuple

from PIL import Image, ImageChops, ImageStat

MEASURES_VERSION: Final = 1
"""Raise it with each change to what is measured, or how."""

SIDE: Final = 8
"""Pixels of the tiny picture's sides."""

_DRAFT: Final = (96, 96)
"""Decode no more detail than this needs: libjpeg halves for free."""

_TEXTURED: Final = 32
_HASHED: Final = (9, 8)


class Measures(NamedTuple):
    """`brightness` (mean) and `contrast` (standard deviation) of luma, 0 to 255.

    `texture` is the mean step between neighbouring pixels in the middle of the picture, 0 to 255.
    `phash` holds 64 bits as a signed integer. `tiny` is the picture as 8 by 8 RGB, 192 bytes.
    """

    brightness: float
    contrast: float
    texture: float
    phash: int
    tiny: bytes


def measure(file: BinaryIO) -> Measures:
    """Return the measures of a crop. Raises what Pillow raises where it cannot be read."""
    with Image.open(file, formats=("JPEG",)) as image:
        image.draft("RGB", _DRAFT)
        picture = image.convert("RGB")
    luma = picture.convert("L")
    light = ImageStat.Stat(luma)
    return Measures(
        round(light.mean[0], 2),
        round(light.stddev[0], 2),
        round(_texture(luma), 2),
        _difference_hash(luma),
        picture.resize((SIDE, SIDE), Image.Resampling.BOX).tobytes(),
    )


def _difference_hash(luma: Image.Image) -> int:
    width, height = _HASHED
    pixels = luma.resize(_HASHED, Image.Resampling.BOX).tobytes()
    bits = 0
    for row in range(height):
        line = pixels[row * width : (row + 1) * width]
        for left, right in pairwise(line):
            bits = bits << 1 | (left < right)
    return bits - (1 << 64) if bits >> 63 else bits


def _texture(luma: Image.Image) -> float:
    small = luma.resize((_TEXTURED, _TEXTURED), Image.Resampling.BOX)
    middle = (_TEXTURED // 4, _TEXTURED // 4, 3 * _TEXTURED // 4, 3 * _TEXTURED // 4)
    right, down = (
        ImageStat.Stat(ImageChops.difference(small, ImageChops.offset(small, *by)).crop(middle))
        for by in ((1, 0), (0, 1))
    )
    return float(right.mean[0] + down.mean[0]) / 2
