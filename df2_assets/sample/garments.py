"""Garments: the cut of each category as data, and its outlines in a pose, in body units."""

import math
import random
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

from df2_assets.sample.canvas import Polygon, closed, curve, ellipse, mirrored, ribbon
from df2_assets.sample.figure import Pose, body_width

_ARMPIT_Y: Final = 2.12
_WAIST_Y: Final = 3.05
_CROTCH_Y: Final = 4.4

Spec = dict[str, Any]
"""Fields of a cut; two numbers are a range to choose from."""


@dataclass(frozen=True, kw_only=True)
class Cut:
    """The numbers that make a silhouette.

    Down to `snug` the sides follow the body with some `ease`; below they widen to half a width of
    `hem` at `hem_y`, early (`bow` under 1) or late. Both `legs` end there.

    `neck` is "" where a garment starts at `waist_y`. `shoulder` is half the width up to where the
    cloth ends on the shoulder; `sleeve` is the length along the arm, 0 for none, and `cuff` half
    the width at its end; `gap` is half the opening of an open front.
    """

    hem_y: float
    hem: float
    ease: float
    snug: float = _ARMPIT_Y
    bow: float = 1.0
    neck: str = ""
    neck_width: float = 0.0
    neck_depth: float = 0.0
    shoulder: float = 0.0
    sleeve: float = 0.0
    cuff: float = 0.0
    gap: float = 0.0
    waist_y: float = 0.0
    legs: bool = False
    detail: str = ""
    collar: str = ""


def _neck(neck: str, width: float, depth: float, **details: str) -> Spec:
    return {"neck": neck, "neck_width": width, "neck_depth": depth, **details}


_SHORT: Final = ({"shoulder": 0.86, "sleeve": (0.75, 1.15), "cuff": (0.3, 0.42)},)
_LONG: Final = ({"shoulder": 0.86, "sleeve": (2.5, 2.7), "cuff": (0.15, 0.26)},)
_BARE: Final = ({"shoulder": (0.6, 0.68)},)
_STRAPS: Final = ({"neck": "straps"},)
_V: Final = _neck("v", 0.36, 2.12)
_ROUND: Final = _neck("round", 0.34, 1.62)
_LOW: Final = (_ROUND, _V, _neck("round", 0.42, 1.95), _neck("square", 0.42, 1.85))
_SHIRT: Final = _neck("v", 0.36, 1.85, collar="shirt", detail="buttons")
_NECKS: Final = (*_LOW, _neck("round", 0.56, 1.56), _SHIRT, _SHIRT)
_WARM: Final = (*_NECKS, _neck("round", 0.3, 1.4, collar="high"), {**_ROUND, "collar": "hood"})
_FRONTS: Final = ({"detail": "print"}, {"detail": ""}, {"detail": ""})
_TOP: Final = (
    {"hem_y": (3.5, 4.0), "ease": (0.1, 0.18), "hem": 0.82},
    {"hem_y": (3.5, 4.0), "ease": (0.03, 0.1), "hem": 0.7, "snug": 3.2},
    {"hem_y": (3.4, 3.9), "ease": (0.03, 0.1), "hem": 1.0, "snug": 2.5, "bow": 0.8},
)
_FLARED: Final = {"hem": (1.0, 1.6), "ease": (0.03, 0.1), "snug": _WAIST_Y, "bow": 0.8}
_DRESS: Final = (_FLARED, _FLARED, {"hem": (0.64, 0.74), "ease": (0.03, 0.1), "snug": 4.2})
_LENGTHS: Final = (
    {"hem_y": (4.8, 5.6), "detail": "belt"}, {"hem_y": (4.8, 5.6), "detail": "seam"},
    {"hem_y": (5.6, 7.1), "detail": "belt"}, {"hem_y": (5.6, 7.1), "detail": "seam"},
)  # fmt: skip
_OPEN: Final = {**_V, "shoulder": 0.93, "gap": (0.22, 0.38), "ease": (0.14, 0.22)}
_OUTER: Final = ({"hem": (0.86, 1.0)}, {"hem": (1.0, 1.25), "snug": 2.6, "bow": 0.8})
_COLLARS: Final = (
    {"collar": "lapel", "detail": "buttons"}, {"collar": "lapel"},
    {"collar": "hood"}, {"detail": "buttons"},
)  # fmt: skip
_LOWER: Final = {"waist_y": (2.98, 3.2), "ease": (0.04, 0.1)}
_LEGS: Final = {**_LOWER, "legs": True, "snug": 8.0}
_SKIRT: Final = {**_LOWER, "snug": 3.2, "bow": (0.8, 1.3)}
_SKIRTS: Final = (
    {**_SKIRT, "hem_y": (4.6, 5.5), "hem": (0.9, 1.2)},
    {**_SKIRT, "hem_y": (5.5, 7.1), "hem": (1.1, 1.6)},
    {**_SKIRT, "hem_y": (4.7, 6.8), "hem": (0.66, 0.8), "snug": 4.0},
)

