"""A picture as markdown with the image in it, small enough for a page of the UI."""

import base64
import io
from typing import Final

from PIL import Image

MAX_BYTES: Final = 300_000
_QUALITIES: Final = (85, 70, 50, 30)


def embedded(image: Image.Image, alt: str) -> str:
    """Markdown with `image` as a JPEG under 300 KB, reduced where no quality is low enough.

    `alt` must be free of brackets.
    """
    for quality in _QUALITIES:
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=quality, subsampling=0)
        if buffer.tell() * 4 // 3 < MAX_BYTES:
            return embedded_bytes(buffer.getvalue(), "image/jpeg", alt)
    return embedded(image.reduce(2), alt)


def embedded_bytes(data: bytes, kind: str, alt: str) -> str:
    """Markdown with the bytes of an image file of the given media type."""
    return f"![{alt}](data:{kind};base64,{base64.b64encode(data).decode()})"
