"""Crop variants: what people declare, and which pixels of an image come where in a variant.

A crop variant is a second form of the contract's crops, such as a square of 224 pixels.
`docs/variants.md` shows each option. `dataset.variant_files` reads declarations, and
`dataset.rendering` makes the pixels.
"""

from typing import Any, Final, Literal, NamedTuple

import msgspec

from df2_assets.dataset import boxes
from df2_assets.dataset.boxes import Box

SQUARES: Final = ("pad", "widen")
EDGE: Final = "edge"
ALPHA: Final = "alpha"
WHITE: Final = "#ffffff"
MAX_SIZE: Final = 4096
RESAMPLING: Final = ("nearest", "box", "bilinear", "hamming", "bicubic", "lanczos")
"""The filters of Pillow, by their names in lower case."""


class Format(NamedTuple):
    """An image format: its name in Pillow, the end of file names, and the longest side it stores.

    `codec` has the names of its library in Pillow, the first that is present counts.
    """

    pillow: str
    suffix: str
    longest: int
    codec: tuple[str, ...] = ()
    has_quality: bool = True
    has_alpha: bool = True


FORMATS: Final = {
    "jpeg": Format("JPEG", ".jpg", 65_500, has_alpha=False),
    "png": Format("PNG", ".png", 2**31 - 1, ("zlib_ng", "zlib"), has_quality=False),
    "webp": Format("WEBP", ".webp", 16_383, ("webp",)),
}


class CropVariant(msgspec.Struct, frozen=True):
    """The declaration of a crop variant.

    `margin` is added on each side of the box, as a share of its width and height. `square` says how
    the result becomes a square, and `fill` what is where it has no pixels: a colour (`#rrggbb`) or
    `edge`. `size` is the longer side in pixels, reached with the filter `resample`. `cut_out` is
    the background of the garment, a colour or `alpha`. The defaults give the contract's crop.
    """

    name: str
    margin: float = 0.0
    square: Literal["pad", "widen"] | None = None
    fill: str = WHITE
    size: int | None = None
    resample: str = "bicubic"
    cut_out: str | None = None
    format: Literal["jpeg", "png", "webp"] = "jpeg"
    quality: int = 95

    @property
    def suffix(self) -> str:
        """The end of its files' names, such as `.jpg`."""
        return FORMATS[self.format].suffix

    @property
    def uses_polygons(self) -> bool:
        """Whether its crops depend on the polygons of their items."""
        return self.cut_out is not None

    @property
    def mode(self) -> str:
        """Pillow's mode of its crops."""
        return "RGBA" if self.cut_out == ALPHA else "RGB"


class Affine(NamedTuple):
    """A map from coordinates of an image to those of a variant, in pixels.

    Coordinates are continuous, as those of boxes: the first pixel is from 0 to 1. They may be
    numbers or arrays.
    """

    scale_x: float
    scale_y: float
    shift_x: float
    shift_y: float

    def apply(self, x: Any, y: Any) -> tuple[Any, Any]:
        """Return where a point of the image is in the variant."""
        return x * self.scale_x + self.shift_x, y * self.scale_y + self.shift_y

    def inverse(self) -> "Affine":
        """Return the map from the variant to the image."""
        return Affine(
            1 / self.scale_x,
            1 / self.scale_y,
            -self.shift_x / self.scale_x,
            -self.shift_y / self.scale_y,
        )


class VariantCut(NamedTuple):
    """Which pixels a variant takes, and where it puts them.

    `box` is the part of the image that is cut, and `place` where it is in the variant, which has
    `width` and `height`. What is outside `place` is filled.
    """

    box: Box
    place: Box
    width: int
    height: int

    @property
    def affine(self) -> Affine:
        """The map from the image to the variant. It is exact: it maps `box` to `place`."""
        width, height = boxes.size(self.box)
        new_width, new_height = boxes.size(self.place)
        scale_x, scale_y = new_width / width, new_height / height
        shift_x = self.place[0] - self.box[0] * scale_x
        return Affine(scale_x, scale_y, shift_x, self.place[1] - self.box[1] * scale_y)


def plan_cut(variant: CropVariant, box: Box, image_width: int, image_height: int) -> VariantCut:
    """Return what a variant cuts from an image, for the box of a crop of the contract.

    All edges are rounded to whole pixels of the variant, halves up.
    """
    frame = boxes.grow(box, variant.margin)
    cut = boxes.clamp(frame, image_width, image_height)
    frame = cut if variant.square is None else boxes.square(frame)
    if variant.square == "widen":
        cut = boxes.clamp(frame, image_width, image_height)
    longer = max(boxes.size(frame))
    target = variant.size or longer

    def scale(length: int) -> int:
        return (2 * length * target + longer) // (2 * longer)

    width, height = (max(scale(side), 1) for side in boxes.size(frame))
    left, right = scale(cut[0] - frame[0]), scale(cut[2] - frame[0])
    top, bottom = scale(cut[1] - frame[1]), scale(cut[3] - frame[1])
    left, top = min(left, width - 1), min(top, height - 1)
    place = (left, top, max(right, left + 1), max(bottom, top + 1))
    return VariantCut(cut, place, width, height)