_CUTS: Final[dict[int, tuple[tuple[Spec, ...], ...]]] = {
    1: (_SHORT, _FRONTS, _NECKS, _TOP),
    2: (_LONG, _FRONTS, _WARM, _TOP),
    3: (({**_OPEN, "sleeve": (0.95, 1.4), "cuff": (0.42, 0.55)},), _OUTER, _COLLARS),
    4: (({**_OPEN, "sleeve": (2.5, 2.75), "cuff": (0.2, 0.32)},), _OUTER, _COLLARS),
    5: (_BARE, _FRONTS, _LOW, _TOP),
    6: (_STRAPS, _TOP),
    7: (({**_LEGS, "hem_y": (4.9, 5.5), "hem": (0.31, 0.37)},),),
    8: (({**_LEGS, "hem_y": (7.1, 7.65), "hem": (0.17, 0.4)},),),
    9: (_SKIRTS, ({"detail": ""}, *({"detail": "pleats"},) * 2, {"detail": "buttons"})),
    10: (_SHORT, _LENGTHS, _NECKS, _DRESS),
    11: (_LONG, _LENGTHS, _WARM, _DRESS),
    12: (_BARE, _LENGTHS, _LOW, _DRESS),
    13: (_STRAPS, _LENGTHS, _DRESS),
}
"""Groups of specs for each category: one of each group is chosen, and later ones override."""

_COLLAR: Final[dict[str, Polygon]] = {
    "high": [(0, 1.12), (0.27, 1.12), (0.33, 1.44), (0, 1.44)],
    "shirt": [(0.3, 1.22), (0.4, 1.36), (0.46, 1.72), (0.22, 1.62), (0.02, 1.8)],
    "hood": [(0.24, 1.14), (0.46, 1.3), (0.54, 1.6), (0.3, 1.9), (0.03, 1.95), (0.3, 1.5)],
    "lapel": [
        (0.28, 1.26), (0.46, 1.4), (0.62, 1.9), (0.48, 1.98), (0.56, 2.1), (0.28, 2.75), (0.3, 1.6),
    ],
    "behind": [(0, 1.2), (0.3, 1.28), (0.42, 1.5), (0.2, 1.62), (0, 1.64)],
}  # fmt: skip
"""The right half of each collar."""


@dataclass
class Shape:
    """A garment in a pose, painted layer by layer from the first field to the last.

    `lining` is what shows of the inside. `pieces` make up the silhouette, each with the angle of
    its grain in degrees. `details` are in a lighter or darker shade (factor), or, with 0, in the
    fabric's second colour.
    """

    lining: list[Polygon] = field(default_factory=list)
    pieces: list[tuple[Polygon, float]] = field(default_factory=list)
    details: list[tuple[Polygon, float]] = field(default_factory=list)

    @property
    def outlines(self) -> list[Polygon]:
        """The silhouette."""
        return [outline for outline, _ in self.pieces]

    def add_pair(self, half: Polygon, factor: float) -> None:
        """Add a detail on both sides of the body's axis."""
        self.details += [(half, factor), (mirrored(half), factor)]

    def add_seams(self, line: Polygon) -> None:
        """Add a line of stitches on both sides of the body's axis."""
        self.add_pair(ribbon(line, 0.014), 0.6)


