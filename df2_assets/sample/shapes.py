"""From a cut and a pose to outlines: the pieces of cloth, the seams and the trimmings."""

import math
from dataclasses import dataclass, field
from typing import Final

from df2_assets.sample.cuts import Cut, Lower, Upper
from df2_assets.sample.geometry import Polygon, closed, curve, ellipse, mirrored, ribbon

_BODY: Final = (
    (1.5, 0.8), (2.1, 0.64), (2.6, 0.56), (3.05, 0.5), (3.5, 0.62), (3.95, 0.71), (4.4, 0.7),
    (8.0, 0.6),
)  # fmt: skip
_UPPER_ARM: Final = 1.3
_FOREARM: Final = 1.15


@dataclass(frozen=True)
class Pose:
    """How a body stands, or cloth lies: arm angles (upper, lower) in degrees from straight down.

    `right` is the arm at positive x. `stance` moves the feet apart. `back`: seen from behind.
    """

    right: tuple[float, float]
    left: tuple[float, float]
    stance: float = 0.0
    back: bool = False

    def arm(self, side: int) -> Polygon:
        """Shoulder, elbow, wrist of the arm at positive (1) or negative (-1) x."""
        upper, lower = (math.radians(a) for a in (self.right if side > 0 else self.left))
        x, y = 0.76, 1.66
        elbow = (x + _UPPER_ARM * math.sin(upper), y + _UPPER_ARM * math.cos(upper))
        wrist = (elbow[0] + _FOREARM * math.sin(lower), elbow[1] + _FOREARM * math.cos(lower))
        path = [(x, y), elbow, wrist]
        return path if side > 0 else mirrored(path)

    def leg(self, side: int) -> Polygon:
        """Hip, knee, ankle."""
        path = [(0.37, 4.0), (0.36 + self.stance * 0.5, 5.85), (0.33 + self.stance, 7.6)]
        return path if side > 0 else mirrored(path)


FLAT: Final = Pose(right=(42, 34), left=(42, 34), stance=0.22)


@dataclass
class Piece:
    """A part of the silhouette; `turn` is the angle of its grain in degrees."""

    outline: Polygon
    turn: float = 0.0


@dataclass
class Shape:
    """A garment in body units.

    `pieces` are painted in order and make up the silhouette; `lining` is what shows of the inside;
    `trims` are parts in a lighter or darker shade (factor); `seams` are lines with a width.
    """

    pieces: list[Piece]
    lining: list[Polygon] = field(default_factory=list)
    trims: list[tuple[Polygon, float]] = field(default_factory=list)
    seams: list[tuple[Polygon, float]] = field(default_factory=list)
    prints: list[Polygon] = field(default_factory=list)


def body_width(y: float) -> float:
    """Half the width of the body at height `y`."""
    for (y1, w1), (y2, w2) in zip(_BODY, _BODY[1:], strict=False):
        if y <= y2:
            return w1 + (w2 - w1) * max(0.0, (y - y1) / (y2 - y1))
    return _BODY[-1][1]


def shape(cut: Cut, pose: Pose) -> Shape:
    """The outlines of a garment in a pose."""
    return _upper(cut, pose) if isinstance(cut, Upper) else _lower(cut, pose)


def _side(cut: Upper, y: float) -> float:
    """Half the garment's width at height `y`, below the armpit."""
    armpit = body_width(2.12) + cut.ease
    t = max(0.0, (y - 2.12) / (cut.hem_y - 2.12))
    if cut.fit == "boxy":
        return armpit + (cut.hem - armpit) * t
    if cut.fit == "flared":
        waist = 3.05 if cut.dress else 2.5
        if y > waist:
            start = body_width(waist) + cut.ease
            return start + (cut.hem - start) * ((y - waist) / (cut.hem_y - waist)) ** 0.8
        return body_width(y) + cut.ease
    tight = body_width(y) + cut.ease
    return tight + (cut.hem - tight) * t**3


