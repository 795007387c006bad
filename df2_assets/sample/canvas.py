"""Painting with smooth edges: coverage masks, shading, light and grain.

Everything works on small grey images and lookup tables, which keeps a picture at some
milliseconds; chance comes from `random.Random`, so the bytes depend on the seed alone.
"""

import colorsys
import math
import random
from functools import lru_cache

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from df2_assets.sample.geometry import Polygon, bounds, ribbon

Colour = tuple[int, int, int]
Area = tuple[int, int, int, int]


def shade(colour: Colour, factor: float) -> Colour:
    """`colour` darker (factor below 1) or lighter (towards white, above 1)."""
    if factor <= 1:
        r, g, b = (round(c * factor) for c in colour)
    else:
        r, g, b = (round(255 - (255 - c) / factor) for c in colour)
    return r, g, b


def hsv(hue: float, saturation: float, value: float) -> Colour:
    """A colour from hue (any number, one turn is 1), saturation and value (0 to 1)."""
    r, g, b = colorsys.hsv_to_rgb(hue % 1, saturation, value)
    return round(r * 255), round(g * 255), round(b * 255)


def area_of(polygons: list[Polygon], size: tuple[int, int]) -> Area | None:
    """The part of an image of `size` that `polygons` touch; None where they lie outside."""
    x1, y1, x2, y2 = bounds(polygons)
    left, top = max(math.floor(x1), 0), max(math.floor(y1), 0)
    right, bottom = min(math.ceil(x2), size[0]), min(math.ceil(y2), size[1])
    return (left, top, right, bottom) if left < right and top < bottom else None


def coverage(polygons: list[Polygon], area: Area) -> Image.Image:
    """A grey mask of `area`: 255 inside `polygons`, smooth at their edges."""
    left, top, right, bottom = area
    mask = Image.new("L", (2 * (right - left), 2 * (bottom - top)))
    draw = ImageDraw.Draw(mask)
    for polygon in polygons:
        draw.polygon([(2 * (x - left), 2 * (y - top)) for x, y in polygon], fill=255)
    return mask.reduce(2)


def paint(image: Image.Image, polygons: list[Polygon], colour: Colour, alpha: float = 1.0) -> None:
    """Fill `polygons` with a colour."""
    area = area_of(polygons, image.size)
    if area is not None:
        mask = coverage(polygons, area)
        if alpha < 1:
            mask = mask.point(ramp(0, alpha))
        image.paste(colour, area, mask)


def stroke(
    image: Image.Image, line: Polygon, width: float, colour: Colour, alpha: float = 1.0
) -> None:
    """Draw an open line, `width` pixels wide."""
    if len(line) > 1:
        paint(image, [ribbon(line, [width / 2] * len(line))], colour, alpha)


def clouds(chance: random.Random, size: tuple[int, int], cells: tuple[int, int]) -> Image.Image:
    """A grey image of soft random patches, `cells` of them across and down."""
    grid = Image.frombytes("L", cells, chance.randbytes(cells[0] * cells[1]))
    return grid.resize(size, Image.Resampling.BICUBIC)


def multiply(image: Image.Image, light: Image.Image) -> Image.Image:
    """`image` under a grey image of light: 255 leaves a pixel as it is."""
    return ImageChops.multiply(image, Image.merge("RGB", (light, light, light)))


@lru_cache(maxsize=256)
def ramp(low: float, high: float) -> list[int]:
    """A lookup table from 0..255 to a share of 255 between `low` and `high`."""
    return [max(0, min(255, round(255 * (low + (high - low) * v / 255)))) for v in range(256)]


def soften(mask: Image.Image, radius: float) -> Image.Image:
    """`mask` blurred by about `radius` pixels, by way of a smaller image."""
    factor = max(1, round(radius / 2))
    small = mask.reduce(factor).filter(ImageFilter.BoxBlur(max(radius / factor / 1.5, 0.5)))
    return small.resize(mask.size, Image.Resampling.BILINEAR)


def rounded(image: Image.Image, polygons: list[Polygon], colour: Colour, depth: float) -> None:
    """Fill `polygons` with a colour that darkens over `depth` pixels towards their edges."""
    area = area_of(polygons, image.size)
    if area is not None:
        mask = coverage(polygons, area)
        light = soften(mask, depth).point(ramp(0.52, 1.0))
        image.paste(multiply(Image.new("RGB", mask.size, colour), light), area, mask)


def shadow(
    image: Image.Image, polygons: list[Polygon], offset: tuple[float, float], depth: float
) -> None:
    """Darken what lies behind `polygons`, moved by `offset` pixels and blurred."""
    reach = max(4, round(abs(offset[0]) + abs(offset[1])))
    moved = [[(x + offset[0], y + offset[1]) for x, y in polygon] for polygon in polygons]
    area = area_of(moved, image.size)
    if area is None:
        return
    width, height = image.size
    wide = (
        max(area[0] - 2 * reach, 0),
        max(area[1] - 2 * reach, 0),
        min(area[2] + 2 * reach, width),
        min(area[3] + 2 * reach, height),
    )
    mask = soften(coverage(moved, wide), reach)
    image.paste((18, 18, 24), wide, mask.point(ramp(0, depth)))


@lru_cache(maxsize=8)
def _grain_table(strength: int) -> list[int]:
    """Uniform bytes to a bell curve around 128: the inverse of the logistic distribution."""
    values = []
    for v in range(256):
        p = (v + 0.5) / 256
        values.append(round(128 + strength * 0.55 * math.log(p / (1 - p))))
    return [max(0, min(255, v)) for v in values]


def grain(image: Image.Image, chance: random.Random, strength: int) -> Image.Image:
    """`image` with a sensor's noise: `strength` is its deviation in grey levels."""
    width, height = image.size
    noise = Image.frombytes("L", image.size, chance.randbytes(width * height))
    noise = noise.point(_grain_table(strength))
    return ImageChops.add(image, Image.merge("RGB", (noise, noise, noise)), 1, -128)


def tint(image: Image.Image, factors: tuple[float, float, float]) -> Image.Image:
    """`image` with its channels scaled: colour and strength of the light."""
    table = [min(255, round(v * factor)) for factor in factors for v in range(256)]
    return image.point(table)


def vignette(image: Image.Image, depth: float) -> Image.Image:
    """`image` darker towards its corners by `depth`."""
    light = _radial().resize(image.size, Image.Resampling.BILINEAR).point(ramp(1, 1 - depth))
    return multiply(image, light)


@lru_cache(maxsize=1)
def _radial() -> Image.Image:
    return Image.radial_gradient("L").reduce(4)
