"""Images and their crops: the size from the header, decoding, and the bytes of a crop.

`docs/contract.md` describes the crops.
"""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, Final

import PIL
from PIL import Image, ImageFile, features

from df2_assets.dataset.annotations import Refused
from df2_assets.dataset.boxes import Box
from df2_assets.dataset.jpegs import describe_unopened, load
from df2_assets.dataset.reasons import Reason
from df2_assets.errors import Df2Error

QUALITY: Final = 95
MAX_PIXELS: Final = 89_478_485
"""Pillow's own limit against decompression bombs: a quarter of a gibibyte as RGB."""

MAX_BYTES: Final = 4 * MAX_PIXELS
"""The most bytes that are read of a file: more than the largest image has."""

_BEGINNING: Final = 1024 * 1024
"""Bytes that are read to say why an image cannot be opened."""

CODE_VERSION: Final = "2"
"""Raise this with each change to the module that can change the bytes of a crop."""


def code_version() -> str:
    """Return what this project contributes to the bytes of a crop: quality and code version.

    It leaves out the versions of libraries: otherwise the asset would look outdated on another
    machine.
    """
    return f"{CODE_VERSION}, JPEG quality {QUALITY}"


def encoder() -> str:
    """Return what else decides the bytes of a crop, given image and box.

    That is the quality, and the versions of Pillow, libjpeg and this code.
    """
    libjpeg = features.version("libjpeg_turbo") or features.version("jpg")
    return f"q{QUALITY} pillow{PIL.__version__} libjpeg{libjpeg} code{CODE_VERSION}"


def image_size(file: BinaryIO, formats: tuple[str, ...] = ("JPEG",)) -> tuple[int, int]:
    """Return width and height in stored pixels, from the header only. Raises Refused."""
    with _open_image(file, formats) as image:
        return image.size


def decode(file: BinaryIO, formats: tuple[str, ...] = ("JPEG",)) -> Image.Image:
    """Return the image as RGB; EXIF orientation is not applied. Raises Refused if it is damaged."""
    data = file.read(MAX_BYTES)
    with _open_image(io.BytesIO(data), formats) as image:
        if image.format in ("PNG", "WEBP"):
            _load(image)
        else:
            load(image, data)
        return image if image.mode == "RGB" else image.convert("RGB")


def encode_crop(image: Image.Image, box: Box) -> bytes:
    """Return the part of an RGB image inside a box, as the bytes of a JPEG."""
    buffer = io.BytesIO()
    image.crop(box).save(buffer, "JPEG", quality=QUALITY)
    return buffer.getvalue()


def _load(image: ImageFile.ImageFile) -> None:
    """Decode a PNG or a WebP file. Raises Refused if it is damaged."""
    try:
        image.load()
    except Exception as error:  # Pillow raises whatever its decoders meet in a damaged file
        raise Refused(Reason.UNREADABLE_IMAGE, f"cannot be decoded ({error})") from None


@contextmanager
def _open_image(
    file: BinaryIO, formats: tuple[str, ...] = ("JPEG",)
) -> Iterator[ImageFile.ImageFile]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an image with a problem gets a row, not a warning
            image = Image.open(file, formats=formats)
    except Df2Error:
        raise  # the store has the problem, not the image
    except Image.DecompressionBombError:
        raise Refused(Reason.IMAGE_TOO_LARGE, f"more than {MAX_PIXELS} pixels") from None
    except Exception:  # Pillow raises anything for a damaged file, or one that is not a JPEG
        file.seek(0)
        raise describe_unopened(file.read(_BEGINNING)) from None
    width, height = image.size
    if width * height > MAX_PIXELS:
        detail = f"{width} x {height} pixels, more than {MAX_PIXELS}"
        raise Refused(Reason.IMAGE_TOO_LARGE, detail)
    yield image