def _upper(cut: Upper, pose: Pose) -> Shape:
    armpit = (body_width(2.12) + cut.ease, 2.12)
    ys = [2.12 + (cut.hem_y - 2.12) * i / 7 for i in range(8)]
    side = curve([(_side(cut, y), y) for y in ys], 3)
    hem = curve([side[-1], (side[-1][0] * 0.5, cut.hem_y + cut.hem_drop), (0, cut.hem_y + cut.hem_drop)], 5)  # noqa: E501
    if not cut.shoulder:
        return _strapped(cut, pose, side, hem)
    neck_side = (cut.neck_width, 1.36 if cut.neck != "high" else 1.2)
    depth = min(cut.neck_depth, 1.5) if pose.back else cut.neck_depth
    tip = (cut.shoulder, 1.38 + 0.16 * cut.shoulder)
    if cut.sleeve:
        armhole = curve([tip, (tip[0] - 0.08, 1.8), armpit], 5)
    else:
        armhole = curve([tip, (tip[0] - 0.1, 1.75), (tip[0] - 0.06, 2.0), armpit], 5)
    result = Shape([])
    for sign in (1, -1):
        if cut.sleeve:
            _sleeve(cut, pose, sign, tip, armpit, result)
    if cut.gap and not pose.back:
        _open_front(cut, [neck_side, tip, *armhole, *side], result)
    else:
        half = [*_neckline(cut, depth, neck_side), tip, *armhole, *side, *hem]
        result.pieces.append(Piece(closed(half)))
        _closed_details(cut, pose, depth, neck_side, result)
    for sign in (1, -1):
        if cut.sleeve:
            result.seams.append((_flip(armhole, sign), 0.02))
    return result


def _flip(points: Polygon, sign: int) -> Polygon:
    return points if sign > 0 else mirrored(points)


def _neckline(cut: Upper, depth: float, side: tuple[float, float]) -> Polygon:
    """From the middle of the neckline up to the shoulder."""
    width, top = side
    if cut.neck == "v" and depth > 1.55:
        return [(0, depth), side]
    if cut.neck == "square" and depth > 1.55:
        return [(0, depth), (width * 0.86, depth), side]
    turns = (math.pi / 2 * i / 8 for i in range(9))
    return [(width * math.sin(a), top + (depth - top) * math.cos(a)) for a in turns]


def _sleeve(
    cut: Upper, pose: Pose, sign: int, tip: tuple[float, float], armpit: tuple[float, float],
    result: Shape,
) -> None:  # fmt: skip
    shoulder, elbow, wrist = _flip(pose.arm(sign), sign)
    path, length = [shoulder], cut.sleeve
    for a, b in ((shoulder, elbow), (elbow, wrist)):
        step = math.dist(a, b)
        share = min(1.0, length / step)
        for t in (0.5, 1.0):
            path.append((a[0] + (b[0] - a[0]) * share * t, a[1] + (b[1] - a[1]) * share * t))
        length -= step
        if length <= 0.05:
            break
    start = 0.3 + cut.ease * 0.5
    widths = [start + (cut.cuff - start) * i / (len(path) - 1) for i in range(len(path))]
    band = ribbon(path, widths)
    inner, outer = band[: len(path)], list(reversed(band[len(path) :]))
    outline = [
        tip, *curve([(tip[0] + 0.05, tip[1] + 0.07), *outer[1:]], 4),
        *reversed(curve([armpit, *inner[1:]], 4)),
        (armpit[0] - 0.25, armpit[1]), (tip[0] - 0.3, tip[1] + 0.05),
    ]  # fmt: skip
    (ax, ay), (bx, by) = path[0], path[-1]
    turn = sign * math.degrees(math.atan2(bx - ax, by - ay))
    result.pieces.append(Piece(_flip(outline, sign), turn))
    if cut.sleeve > 1.5 or cut.collar in ("shirt", "hood"):
        ends = [(path[-2][0] + (path[-1][0] - path[-2][0]) * 0.72, path[-2][1] + (path[-1][1] - path[-2][1]) * 0.72), path[-1]]  # noqa: E501
        result.trims.append((_flip(ribbon(ends, [cut.cuff * 1.03, cut.cuff]), sign), 0.82))
    else:
        result.seams.append((_flip([inner[-1], outer[-1]], sign), 0.035))


def _strapped(cut: Upper, pose: Pose, side: Polygon, hem: Polygon) -> Shape:
    """A sling: a straight or heart-shaped upper edge on two thin straps."""
    dip, peak = (2.0, 1.95) if pose.back else (2.08, 1.78 + 0.1 * cut.ease)
    top = curve([(0, dip), (0.2, (dip + peak) / 2 - 0.02), (0.4, peak)], 4)
    half = [*top, *curve([(0.46, peak), (0.58, 2.02), side[0]], 4), *side, *hem]
    straps = [
        _flip(ribbon([(0.43, peak + 0.1), (0.45, 1.6), (0.4, 1.36)], [0.035] * 3), sign)
        for sign in (1, -1)
    ]
    result = Shape([*(Piece(s) for s in straps), Piece(closed(half))])
    result.seams.append(([*reversed(mirrored(top)), *top], 0.035))
    if not pose.back:
        for sign in (1, -1):
            result.seams.append((_flip(curve([(0.1, 2.2), (0.3, 2.5), (0.52, 2.3)], 4), sign), 0.015))
    _waist(cut, result)
    return result


