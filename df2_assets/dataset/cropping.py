"""One image: its size without decoding, and its crops (the contract)."""

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
"""Pillow's own bound against decompression bombs: a quarter of a gibibyte as RGB."""

MAX_BYTES: Final = 4 * MAX_PIXELS
"""More than the largest image has. What follows an image in its file may be longer."""

_BEGINNING: Final = 1024 * 1024
"""Bytes that are looked at to say why an image cannot be opened."""

CODE_VERSION: Final = "2"
"""Raise it with each change to this module that can change the bytes of a crop."""


def code_version() -> str:
    """Return what this project decides about the bytes of a crop: settings and rule.

    The versions of libraries are not in it: on another machine the asset would look outdated.
    """
    return f"{CODE_VERSION}, JPEG quality {QUALITY}"


def encoder() -> str:
    """Return what decides the bytes of a crop besides image and box: part of its fingerprint."""
    libjpeg = features.version("libjpeg_turbo") or features.version("jpg")
    return f"q{QUALITY} pillow{PIL.__version__} libjpeg{libjpeg} code{CODE_VERSION}"


def image_size(file: BinaryIO) -> tuple[int, int]:
    """Return width and height in stored pixels, from the header alone. Raises Refused."""
    with _opened(file) as image:
        return image.size


def decode(file: BinaryIO) -> Image.Image:
    """Return the image as RGB, EXIF orientation not applied. Raises Refused, for damage too."""
    data = file.read(MAX_BYTES)
    with _opened(io.BytesIO(data)) as image:
        load(image, data)
        return image if image.mode == "RGB" else image.convert("RGB")


def encode_crop(image: Image.Image, box: Box) -> bytes:
    """Return the JPEG bytes of the part of an RGB image inside the box that is cut."""
    buffer = io.BytesIO()
    image.crop(box).save(buffer, "JPEG", quality=QUALITY)
    return buffer.getvalue()


@contextmanager
def _opened(file: BinaryIO) -> Iterator[ImageFile.ImageFile]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is wrong with an image is a row, not a warning
            image = Image.open(file, formats=("JPEG",))
    except Df2Error:
        raise  # not the image is at fault but what it lies on
    except Image.DecompressionBombError:
        raise Refused(Reason.IMAGE_TOO_LARGE, f"more than {MAX_PIXELS} pixels") from None
    except Exception:  # Pillow raises whatever it meets in a damaged file; no JPEG ends here too
        file.seek(0)
        raise describe_unopened(file.read(_BEGINNING)) from None
    width, height = image.size
    if width * height > MAX_PIXELS:
        detail = f"{width} x {height} pixels, more than {MAX_PIXELS}"
        raise Refused(Reason.IMAGE_TOO_LARGE, detail)
    yield image
