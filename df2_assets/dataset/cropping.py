"""One image: its size without decoding, and its crops (the contract)."""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, Final

import PIL
from PIL import Image, features

from df2_assets.dataset.annotations import Refused
from df2_assets.dataset.boxes import Box
from df2_assets.dataset.reasons import Reason
from df2_assets.errors import Df2Error, inert

QUALITY: Final = 95
MAX_PIXELS: Final = 89_478_485
"""Pillow's own bound against decompression bombs: a quarter of a gibibyte as RGB."""

CODE_VERSION: Final = "1"
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
    """Return the image as RGB, EXIF orientation not applied. Raises Refused."""
    with _opened(file) as image:
        try:
            image.load()
        except Exception as error:  # Pillow raises whatever its decoders meet in a damaged file
            raise Refused(Reason.UNREADABLE_IMAGE, inert(str(error))) from None
        return image if image.mode == "RGB" else image.convert("RGB")


def encode_crop(image: Image.Image, box: Box) -> bytes:
    """Return the JPEG bytes of the part of an RGB image inside the box that is cut."""
    buffer = io.BytesIO()
    image.crop(box).save(buffer, "JPEG", quality=QUALITY)
    return buffer.getvalue()


@contextmanager
def _opened(file: BinaryIO) -> Iterator[Image.Image]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is wrong with an image is a row, not a warning
            image = Image.open(file, formats=("JPEG",))
    except Df2Error:
        raise  # not the image is at fault but what it lies on
    except Image.DecompressionBombError:
        raise Refused(Reason.IMAGE_TOO_LARGE, f"more than {MAX_PIXELS} pixels") from None
    except Exception:  # as above; what is not even a JPEG ends here too
        file.seek(0)
        if file.read(2) == b"\xff\xd8":
            raise Refused(Reason.UNREADABLE_IMAGE, "the header is damaged") from None
        raise Refused(Reason.NOT_A_JPEG, "the content is not a JPEG") from None
    width, height = image.size
    if width * height > MAX_PIXELS:
        detail = f"{width} x {height} pixels, more than {MAX_PIXELS}"
        raise Refused(Reason.IMAGE_TOO_LARGE, detail)
    yield image