def _waist(cut: Upper, result: Shape) -> None:
    """A dress has a seam or a belt at the waist, and folds below it."""
    if not cut.dress:
        edge = _side(cut, cut.hem_y - 0.08)
        result.seams.append(([(-edge, cut.hem_y - 0.08), (0, cut.hem_y + cut.hem_drop - 0.08), (edge, cut.hem_y - 0.08)], 0.018))  # noqa: E501
        return
    waist = _side(cut, 3.05)
    if cut.belt:
        result.trims.append(([(-waist, 2.97), (waist, 2.97), (waist, 3.15), (-waist, 3.15)], 0.45))
        result.trims.append((ellipse(0.0, 3.06, 0.09, 0.09, 12), 1.9))
    else:
        result.seams.append(([(-waist, 3.05), (0, 3.1), (waist, 3.05)], 0.03))
    if cut.fit == "flared":
        for i in range(-3, 4):
            x = i / 3.5
            foot = (x * cut.hem, cut.hem_y - 0.02)
            result.seams.append((curve([(x * waist * 0.8, 3.3 + 0.25 * (i % 2)), (x * (waist + cut.hem) / 2, (3.3 + cut.hem_y) / 2), foot], 4), 0.022))  # noqa: E501


def _closed_details(
    cut: Upper, pose: Pose, depth: float, neck_side: tuple[float, float], result: Shape
) -> None:
    edge = _neckline(cut, depth, neck_side)
    rim = [*reversed(mirrored(edge)), *edge[1:]]
    if not pose.back:
        back = closed([(0, 1.44), (cut.neck_width * 0.6, 1.4), (cut.neck_width, 1.34), *reversed(edge[:-1])])  # noqa: E501
        result.lining.append(back)
    if cut.neck == "high":
        result.trims.append(([(-0.27, 1.12), (0.27, 1.12), (0.33, 1.44), (-0.33, 1.44)], 0.88))
    else:
        result.seams.append((rim, 0.05 if cut.collar == "none" else 0.03))
    if cut.collar == "shirt":
        _shirt_collar(pose, depth, result)
    if cut.collar == "hood":
        _hood(pose, result)
    _waist(cut, result)
    if pose.back:
        result.seams.append(([(-0.7, 1.75), (0, 1.8), (0.7, 1.75)], 0.018))
        if cut.dress:
            result.seams.append(([(0, 1.5), (0, 3.9)], 0.03))
        return
    if cut.front == "buttons":
        end = cut.hem_y if not cut.dress else 4.2
        result.seams.append(([(0.09, depth), (0.09, end)], 0.018))
        y = depth + 0.16
        while y < end - 0.1:
            result.trims.append((ellipse(0, y, 0.035, 0.035, 10), 2.2))
            y += 0.33
    elif cut.front == "pocket":
        result.seams.append(([(0.22, 2.2), (0.58, 2.2), (0.58, 2.55), (0.4, 2.64), (0.22, 2.55), (0.22, 2.2)], 0.02))  # noqa: E501
    elif cut.front == "bib":
        result.seams.append(([(-0.42, 3.15), (0.42, 3.15), (0.58, cut.hem_y - 0.15), (-0.58, cut.hem_y - 0.15), (-0.42, 3.15)], 0.02))  # noqa: E501
    elif cut.front == "print":
        result.prints.append(ellipse(0, 2.55, 0.36, 0.36, 30))
        result.prints.append([(-0.4, 3.02), (0.4, 3.02), (0.4, 3.11), (-0.4, 3.11)])


def _shirt_collar(pose: Pose, depth: float, result: Shape) -> None:
    if pose.back:
        result.trims.append((closed([(0, 1.24), (0.3, 1.3), (0.4, 1.48), (0, 1.58)]), 0.86))
        return
    for sign in (1, -1):
        flap = [(0.3, 1.22), (0.4, 1.36), (0.46, 1.72), (0.22, 1.62), (0.02, depth - 0.05)]
        result.trims.append((_flip(flap, sign), 0.86))