def choose_cut(rng: random.Random, category_id: int, short: bool) -> Cut:
    """Return a cut of the category; `short` keeps outwear above the hips, for wear over legs."""
    spec: Spec = {}
    for group in _CUTS[category_id]:
        spec |= rng.choice(group)
    if "gap" in spec:
        spec["hem_y"] = (3.5, 3.9) if short else (4.2, 5.0) if category_id == 3 else (4.6, 6.3)
    ranges = {name: value for name, value in spec.items() if isinstance(value, tuple)}
    return Cut(**spec | {name: rng.uniform(*ends) for name, ends in ranges.items()})


def shape_garment(cut: Cut, pose: Pose) -> Shape:
    """Return the outlines of a garment in a pose."""
    shape = Shape()
    for side in (0, 1):
        if cut.sleeve:
            _add_limb(shape, pose.arm(side), side, cut.sleeve, (0.22 + cut.ease * 0.3, cut.cuff))
        if cut.legs:
            _add_limb(shape, pose.leg(), side, cut.hem_y - 4, (0.36 + cut.ease, cut.hem))
    edge = _trace_edge(cut, pose.back)
    outer = [*_trace_armhole(cut), *_trace_side(cut)]
    if cut.gap and not pose.back:
        edge = curve([(0.34, 1.38), (cut.gap * 0.9, 2.5), (cut.gap, 3.4), (cut.gap, cut.hem_y)])
        panel = [*outer[:-1], *reversed(edge)]
        shape.pieces += [(panel, 0), (mirrored(panel), 0)]
    else:
        shape.pieces.append((closed([*edge, *outer]), 0))
    if cut.neck == "straps":
        strap = ribbon([(0.43, 1.9), (0.45, 1.6), (0.4, 1.36)], 0.035)
        shape.pieces += [(strap, 0), (mirrored(strap), 0)]
    elif cut.neck and pose.empty:
        shape.lining.append(closed([(0, 1.42), *(outer if cut.gap else reversed(edge))]))
    _add_details(shape, cut, pose, edge)
    return shape


def _add_limb(
    shape: Shape, joints: Polygon, side: int, length: float, widths: tuple[float, float]
) -> None:
    """Add cloth around the first `length` of an arm or a leg, half as wide as `widths` say."""
    path: Polygon = [joints[0]]
    for (ax, ay), (bx, by) in pairwise(joints):
        reach = math.dist((ax, ay), (bx, by))
        share = min(1.0, length / reach)
        path.append((ax + (bx - ax) * share, ay + (by - ay) * share))
        length -= reach
        if length <= 0.05:
            break
    path = curve(path)
    (ax, ay), (bx, by) = path[-6], path[-1]
    turn = math.degrees(math.atan2(bx - ax, by - ay))
    turn = turn if abs(turn) > 10 else 0.0  # turning cloth costs more than it shows
    limb, cuff = ribbon(path, *widths), ribbon(path[-2:], widths[1] + 0.01)
    shape.pieces.append((mirrored(limb), -turn) if side else (limb, turn))
    shape.details.append((mirrored(cuff) if side else cuff, 0.86))


def _trace_edge(cut: Cut, back: bool) -> Polygon:
    """Return the right half of the upper edge, from its middle outwards."""
    across, depth = cut.neck_width, min(cut.neck_depth, 1.5) if back else cut.neck_depth
    if not cut.neck:
        return [(0, cut.waist_y + 0.03)]
    if cut.neck == "straps":
        return curve([(0, 2.05), (0.2, 1.93), (0.4, 1.79), (0.46, 1.79), (0.58, 2.02)])
    if cut.neck == "round" or back:
        turns = (math.pi / 2 * i / 8 for i in range(9))
        return [(across * math.sin(a), 1.36 + (depth - 1.36) * math.cos(a)) for a in turns]
    return [(0, depth), (across * 0.86 if cut.neck == "square" else 0, depth), (across, 1.36)]


