"""The pixels and the bytes of crop variants. Worker processes import this module."""

import io
import math
from collections.abc import Sequence
from typing import Any, Final

import msgspec
import PIL
from PIL import Image, ImageColor, ImageDraw, features

from df2_assets.dataset import boxes, cropping
from df2_assets.dataset.annotations import Refused
from df2_assets.dataset.boxes import Box
from df2_assets.dataset.reasons import Reason
from df2_assets.dataset.shapes import RefusedShape, ShapeReason
from df2_assets.dataset.variants import (
    ALPHA,
    EDGE,
    FORMATS,
    Affine,
    CropVariant,
    VariantCut,
    plan_cut,
)

CODE_VERSION: Final = "1"
"""Raise this with each change to this module or `variants` that can change the bytes of a crop."""

_SUPERSAMPLING: Final = 4
"""Steps per pixel and axis in which the outline of a cut-out is drawn."""

_ROWS: Final = 256
"""Rows of a mask that are drawn together, so that a large one needs little memory."""

_FAR: Final = 2**24
"""The largest coordinate that is drawn, in steps. Pillow's drawing uses 32-bit integers."""

Polygons = Sequence[Sequence[float]]
"""Outlines of an item, each `[x1, y1, x2, y2, …]`, in pixels of the image."""


def render(
    image: Image.Image, box: Box, variant: CropVariant, polygons: Polygons = ()
) -> Image.Image:
    """Return a variant of the crop of an RGB image inside a box: RGB, or RGBA with `alpha`.

    A cut-out shows what is inside at least one of `polygons`; other variants ignore them. Raises
    RefusedShape where they cover no pixel, and Refused where the variant would be too large for its
    format or for memory.
    """
    cut = plan_cut(variant, box, *image.size)
    _require_storable(variant, cut.width, cut.height)
    pixels = image.crop(cut.box)
    if variant.size is not None:
        pixels = pixels.resize(boxes.size(cut.place), Image.Resampling[variant.resample.upper()])
    if variant.cut_out is not None:
        pixels = _cut_out(pixels, _draw_mask(polygons, cut), variant)
    return pixels if variant.square is None else _pad(pixels, cut, variant)


def encode(image: Image.Image, box: Box, variant: CropVariant, polygons: Polygons = ()) -> bytes:
    """Return a variant of a crop as the bytes of its file. Raises as `render` does."""
    form = FORMATS[variant.format]
    options: dict[str, Any] = {"quality": variant.quality} if form.has_quality else {}
    if form.has_alpha:
        options["icc_profile"] = b""  # or else that of the photo, which crops do not have
    buffer = io.BytesIO()
    render(image, box, variant, polygons).save(buffer, form.pillow, **options)
    return buffer.getvalue()


def fingerprint(variant: CropVariant) -> str:
    """Return what decides the bytes of a variant, given image, box and polygons.

    That is its declaration without the name, and the versions of Pillow, the codecs and this code.
    """
    options = [
        f"{name}={value}"
        for name, value in msgspec.structs.asdict(variant).items()
        if name != "name" and value is not None
    ]
    libjpeg = features.version("libjpeg_turbo") or features.version("jpg")
    versions = [f"pillow{PIL.__version__}", f"libjpeg{libjpeg}"]
    for codec in FORMATS[variant.format].codec:
        if version := features.version(codec):
            versions.append(f"{codec}{version}")
            break
    return " ".join([*options, *versions, f"code{cropping.CODE_VERSION}.{CODE_VERSION}"])


def _require_storable(variant: CropVariant, width: int, height: int) -> None:
    """Raise Refused where a variant has too many pixels, or a side too long for its format."""
    form = FORMATS[variant.format]
    size = f"{variant.name} would have {width} x {height} pixels"
    if max(width, height) > form.longest:
        detail = f"{size}, and a side in {variant.format} at most {form.longest}"
        raise Refused(Reason.IMAGE_TOO_LARGE, detail)
    if width * height > cropping.MAX_PIXELS:
        raise Refused(Reason.IMAGE_TOO_LARGE, f"{size}, more than {cropping.MAX_PIXELS}")


