"""Garments: the cuts of each category as data, and their outlines in a pose, in body units."""

import math
import random
from dataclasses import dataclass, field
from typing import Any, Final

from df2_assets.sample.canvas import Polygon, close_outline, curve, ellipse, mirror_both, ribbon
from df2_assets.sample.figure import Pose, body_width

_ARMPIT_Y: Final = 2.12
_WAIST_Y: Final = 3.05
_CROTCH_Y: Final = 4.4

Spec = dict[str, Any]
"""Fields of a cut. Two numbers are a range to choose from."""


@dataclass(frozen=True, kw_only=True)
class Cut:
    """The numbers that define a silhouette, in body units.

    Down to `snug`, the sides follow the body at a distance of `ease`. Below, they widen to a half
    width of `hem` at `hem_y`, where `legs` also end. `neck` is empty if the garment starts at
    `waist_y`. `shoulder` is the half width at which the cloth ends on the shoulder. `sleeve` is the
    covered share of the arm, and `cuff` the half width at its end. `gap` is half the width of an
    open front.
    """

    hem_y: float
    hem: float
    ease: float
    snug: float = _ARMPIT_Y
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
    collar: bool = False


def _neck(neck: str, width: float, depth: float, **details: object) -> Spec:
    return {"neck": neck, "neck_width": width, "neck_depth": depth, **details}


_SHORT: Final = ({"shoulder": 0.86, "sleeve": (0.54, 0.66), "cuff": (0.3, 0.42)},)
_LONG: Final = ({"shoulder": 0.86, "sleeve": (0.94, 1.0), "cuff": (0.15, 0.26)},)
_BARE: Final = ({"shoulder": (0.6, 0.68)},)
_STRAPS: Final = ({"neck": "straps"},)
_V: Final = _neck("v", 0.36, 2.12)
_ROUND: Final = _neck("round", 0.34, 1.62)
_LOW: Final = (_ROUND, _V, _neck("round", 0.42, 1.95))
_SHIRT: Final = _neck("v", 0.36, 1.85, collar=True, detail="buttons")
_NECKS: Final = (*_LOW, _neck("round", 0.56, 1.56), _SHIRT, _SHIRT)
_TOP: Final = (
    {"hem_y": (3.5, 4.0), "ease": (0.1, 0.18), "hem": 0.82},
    {"hem_y": (3.4, 4.0), "ease": (0.03, 0.1), "hem": (0.7, 1.0), "snug": 2.5},
)
_FLARED: Final = {"hem": (1.0, 1.6), "ease": (0.03, 0.1), "snug": _WAIST_Y}
_DRESS: Final = (_FLARED, _FLARED, {"hem": (0.64, 0.74), "ease": (0.03, 0.1), "snug": 4.2})
_LENGTHS: Final = ({"hem_y": (4.8, 7.1), "detail": "belt"}, {"hem_y": (4.8, 7.1)})
_OPEN: Final = {**_V, "shoulder": 0.93, "gap": (0.22, 0.38), "ease": (0.14, 0.22)}
_OUTER: Final = ({"hem": (0.86, 1.0)}, {"hem": (1.0, 1.25), "snug": 2.6})
_COLLARS: Final[tuple[Spec, ...]] = ({"collar": True, "detail": "buttons"}, {})
_LOWER: Final = {"waist_y": (2.98, 3.2), "ease": (0.04, 0.1)}
_LEGS: Final = {**_LOWER, "legs": True, "snug": 8.0}
_SKIRT: Final = {**_LOWER, "snug": 3.2}
_SKIRTS: Final = (
    {**_SKIRT, "hem_y": (4.6, 5.5), "hem": (0.9, 1.2)},
    {**_SKIRT, "hem_y": (5.5, 7.1), "hem": (1.1, 1.6)},
    {**_SKIRT, "hem_y": (4.7, 6.8), "hem": (0.66, 0.8), "snug": 4.0},
)

_CUTS: Final[dict[int, tuple[tuple[Spec, ...], ...]]] = {
    1: (_SHORT, _NECKS, _TOP),
    2: (_LONG, _NECKS, _TOP),
    3: (({**_OPEN, "sleeve": (0.6, 0.7), "cuff": (0.42, 0.55)},), _OUTER, _COLLARS),
    4: (({**_OPEN, "sleeve": (0.94, 1.0), "cuff": (0.2, 0.32)},), _OUTER, _COLLARS),
    5: (_BARE, _LOW, _TOP),
    6: (_STRAPS, _TOP),
    7: (({**_LEGS, "hem_y": (4.9, 5.5), "hem": (0.31, 0.37)},),),
    8: (({**_LEGS, "hem_y": (7.1, 7.65), "hem": (0.17, 0.4)},),),
    9: (_SKIRTS, ({}, {"detail": "buttons"})),
    10: (_SHORT, _LENGTHS, _NECKS, _DRESS),
    11: (_LONG, _LENGTHS, _NECKS, _DRESS),
    12: (_BARE, _LENGTHS, _LOW, _DRESS),
    13: (_STRAPS, _LENGTHS, _DRESS),
}
"""Groups of specs per category. One spec per group is chosen; later ones override earlier ones."""