def _hood(pose: Pose, result: Shape) -> None:
    if pose.back:
        result.trims.append((closed([(0, 1.1), (0.38, 1.2), (0.52, 1.7), (0.3, 2.25), (0, 2.4)]), 0.86))
        return
    for sign in (1, -1):
        roll = curve([(0.26, 1.18), (0.48, 1.38), (0.5, 1.62), (0.28, 1.86), (0.03, 1.95)], 4)
        inner = curve([(0.05, 1.78), (0.24, 1.62), (0.27, 1.4)], 4)
        result.trims.append((_flip([*roll, *inner], sign), 0.84))
        result.seams.append((_flip([(0.14, 1.8), (0.16, 2.45)], sign), 0.025))


def _open_front(cut: Upper, outer: Polygon, result: Shape) -> None:
    """Two front panels with a gap between them, over the lining of the back."""
    bottom = (cut.gap + 0.12, cut.hem_y + cut.hem_drop)
    edge = curve([bottom, (cut.gap, (cut.hem_y + 2.4) / 2), (cut.gap * 0.9, 2.5), (cut.neck_width, 1.4)], 5)  # noqa: E501
    half = [*outer, *curve([outer[-1], ((outer[-1][0] + bottom[0]) / 2, bottom[1]), bottom], 3), *edge]
    hem = [outer[-1], (0, cut.hem_y - 0.05)]
    result.lining.append(closed([(0, 1.42), *outer, *hem]))
    for sign in (1, -1):
        result.pieces.append(Piece(_flip(half, sign)))
        result.seams.append((_flip(edge, sign), 0.03))
        _front_details(cut, sign, result)
        if cut.collar == "lapel":
            lapel = [(0.28, 1.26), (0.46, 1.4), (0.62, 1.9), (0.48, 1.98), (0.56, 2.1), (cut.gap * 0.9, 2.75)]  # noqa: E501
            result.trims.append((_flip([*lapel, (cut.gap * 0.9, 2.4), (0.34, 1.45)], sign), 0.8))
        elif cut.collar == "shirt":
            flap = [(0.28, 1.22), (0.42, 1.38), (0.6, 1.8), (0.36, 1.86), (0.3, 1.5)]
            result.trims.append((_flip(flap, sign), 0.82))
        elif cut.collar == "stand":
            result.trims.append((_flip([(0.25, 1.15), (0.42, 1.36), (0.36, 1.62), (0.24, 1.5)], sign), 0.82))  # noqa: E501
        elif cut.collar == "hood":
            roll = curve([(0.24, 1.12), (0.52, 1.36), (0.56, 1.66), (0.36, 2.0)], 4)
            result.trims.append((_flip([*roll, (0.3, 1.6), (0.26, 1.4)], sign), 0.8))


def _front_details(cut: Upper, sign: int, result: Shape) -> None:
    y = min(3.35, cut.hem_y - 0.45)
    inner, outer = cut.gap + 0.16, _side(cut, y) - 0.08
    if cut.front == "pocket":
        result.seams.append((_flip([(inner, y), (outer, y), (outer, y + 0.4), (inner, y + 0.4), (inner, y)], sign), 0.02))  # noqa: E501
    else:
        result.seams.append((_flip([(inner + 0.06, y + 0.15), (outer - 0.02, y - 0.08)], sign), 0.045))
    if cut.front == "buttons" and sign > 0:
        at = 2.75
        while at < cut.hem_y - 0.2:
            result.trims.append((ellipse(cut.gap + 0.09, at, 0.045, 0.045, 10), 0.4))
            at += 0.36


def _lower(cut: Lower, pose: Pose) -> Shape:
    return _legs(cut, pose) if cut.legs else _skirt(cut, pose)