def _background(variant: CropVariant) -> tuple[int, ...]:
    """Return the colour of what has no pixels. Where it is transparent, it is white."""
    if variant.cut_out == ALPHA:
        return (255, 255, 255, 0)
    return ImageColor.getrgb(variant.cut_out or variant.fill)


def _pad(pixels: Image.Image, cut: VariantCut, variant: CropVariant) -> Image.Image:
    """Return the whole variant, with its pixels in their place."""
    if pixels.size == (cut.width, cut.height):
        return pixels
    left, top, right, bottom = cut.place
    if variant.fill != EDGE:
        canvas = Image.new(variant.mode, (cut.width, cut.height), _background(variant))
        canvas.paste(pixels, (left, top))
        return canvas
    canvas = Image.new(variant.mode, (cut.width, cut.height))
    canvas.paste(pixels, (left, top))
    # First the columns beside the pixels, then whole rows above and below, with their corners.
    _repeat(canvas, (left, top, left + 1, bottom), (0, top, left, bottom))
    _repeat(canvas, (right - 1, top, right, bottom), (right, top, cut.width, bottom))
    _repeat(canvas, (0, top, cut.width, top + 1), (0, 0, cut.width, top))
    _repeat(canvas, (0, bottom - 1, cut.width, bottom), (0, bottom, cut.width, cut.height))
    return canvas


def _repeat(canvas: Image.Image, line: Box, area: Box) -> None:
    """Fill an area with copies of a line of pixels."""
    if not boxes.is_reversed(area):
        lines = canvas.crop(line).resize(boxes.size(area), Image.Resampling.NEAREST)
        canvas.paste(lines, area[:2])


def _cut_out(pixels: Image.Image, mask: Image.Image, variant: CropVariant) -> Image.Image:
    """Return pixels inside a mask, in front of the background of a variant."""
    if mask.getbbox() is None:
        raise RefusedShape(ShapeReason.NO_AREA, "the polygons cover no pixel of the crop")
    background = Image.new("RGB", pixels.size, _background(variant)[:3])
    if variant.cut_out != ALPHA:
        return Image.composite(pixels, background, mask)
    # Pixels at the outline keep their colour; others must not hide the photo.
    visible = Image.composite(pixels, background, mask.point(lambda share: 255 * (share > 0)))
    visible.putalpha(mask)
    return visible


def _draw_mask(polygons: Polygons, cut: VariantCut) -> Image.Image:
    """Return the share of each pixel of `cut.place` that polygons cover, from 0 to 255."""
    left, top = cut.place[:2]
    width, height = boxes.size(cut.place)
    outlines = [_draw_points(polygon, cut.affine, left, top) for polygon in polygons]
    mask = Image.new("L", (width, height))
    for row in range(0, height, _ROWS):
        rows, first = min(_ROWS, height - row), row * _SUPERSAMPLING
        steps = Image.new("L", (width * _SUPERSAMPLING, rows * _SUPERSAMPLING))
        draw = ImageDraw.Draw(steps)
        for outline in outlines:
            draw.polygon([(x, y - first) for x, y in outline], fill=255)
        mask.paste(steps.reduce(_SUPERSAMPLING), (0, row))
    return mask


def _draw_points(
    polygon: Sequence[float], affine: Affine, left: int, top: int
) -> list[tuple[int, int]]:
    """Return the corners of a polygon in steps, from the corner of the place of the pixels."""
    points = (affine.apply(x, y) for x, y in zip(polygon[::2], polygon[1::2], strict=True))
    return [(_step(x - left), _step(y - top)) for x, y in points]


def _step(length: float) -> int:
    """Return the step that a length in pixels ends in, but none that is far outside."""
    return math.floor(min(max(length * _SUPERSAMPLING, -_FAR), _FAR))
