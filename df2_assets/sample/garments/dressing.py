"""Painting a garment: cloth, folds, rounded edges, lining, seams and trimmings."""

import random

from PIL import Image

from df2_assets.sample.canvas import (
    Area,
    Colour,
    area_of,
    clouds,
    coverage,
    multiply,
    paint,
    ramp,
    shade,
    soften,
    stroke,
)
from df2_assets.sample.garments.fabrics import cloth
from df2_assets.sample.garments.shapes import Piece, Shape
from df2_assets.sample.garments.weaves import Fabric
from df2_assets.sample.geometry import Camera, Polygon


def silhouette(shape: Shape, camera: Camera) -> list[Polygon]:
    """The garment's pieces in pixels."""
    return [camera.at(piece.outline) for piece in shape.pieces]


def dress(
    image: Image.Image,
    shape: Shape,
    fabric: Fabric,
    camera: Camera,
    chance: random.Random,
    folds: float,
) -> None:
    """Paint a garment; `folds` from 0 (ironed) to 1 (crumpled)."""
    for outline in shape.lining:
        rounded(image, [camera.at(outline)], shade(fabric.base, 0.42), camera.unit * 0.2)
    for piece in shape.pieces:
        _piece(image, piece, fabric, camera, chance, folds)
    for outline in shape.prints:
        paint(image, [camera.at(outline)], fabric.accent, 0.9)
    dark = sum(fabric.base) < 170
    thread = shade(fabric.base, 1.7 if dark else 0.45)
    for outline, factor in shape.trims:
        colour = shade(fabric.base, 1 / factor if dark and factor < 1 else factor)
        rounded(image, [camera.at(outline)], colour, camera.unit * 0.07)
        if factor < 1:
            stroke(image, camera.at([*outline, outline[0]]), 1.2, thread, 0.45)
    for line, width in shape.seams:
        stroke(image, camera.at(line), max(1.1, width * camera.unit), thread, 0.5)


def rounded(image: Image.Image, polygons: list[Polygon], colour: Colour, depth: float) -> None:
    """Fill `polygons` with a colour that darkens over `depth` pixels towards their edges."""
    area = area_of(polygons, image.size)
    if area is None:
        return
    mask = coverage(polygons, area)
    fill = Image.new("RGB", mask.size, colour)
    image.paste(multiply(fill, soften(mask, depth).point(ramp(0.52, 1.0))), area, mask)


def _piece(
    image: Image.Image,
    piece: Piece,
    fabric: Fabric,
    camera: Camera,
    chance: random.Random,
    folds: float,
) -> None:
    polygon = camera.at(piece.outline)
    area = area_of([polygon], image.size)
    if area is None:
        return
    mask = coverage([polygon], area)
    sheet = _sheet(fabric, piece.turn - camera.tilt, area, camera)
    width, height = mask.size
    cells = (2 + round(width / camera.unit * 1.6), 2 + round(height / camera.unit * 0.9))
    light = clouds(chance, mask.size, cells).point(ramp(1 - 0.42 * folds, 1.06))
    edge = soften(mask, camera.unit * 0.16).point(ramp(0.4, 1.0))
    sheet = multiply(multiply(sheet, light), edge)
    image.paste(sheet, area, mask)


def _sheet(fabric: Fabric, turn: float, area: Area, camera: Camera) -> Image.Image:
    width, height = area[2] - area[0], area[3] - area[1]
    if abs(turn) < 3:
        units = (width / camera.unit / camera.squeeze, height / camera.unit)
        return cloth(fabric, units, (width, height))
    side = round((width**2 + height**2) ** 0.5) + 2
    square = cloth(fabric, (side / camera.unit, side / camera.unit), (side, side))
    turned = square.rotate(turn, Image.Resampling.BILINEAR)
    left, top = (side - width) // 2, (side - height) // 2
    return turned.crop((left, top, left + width, top + height))
