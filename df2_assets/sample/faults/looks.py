"""Photographs that can be opened, and are of little use: too dark, of one colour, saved again."""

import io
from collections.abc import Callable
from typing import Final

from PIL import Image

from df2_assets.sample.faults.fault import BLANK, DARK, Draft, Fault

_QUALITY: Final = 88
_SAVED_AGAIN: Final = 62


def _changed(
    name: str,
    change: Callable[[Image.Image], Image.Image],
    *checks: str,
    quality: int = _QUALITY,
) -> Fault:
    """A fault of the picture itself; each crop that is wanted of it must be named."""

    def spoil(draft: Draft) -> None:
        buffer = io.BytesIO()
        with Image.open(io.BytesIO(draft.image)) as image:
            change(image.convert("RGB")).save(buffer, "JPEG", quality=quality)
        draft.image = buffer.getvalue()

    return Fault(name, spoil, checks=checks, scope="crops")


def _dimmed(share: float) -> Callable[[Image.Image], Image.Image]:
    return lambda image: image.point(lambda value: value * share)


def _of_colour(colour: str) -> Callable[[Image.Image], Image.Image]:
    return lambda image: Image.new("RGB", image.size, colour)


LOOKS_FAULTS: Final = (
    _changed("photograph taken at night", _dimmed(0.07), DARK),
    _changed("photograph taken with the lens cap on", _dimmed(0.02), DARK),
    _changed("photograph that is white", _of_colour("white"), BLANK),
    _changed("photograph of a grey card", _of_colour("#7d7d7d"), BLANK),
)

SAVED_AGAIN: Final = _changed(
    "photograph that is there again, saved anew", lambda image: image, quality=_SAVED_AGAIN
)
