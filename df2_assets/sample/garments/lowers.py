"""Outlines of shorts, trousers and skirts."""

from df2_assets.sample.garments.cuts import Lower
from df2_assets.sample.garments.shapes import (
    ANKLE_Y,
    HIP_Y,
    KNEE_Y,
    Piece,
    Pose,
    Shape,
    body_width,
    on_side,
)
from df2_assets.sample.geometry import Polygon, closed, curve, ellipse, mirrored


def lower(cut: Lower, pose: Pose) -> Shape:
    """The garment in a pose."""
    return _legs(cut, pose) if cut.legs else _skirt(cut, pose)


def _legs(cut: Lower, pose: Pose) -> Shape:
    shape = Shape()
    waist = body_width(cut.waist_y) + 0.05
    hip = (body_width(3.95) + cut.ease, 3.95)
    outer, inner = _leg(cut, on_side(pose.leg(1), 1))
    down = curve([(waist, cut.waist_y), (hip[0] - 0.05, 3.55), hip, *outer], 5)
    up = curve([*inner, (0.06, 4.75), (-0.01, 4.42)], 5)
    leg = [(-0.01, cut.waist_y + 0.03), *down, *up]
    shape.pieces += [Piece(leg), Piece(mirrored(leg))]
    lift = 0.16 if cut.cuffs else 0.07
    hem = [(x, y - lift) for x, y in (inner[0], outer[-1])]
    shape.seams_on_both(0.03 if cut.cuffs else 0.016, *hem)
    if cut.hem_y > KNEE_Y:
        shape.seams_on_both(0.014, (0.37, 4.7), (0.36, KNEE_Y), (0.34, cut.hem_y - 0.2))
    _waistband(cut, waist, shape)
    band = cut.waist_y + 0.2
    shape.seam(0.025, (0, band), (0, 4.42))
    if pose.back:
        corner, tip = (0.16, 3.55), [(0.56, 3.95), (0.36, 4.08), (0.18, 3.98)]
        shape.seams_on_both(0.022, corner, (0.54, 3.5), *tip, corner)
        return shape
    shape.seams_on_both(
        0.022, *curve([(waist - 0.16, band - 0.03), (waist - 0.1, 3.5), (hip[0] - 0.02, 3.62)], 3)
    )
    shape.seam(0.016, *curve([(0.16, band), (0.15, 3.7), (0.02, 4.02)], 4))
    shape.trim(1.9, *ellipse(0, cut.waist_y + 0.1, 0.045, 0.045, 10))
    return shape


def _leg(cut: Lower, leg: Polygon) -> tuple[Polygon, Polygon]:
    """The outer edge downwards and the inner edge upwards, below the hip."""
    hip, knee, ankle = leg
    if cut.hem_y < KNEE_Y:
        x = hip[0] + (knee[0] - hip[0]) * (cut.hem_y - HIP_Y) / (KNEE_Y - HIP_Y)
        return [(x + cut.hem, cut.hem_y)], [(max(x - cut.hem, 0.02), cut.hem_y + 0.05)]
    t = (cut.hem_y - KNEE_Y) / (ANKLE_Y - KNEE_Y)
    x = knee[0] + (ankle[0] - knee[0]) * t
    half = min(0.34 + cut.ease, (0.4 + cut.hem) / 2 + 0.03)
    outer = [(knee[0] + half, KNEE_Y), (x + cut.hem, cut.hem_y)]
    inner = [(x - cut.hem, cut.hem_y + 0.03), (max(knee[0] - half, 0.03), KNEE_Y)]
    return outer, inner


def _waistband(cut: Lower, waist: float, shape: Shape) -> None:
    y, low, wide = cut.waist_y, cut.waist_y + 0.19, waist + 0.03
    lower_edge = [(wide, low), (0, low + 0.03), (-wide, low)]
    shape.trim(0.84, (-waist, y), (0, y + 0.03), (waist, y), *lower_edge)


def _skirt(cut: Lower, pose: Pose) -> Shape:
    shape = Shape()
    waist = body_width(cut.waist_y) + 0.04
    side: Polygon = []
    for i in range(7):
        y = cut.waist_y + (cut.hem_y - cut.waist_y) * i / 6
        free = waist + (cut.hem - waist) * (i / 6) ** cut.flare
        side.append((max(free, body_width(y) + cut.ease if y < 4.3 else 0.0), y))
    foot, edge = cut.hem_y, side[-1][0] * 0.97
    hem = curve([side[-1], (cut.hem * 0.5, foot + 0.1), (0, foot + 0.12)], 4)
    shape.pieces.append(Piece(closed([(0, cut.waist_y + 0.03), *curve(side, 3), *hem])))
    _waistband(cut, waist, shape)
    band = cut.waist_y + 0.2
    for i in range(cut.pleats):
        x = (i + 0.5) / cut.pleats * 2 - 1
        end = (x * cut.hem * 0.97, foot + 0.08 * (1 - abs(x)))
        shape.seam(0.028, (x * waist * 0.92, band + 0.05), end)
    if pose.back:
        shape.seam(0.03, (0, band), (0, band + 0.75))
    elif cut.buttons:
        shape.seam(0.018, (0.08, band), (0.08, foot + 0.1))
        for i in range(int((foot - band - 0.3) / 0.4) + 1):
            shape.trim(2.0, *ellipse(0, band + 0.2 + 0.4 * i, 0.05, 0.05, 10))
    shape.seam(0.016, (-edge, foot - 0.1), (0, foot + 0.02), (edge, foot - 0.1))
    return shape
