"""Colour words: which word of a fixed palette names the garment that a crop shows.

Worker processes measure, and most of them never do, so numpy is loaded on the first use.
"""

from functools import cache
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple

from PIL import Image

from df2_assets.dataset.masks import decode_mask

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Pixels = npt.NDArray[np.uint8]
    Lab = npt.NDArray[np.float64]

COLOURS_VERSION: Final = 2
"""Raise this with each change to the palette, or to how a crop gets its word."""

PALETTE: Final = {
    "black": ("#000000",),
    "white": ("#ffffff",),
    "grey": ("#929591", "#d8dcd6", "#363737"),
    "red": ("#e50000", "#ff474c", "#840000", "#bb3f3f"),
    "orange": ("#f97306", "#fdaa48", "#c65102", "#d8863b"),
    "yellow": ("#ffff14", "#fffe7a", "#d5b60a", "#eedc5b"),
    "green": ("#15b01a", "#96f97b", "#033500", "#74a662"),
    "turquoise": ("#06c2ac", "#7ef4cc", "#045c5a"),
    "blue": ("#0343df", "#95d0fc", "#00035b", "#49759c"),
    "navy": ("#01153e", "#155084", "#000435"),
    "purple": ("#7e1e9c", "#bf77f6", "#35063e", "#84597e"),
    "pink": ("#ff81c0", "#ffd1df", "#cb416b", "#d5869d"),
    "brown": ("#653700", "#ad8150", "#341c02", "#876e4b"),
    "beige": ("#e6daa6", "#fffeb6", "#ac9362"),
}
"""The words, each with the sRGB colours that people call by it.

The words are the eleven basic colour terms of English (Berlin and Kay, Basic Color Terms, 1969),
and three that are common for clothes. The colours are those that the 222,500 participants of the
xkcd colour survey (Munroe 2010, public domain) called by the word alone, and by the word after
`light`, `dark` and `dull`, where the survey has them.
"""

SMALLEST_SIDE: Final = 32
"""A crop with a shorter side, in pixels, gets no word: too few pixels show the garment."""

_DRAFT: Final = (96, 96)
_SIDE: Final = 32

_GRID: Final = 48
"""A crop with a mask is reduced to as many rows and columns."""

_FEWEST: Final = 24
"""The fewest places of the grid that the mask must fill. Otherwise too little is seen."""

_LIGHTNESS: Final = 0.5
"""Weight of a difference in lightness, of which shade and light make most.

CIE94 gives the same weight (kL = 2) to lightness for textiles.
"""

_NEAR: Final = 10.0
"""Distance from the middle colour up to which a pixel is of the same colour."""

_SHARE: Final = 0.5
"""The share of pixels that must be of the middle colour. Otherwise the crop is of many colours."""

_LIT: Final = 0.75
"""The pixels lighter than this share of those of the middle colour show the cloth without shade."""


class CropColour(NamedTuple):
    """The word for a crop; None where its colour is unknown."""

    colour: str | None


def read_colour(file: BinaryIO, mask: str | None = None) -> CropColour:
    """Return the word for the garment of a crop.

    `mask` is that of the garment, as the compressed run lengths of `dataset.masks`. Without it, the
    middle of the crop decides: half its width and half its height.

    The colour is unknown where a side is shorter than `SMALLEST_SIDE`, where the mask covers too
    little, or by `name_colour`. If the crop cannot be read, raise what Pillow raises; if the mask
    is not of its size, ValueError.
    """
    with Image.open(file, formats=("JPEG",)) as image:
        size = image.size
        image.draft("RGB", _DRAFT)
        picture = image.convert("RGB")
    if min(size) < SMALLEST_SIDE:
        return CropColour(None)
    pixels = _in_the_middle(picture) if mask is None else _under(mask, picture, size)
    return CropColour(name_colour(pixels) if len(pixels) else None)


def _in_the_middle(picture: Image.Image) -> "Pixels":
    import numpy as np

    width, height = picture.size
    middle = (width / 4, height / 4, 3 * width / 4, 3 * height / 4)
    small = picture.resize((_SIDE, _SIDE), Image.Resampling.BOX, middle)
    return np.asarray(small).reshape(-1, 3)


def _under(mask: str, picture: Image.Image, size: tuple[int, int]) -> "Pixels":
    """Return the places of the grid that show nothing else than the garment; none if too few do.

    `size` is that of the crop, in which the mask is.
    """
    import numpy as np

    grid = (_GRID, _GRID)
    whole = Image.fromarray(decode_mask(mask, *size).astype(np.uint8) * 255)
    is_covered = np.asarray(whole.resize(grid, Image.Resampling.BOX)) == 255
    pixels: Pixels = np.asarray(picture.resize(grid, Image.Resampling.BOX))[is_covered]
    return pixels if len(pixels) >= _FEWEST else pixels[:0]


def name_colour(pixels: "Pixels") -> str | None:
    """Return the word for the colour that most pixels have; None where there is no such colour.

    `pixels` are rows of sRGB. The middle colour is the median of each coordinate of CIELAB, so that
    less than half of the pixels may show something else. At least half of them must be near it.
    Of these, the lightest quarter shows the cloth without shade: the word is that of the colour of
    the palette that is nearest to their median.
    """
    import numpy as np

    points = convert_to_lab(pixels)
    near = points[_distances(points, np.median(points, axis=0)) <= _NEAR]
    if len(near) < _SHARE * len(points):
        return None
    lit = near[near[:, 0] >= np.quantile(near[:, 0], _LIT)]
    words, anchors = _anchors()
    return words[int(np.argmin(_distances(anchors, np.median(lit, axis=0))))]


def convert_to_lab(pixels: "Pixels") -> "Lab":
    """Return rows of sRGB (IEC 61966-2-1), 0 to 255, as CIELAB with the white point D65."""
    import numpy as np

    value = pixels / 255
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array(
        [
            [0.4124564, 0.3575761, 0.1804375],
            [0.2126729, 0.7151522, 0.0721750],
            [0.0193339, 0.1191920, 0.9503041],
        ]
    )
    xyz = linear @ to_xyz.T / to_xyz.sum(axis=1)  # white has the sums of the rows
    root = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz * (29 / 6) ** 2 / 3 + 4 / 29)
    x, y, z = root.T
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=1)


def _distances(points: "Lab", centre: "Lab") -> "Lab":
    """Return the CIE76 distance of each point, with less weight on lightness."""
    import numpy as np

    distances: Lab = np.linalg.norm((points - centre) * (_LIGHTNESS, 1, 1), axis=1)
    return distances


@cache
def _anchors() -> "tuple[list[str], Lab]":
    """Return the word of each colour of the palette, and the colours in CIELAB."""
    import numpy as np

    words = [word for word, colours in PALETTE.items() for _ in colours]
    hexes = "".join(colour[1:] for colours in PALETTE.values() for colour in colours)
    colours = np.frombuffer(bytes.fromhex(hexes), np.uint8).reshape(-1, 3)
    return words, convert_to_lab(colours)