def _legs(cut: Lower, pose: Pose) -> Shape:
    waist = body_width(cut.waist_y) + 0.05
    hip = (body_width(3.95) + cut.ease, 3.95)
    result = Shape([])
    for sign in (1, -1):
        _, knee, ankle = _flip(pose.leg(sign), sign)
        t = (cut.hem_y - 5.85) / (7.6 - 5.85)
        if t >= 0:
            centre = (knee[0] + (ankle[0] - knee[0]) * t, cut.hem_y)
            narrow = min(0.34 + cut.ease, (0.4 + cut.hem) / 2 + 0.03)
            outer = [(knee[0] + narrow, 5.85), (centre[0] + cut.hem, cut.hem_y)]
            inner = [(centre[0] - cut.hem, cut.hem_y + 0.03), (max(knee[0] - narrow, 0.03), 5.85)]
        else:
            x = 0.37 + (knee[0] - 0.37) * (cut.hem_y - 4.0) / 1.85
            outer = [(x + cut.hem, cut.hem_y)]
            inner = [(max(x - cut.hem, 0.02), cut.hem_y + 0.05)]
        edge = curve([(waist, cut.waist_y), (hip[0] - 0.05, 3.55), hip, *outer], 5)
        inside = curve([*inner, (0.06, 4.75), (-0.01, 4.42)], 5)
        outline = [(-0.01, cut.waist_y + 0.03), *edge, *inside]
        result.pieces.append(Piece(_flip(outline, sign)))
        hem = [inner[0], outer[-1]]
        lift = 0.16 if cut.cuffs else 0.07
        result.seams.append((_flip([(x, y - lift) for x, y in hem], sign), 0.03 if cut.cuffs else 0.016))
        if cut.pockets and not pose.back:
            pocket = curve([(waist - 0.16, cut.waist_y + 0.17), (waist - 0.1, 3.5), (hip[0] - 0.02, 3.62)], 3)  # noqa: E501
            result.seams.append((_flip(pocket, sign), 0.022))
        elif cut.pockets:
            box = [(0.16, 3.55), (0.54, 3.5), (0.56, 3.95), (0.36, 4.08), (0.18, 3.98), (0.16, 3.55)]
            result.seams.append((_flip(box, sign), 0.022))
        if t > 0.5:
            crease = [(0.37, 4.7), (knee[0], 5.85), (ankle[0], cut.hem_y - 0.2)]
            result.seams.append((_flip(crease, sign), 0.014))
    _waistband(cut, waist, result)
    result.seams.append((curve([(0, cut.waist_y + 0.2), (0, 4.0), (0, 4.42)], 4), 0.025))
    if not pose.back:
        fly = curve([(0.16, cut.waist_y + 0.2), (0.15, 3.7), (0.02, 4.02)], 4)
        result.seams.append((fly, 0.016))
        result.trims.append((ellipse(0, cut.waist_y + 0.1, 0.045, 0.045, 10), 1.9))
    return result


def _waistband(cut: Lower, waist: float, result: Shape) -> None:
    y, low = cut.waist_y, cut.waist_y + 0.19
    wide = waist + 0.03
    result.trims.append(([(-waist, y), (0, y + 0.03), (waist, y), (wide, low), (0, low + 0.03), (-wide, low)], 0.84))  # noqa: E501


def _skirt(cut: Lower, pose: Pose) -> Shape:
    waist = body_width(cut.waist_y) + 0.04
    ys = [cut.waist_y + (cut.hem_y - cut.waist_y) * i / 6 for i in range(7)]
    side = []
    for i, y in enumerate(ys):
        free = waist + (cut.hem - waist) * (i / 6) ** cut.flared
        side.append((max(free, body_width(y) + cut.ease if y < 4.3 else 0.0), y))
    hem = curve([side[-1], (cut.hem * 0.5, cut.hem_y + 0.1), (0, cut.hem_y + 0.12)], 4)
    result = Shape([Piece(closed([(0, cut.waist_y + 0.03), *curve(side, 3), *hem]))])
    _waistband(cut, waist, result)
    for i in range(cut.pleats):
        x = (i + 0.5) / cut.pleats * 2 - 1
        top = (x * waist * 0.92, cut.waist_y + 0.25)
        result.seams.append(([top, (x * cut.hem * 0.97, cut.hem_y + 0.08 * (1 - abs(x)))], 0.028))
    if cut.buttons and not pose.back:
        y = cut.waist_y + 0.4
        result.seams.append(([(0.08, cut.waist_y + 0.2), (0.08, cut.hem_y + 0.1)], 0.018))
        while y < cut.hem_y - 0.1:
            result.trims.append((ellipse(0, y, 0.05, 0.05, 10), 2.0))
            y += 0.4
    elif pose.back:
        result.seams.append(([(0, cut.waist_y + 0.2), (0, cut.waist_y + 0.95)], 0.03))
    lift = [(-side[-1][0] * 0.97, cut.hem_y - 0.1), (0, cut.hem_y + 0.02), (side[-1][0] * 0.97, cut.hem_y - 0.1)]  # noqa: E501
    result.seams.append((lift, 0.016))
    return result
