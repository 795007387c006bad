"""Outlines of tops, outwear and dresses."""

import math
from itertools import pairwise
from typing import Final

from df2_assets.sample.garments import details
from df2_assets.sample.garments.cuts import Upper
from df2_assets.sample.garments.shapes import Piece, Pose, Shape, body_width, on_side
from df2_assets.sample.geometry import Point, Polygon, closed, curve, mirrored, ribbon

_ARMPIT_Y: Final = 2.12
_BACK_NECK_Y: Final = 1.5


def upper(cut: Upper, pose: Pose) -> Shape:
    """The garment in a pose; an open front shows its gap unless it is seen from behind."""
    side = curve([(width(cut, y), y) for y in _down(_ARMPIT_Y, cut.hem_y)], 3)
    bottom = cut.hem_y + cut.hem_drop
    hem = curve([side[-1], (side[-1][0] * 0.5, bottom), (0, bottom)], 5)
    shape = Shape()
    if not cut.shoulder:
        _straps(cut, pose, side, hem, shape)
        details.waist(cut, width(cut, details.WAIST_Y), shape)
        return shape
    armpit, tip = side[0], (cut.shoulder, 1.38 + 0.16 * cut.shoulder)
    hollow = [(tip[0] - 0.08, 1.8)] if cut.sleeve else [(tip[0] - 0.1, 1.75), (tip[0] - 0.06, 2.0)]
    armhole = curve([tip, *hollow, armpit], 5)
    if cut.sleeve:
        for sign in (1, -1):
            _sleeve(cut, pose, sign, tip, armpit, shape)
        shape.seams_on_both(0.02, *armhole)
    neck = (cut.neck_width, 1.2 if cut.neck == "high" else 1.36)
    if cut.gap and not pose.back:
        _open_front(cut, pose, [neck, tip, *armhole, *side], shape)
    else:
        depth = min(cut.neck_depth, _BACK_NECK_Y) if pose.back else cut.neck_depth
        neckline = _neckline(cut, depth, neck)
        shape.pieces.append(Piece(closed([*neckline, tip, *armhole, *side, *hem])))
        details.closed_front(cut, pose, neckline, width(cut, details.waist_y(cut)), shape)
    return shape


def width(cut: Upper, y: float) -> float:
    """Half the garment's width at height `y`, from the armpit down."""
    snug = body_width(y) + cut.ease
    t = max(0.0, (y - _ARMPIT_Y) / (cut.hem_y - _ARMPIT_Y))
    if cut.fit == "boxy":
        armpit = body_width(_ARMPIT_Y) + cut.ease
        return armpit + (cut.hem - armpit) * t
    if cut.fit == "fitted":
        return snug + (cut.hem - snug) * t**3
    start = details.WAIST_Y if cut.dress else 2.5
    if y <= start:
        return snug
    waist = body_width(start) + cut.ease
    return waist + (cut.hem - waist) * math.pow((y - start) / (cut.hem_y - start), 0.8)


def _down(top: float, bottom: float) -> list[float]:
    return [top + (bottom - top) * i / 7 for i in range(8)]


def _neckline(cut: Upper, depth: float, side: Point) -> Polygon:
    """From the middle of the neckline up to the shoulder."""
    across, top = side
    if cut.neck == "v" and depth > _BACK_NECK_Y:
        return [(0, depth), side]
    if cut.neck == "square" and depth > _BACK_NECK_Y:
        return [(0, depth), (across * 0.86, depth), side]
    turns = (math.pi / 2 * i / 8 for i in range(9))
    return [(across * math.sin(a), top + (depth - top) * math.cos(a)) for a in turns]


def _sleeve(cut: Upper, pose: Pose, sign: int, tip: Point, armpit: Point, shape: Shape) -> None:
    path = _along(on_side(pose.arm(sign), sign), cut.sleeve)
    start = 0.3 + cut.ease * 0.5
    widths = [start + (cut.cuff - start) * i / (len(path) - 1) for i in range(len(path))]
    band = ribbon(path, widths)
    inner, outer = band[: len(path)], band[: len(path) - 1 : -1]
    outline = [
        tip,
        *curve([(tip[0] + 0.05, tip[1] + 0.07), *outer[1:]], 4),
        *reversed(curve([armpit, *inner[1:]], 4)),
        (armpit[0] - 0.25, armpit[1]),
        (tip[0] - 0.3, tip[1] + 0.05),
    ]
    (ax, ay), (bx, by) = path[0], path[-1]
    turn = sign * math.degrees(math.atan2(bx - ax, by - ay))
    shape.pieces.append(Piece(on_side(outline, sign), turn))
    if cut.sleeve > 1.5 or cut.collar in ("shirt", "hood"):
        ends = [_between(path[-2], path[-1], 0.72), path[-1]]
        shape.trim(0.82, *on_side(ribbon(ends, [cut.cuff * 1.03, cut.cuff]), sign))
    else:
        shape.seam(0.035, *on_side([inner[-1], outer[-1]], sign))


def _along(arm: Polygon, length: float) -> Polygon:
    """The first `length` units of an arm, with points halfway in each part."""
    path = arm[:1]
    for a, b in pairwise(arm):
        share = min(1.0, length / math.dist(a, b))
        path += [_between(a, b, share / 2), _between(a, b, share)]
        length -= math.dist(a, b)
        if length <= 0.05:
            break
    return path


def _between(a: Point, b: Point, share: float) -> Point:
    return a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share


def _straps(cut: Upper, pose: Pose, side: Polygon, hem: Polygon, shape: Shape) -> None:
    """A sling: a straight or heart-shaped upper edge on two thin straps."""
    dip, peak = (2.0, 1.95) if pose.back else (2.08, 1.78 + 0.1 * cut.ease)
    top = curve([(0, dip), (0.2, (dip + peak) / 2 - 0.02), (0.4, peak)], 4)
    strap = ribbon([(0.43, peak + 0.1), (0.45, 1.6), (0.4, 1.36)], [0.035] * 3)
    half = [*top, *curve([(0.46, peak), (0.58, 2.02), side[0]], 4), *side, *hem]
    shape.pieces += [Piece(strap), Piece(mirrored(strap)), Piece(closed(half))]
    shape.seam(0.035, *reversed(mirrored(top)), *top)
    if not pose.back:
        shape.seams_on_both(0.015, *curve([(0.1, 2.2), (0.3, 2.5), (0.52, 2.3)], 4))


def _open_front(cut: Upper, pose: Pose, outer: Polygon, shape: Shape) -> None:
    """Two front panels with a gap between them; nobody in it, the lining shows."""
    corner = outer[-1]
    foot = (cut.gap + 0.12, cut.hem_y + cut.hem_drop)
    hem = curve([corner, ((corner[0] + foot[0]) / 2, foot[1]), foot], 3)
    upwards = [(cut.gap, (cut.hem_y + 2.4) / 2), (cut.gap * 0.9, 2.5), (cut.neck_width, 1.4)]
    edge = curve([foot, *upwards], 5)
    panel = [*outer, *hem, *edge]
    if pose.empty:
        shape.lining.append(closed([(0, 1.42), *outer, (0, cut.hem_y - 0.05)]))
    shape.pieces += [Piece(panel), Piece(mirrored(panel))]
    shape.seams_on_both(0.03, *edge)
    pocket_y = min(3.35, cut.hem_y - 0.45)
    details.open_front(cut, pocket_y, width(cut, pocket_y), shape)