_COLLAR: Final = [(0.3, 1.22), (0.4, 1.36), (0.46, 1.72), (0.22, 1.62), (0.02, 1.8)]
"""The right half of a collar."""


@dataclass
class Shape:
    """A garment in a pose, painted in layers from the first field to the last.

    `lining` is the visible inside, `outlines` form the silhouette, and `details` have a factor that
    makes them lighter or darker.
    """

    lining: list[Polygon] = field(default_factory=list)
    outlines: list[Polygon] = field(default_factory=list)
    details: list[tuple[Polygon, float]] = field(default_factory=list)

    def add_pair(self, half: Polygon, factor: float) -> None:
        """Add a detail on both sides of the body's axis."""
        self.details += [(outline, factor) for outline in mirror_both(half)]


def choose_cut(rng: random.Random, category_id: int, short: bool) -> Cut:
    """Return a random cut of a category. `short` keeps outwear above the hips."""
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
    if cut.sleeve:
        _add_limbs(shape, pose.arm(), cut.sleeve, 0.22 + cut.ease * 0.3, cut.cuff)
    if cut.legs:
        _add_limbs(shape, pose.leg(), (cut.hem_y - 4) / 3.6, 0.36 + cut.ease, cut.hem)
    edge = _trace_edge(cut)
    outer = [*_trace_armhole(cut), *_trace_side(cut)]
    if cut.gap:
        edge = curve([(0.34, 1.38), (cut.gap * 0.9, 2.5), (cut.gap, 3.4), (cut.gap, cut.hem_y)])
        shape.outlines += mirror_both([*outer[:-1], *reversed(edge)])
    else:
        shape.outlines.append(close_outline([*edge, *outer]))
    if cut.neck == "straps":
        shape.outlines += mirror_both(ribbon([(0.43, 1.9), (0.45, 1.6), (0.4, 1.36)], 0.035))
    elif cut.neck and pose.empty:
        shape.lining.append(close_outline([(0, 1.42), *(outer if cut.gap else reversed(edge))]))
    _add_details(shape, cut, edge)
    return shape


def _add_limbs(shape: Shape, joints: Polygon, share: float, start: float, end: float) -> None:
    """Add cloth around a share of arms or legs. Its half width goes from `start` to `end`."""
    path = curve(joints, 12)
    path = path[: round(share * len(path))]
    shape.outlines += mirror_both(ribbon(path, start, end))
    shape.add_pair(ribbon(path[-4:], end + 0.01), 0.86)


def _trace_edge(cut: Cut) -> Polygon:
    """Return the right half of the upper edge, from its middle outwards."""
    if not cut.neck:
        return [(0, cut.waist_y + 0.03)]
    if cut.neck == "straps":
        return curve([(0, 2.05), (0.2, 1.93), (0.4, 1.79), (0.46, 1.79), (0.58, 2.02)])
    if cut.neck == "v":
        return [(0, cut.neck_depth), (cut.neck_width, 1.36)]
    turns = (math.pi / 2 * i / 8 for i in range(9))
    drop = cut.neck_depth - 1.36
    return [(cut.neck_width * math.sin(a), 1.36 + drop * math.cos(a)) for a in turns]


def _trace_armhole(cut: Cut) -> Polygon:
    """Return the line from the shoulder to the armpit, or an empty one without a shoulder."""
    if not cut.shoulder:
        return []
    x, depth = cut.shoulder, 0.06 if cut.sleeve else 0.12
    return curve([(x, 1.38 + 0.16 * x), (x - depth, 1.8), (_width(cut, _ARMPIT_Y), _ARMPIT_Y)])


def _trace_side(cut: Cut) -> Polygon:
    """Return the right side down to the hem or crotch, and from there to the middle."""
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
    free = start + (cut.hem - start) * share
    return max(free, close) if y < _CROTCH_Y else free


def _add_details(shape: Shape, cut: Cut, edge: Polygon) -> None:
    """Add seams, collar, buttons or belt; `edge` is the neckline or the front."""
    waist_y = cut.waist_y or _WAIST_Y
    across = _width(cut, waist_y)
    fly: Polygon = [(0, waist_y + 0.2), (0, 4.2 if cut.legs else waist_y)]
    shape.add_pair(ribbon(edge if cut.neck else fly, 0.014), 0.6)
    if cut.collar:
        shape.add_pair(_COLLAR, 0.82)
    if not cut.neck:
        band = close_outline([(across, waist_y), (across + 0.03, waist_y + 0.2)])
        shape.details.append((band, 0.84))
    if cut.detail == "belt":
        shape.details.append(
            (close_outline([(across, waist_y - 0.08), (across, waist_y + 0.1)]), 0.45)
        )
    elif cut.detail == "buttons":
        x, top = 0.0, max(cut.neck_depth, cut.waist_y) + 0.2
        if cut.gap:
            x, top = cut.gap + 0.1, 2.75
        for i in range(int((cut.hem_y - top) / 0.36)):
            shape.details.append((ellipse(x, top + 0.36 * i, 0.042, 0.042, 10), 2.2))
