"""The shapes of a crop from the table `labels`, in the coordinates that a format needs."""

import io
from typing import TYPE_CHECKING, Final, NamedTuple

from df2_assets.dataset.masks import decode_mask, fill
from df2_assets.dataset.shapes import Shapes, carry, move
from df2_assets.dataset.variants import Affine

if TYPE_CHECKING:
    from df2_assets.dataset.masks import Mask

COLUMNS: Final = ("mask", "polygons", "landmarks")
"""The columns of `labels` that exports have. Each is null where the shape is refused."""


class CropShapes(NamedTuple):
    """The shapes of a crop.

    `left` and `top` are the corner of its box in the image. `mask`, `polygons` and `landmarks` are
    those of `labels`, in pixels of the crop. `width` and `height` are those of its file, which is
    in a crop variant if there is an `affine`: the map from the image to the file.
    """

    left: int
    top: int
    mask: str | None
    polygons: list[list[float]] | None
    landmarks: list[float] | None
    width: int
    height: int
    affine: Affine | None = None

    @property
    def _of_crop(self) -> Shapes:
        return Shapes(self.polygons, self.landmarks)

    def in_image(self) -> Shapes:
        """Return polygons and landmarks in pixels of the image."""
        return move(self._of_crop, lambda x, y: (x + self.left, y + self.top))

    def in_file(self) -> Shapes:
        """Return polygons and landmarks in pixels of the file."""
        if self.affine is None:
            return self._of_crop
        return carry(self._of_crop, (self.left, self.top), self.affine.apply)

    def draw_mask(self) -> "Mask | None":
        """Return the pixels of the file that show the garment; None if its mask is refused."""
        if self.mask is None or self.polygons is None:
            return None
        if self.affine is None:
            return decode_mask(self.mask, self.width, self.height)
        return fill(self.in_file().polygons or (), self.width, self.height)


def encode_png(mask: "Mask") -> bytes:
    """Return a mask as a PNG with one bit per pixel, white where the garment is."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(mask).save(buffer, "PNG")
    return buffer.getvalue()
