"""Painting a garment: cloth, folds, rounded edges, lining, seams and trimmings."""

import random

from PIL import Image

from df2_assets.sample.brush import Brush
from df2_assets.sample.canvas import Area, area_of, clouds, coverage, multiply, ramp, shade, soften
from df2_assets.sample.garments.fabrics import cloth
from df2_assets.sample.garments.shapes import Piece, Shape
from df2_assets.sample.garments.weaves import Fabric
from df2_assets.sample.geometry import Camera, Polygon


def silhouette(shape: Shape, camera: Camera) -> list[Polygon]:
    """The garment's pieces in pixels."""
    return [camera.at(piece.outline) for piece in shape.pieces]


def dress(brush: Brush, shape: Shape, fabric: Fabric, chance: random.Random, folds: float) -> None:
    """Paint a garment; `folds` from 0 (ironed) to 1 (crumpled)."""
    dark = sum(fabric.base) < 170
    thread = shade(fabric.base, 1.7 if dark else 0.45)
    for outline in shape.lining:
        brush.round(shade(fabric.base, 0.42), 0.2, outline)
    for piece in shape.pieces:
        _piece(brush, piece, fabric, chance, folds)
    for outline in shape.prints:
        brush.fill(fabric.accent, outline, 0.9)
    for outline, factor in shape.trims:
        brush.round(
            shade(fabric.base, 1 / factor if dark and factor < 1 else factor), 0.07, outline
        )
        if factor < 1:
            brush.line(thread, 0.0, [*outline, outline[0]], 0.45)
    for line, width in shape.seams:
        brush.line(thread, width, line, 0.5)


def _piece(brush: Brush, piece: Piece, fabric: Fabric, chance: random.Random, folds: float) -> None:
    camera = brush.camera
    polygon = camera.at(piece.outline)
    area = area_of([polygon], brush.image.size)
    if area is None:
        return
    mask = coverage([polygon], area)
    width, height = mask.size
    cells = (2 + round(width / camera.unit * 1.6), 2 + round(height / camera.unit * 0.9))
    light = clouds(chance, mask.size, cells).point(ramp(1 - 0.42 * folds, 1.06))
    edge = soften(mask, camera.unit * 0.16).point(ramp(0.4, 1.0))
    sheet = _sheet(fabric, piece.turn - camera.tilt, area, camera)
    brush.image.paste(multiply(multiply(sheet, light), edge), area, mask)


def _sheet(fabric: Fabric, turn: float, area: Area, camera: Camera) -> Image.Image:
    """Cloth for an area, its grain turned by some degrees."""
    width, height = area[2] - area[0], area[3] - area[1]
    if abs(turn) < 3:
        units = (width / camera.unit / camera.squeeze, height / camera.unit)
        return cloth(fabric, units, (width, height))
    side = round((width**2 + height**2) ** 0.5) + 2
    square = cloth(fabric, (side / camera.unit, side / camera.unit), (side, side))
    left, top = (side - width) // 2, (side - height) // 2
    turned = square.rotate(turn, Image.Resampling.BILINEAR)
    return turned.crop((left, top, left + width, top + height))