def _trace_armhole(cut: Cut) -> Polygon:
    """Return the line from the end of the shoulder to the armpit, if there is one."""
    if not cut.shoulder:
        return []
    x, depth = cut.shoulder, 0.06 if cut.sleeve else 0.12
    return curve([(x, 1.38 + 0.16 * x), (x - depth, 1.8), (_width(cut, _ARMPIT_Y), _ARMPIT_Y)])


def _trace_side(cut: Cut) -> Polygon:
    """Return the right side down to the hem, or to where legs part, and on to the middle."""
    top, bottom = cut.waist_y or _ARMPIT_Y, _CROTCH_Y if cut.legs else cut.hem_y
    heights = [top + (bottom - top) * i / 7 for i in range(8)]
    side = curve([(_width(cut, y), y) for y in heights], 3)
    return [*side, *curve([side[-1], (side[-1][0] * 0.5, bottom + 0.08), (0, bottom + 0.1)])]


def _width(cut: Cut, y: float) -> float:
    """Return half the garment's width at height `y`."""
    close = body_width(y) + cut.ease
    if y <= cut.snug:
        return close
    start = body_width(cut.snug) + cut.ease
    share = (y - cut.snug) / (cut.hem_y - cut.snug)
    free = start + (cut.hem - start) * math.pow(share, cut.bow)
    return max(free, close) if y < _CROTCH_Y else free


def _add_details(shape: Shape, cut: Cut, pose: Pose, edge: Polygon) -> None:
    """Add collar, buttons, print, belt, folds or pockets; `edge` is the neckline or the front."""
    waist_y, is_dress = cut.waist_y or _WAIST_Y, cut.detail in ("belt", "seam")
    across = _width(cut, waist_y)
    shape.add_seams(edge if cut.neck else [(0, waist_y + 0.2), (0, 4.2 if cut.legs else waist_y)])
    if cut.collar:
        shape.add_pair(_COLLAR["behind" if pose.back else cut.collar], 0.82)
    if cut.sleeve:
        shape.add_seams(_trace_armhole(cut))
    if not cut.neck:
        band = closed([(across, waist_y), (across + 0.03, waist_y + 0.2)])
        shape.details.append((band, 0.84))
    if cut.legs:
        seat = [(0.16, 3.55), (0.54, 3.5), (0.54, 3.95), (0.16, 3.95), (0.16, 3.55)]
        shape.add_seams(seat if pose.back else curve([(0.4, 3.4), (0.46, 3.55), (0.66, 3.65)]))
    if (is_dress and cut.hem > 0.9) or cut.detail == "pleats":
        for x in (0.08, 0.32, 0.56, 0.8):
            middle = (x * (across + cut.hem) / 2, (waist_y + cut.hem_y) / 2 + 0.1)
            fold = [(x * across, waist_y + 0.25), middle, (x * cut.hem, cut.hem_y)]
            shape.add_seams(curve(fold))
    if cut.detail == "belt":
        shape.details.append((closed([(across, waist_y - 0.08), (across, waist_y + 0.1)]), 0.45))
        shape.details.append((ellipse(0, waist_y, 0.09, 0.09, 12), 1.9))
    elif is_dress:
        shape.add_seams([(0, waist_y + 0.05), (across, waist_y)])
    elif cut.detail == "buttons" and not pose.back:
        top = 2.75 if cut.gap else max(cut.neck_depth, waist_y * (not cut.neck)) + 0.2
        for i in range(int((cut.hem_y - top) / 0.36)):
            x = cut.gap + 0.1 if cut.gap else 0
            shape.details.append((ellipse(x, top + 0.36 * i, 0.042, 0.042, 10), 2.2))
    elif cut.detail == "print" and not pose.back:
        shape.details += [(ellipse(0, 2.65, 0.36, 0.36), 0), (closed([(0.4, 3.1), (0.4, 3.2)]), 0)]
