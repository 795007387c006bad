"""What is sewn on: collars, hoods, belts, pockets, buttons, prints."""

from typing import Final

from df2_assets.sample.garments.cuts import Upper
from df2_assets.sample.garments.shapes import Pose, Shape
from df2_assets.sample.geometry import Polygon, curve, ellipse, mirrored

WAIST_Y: Final = 3.05


def waist_y(cut: Upper) -> float:
    """Where `waist` draws its line: at the waist of a dress, above the hem of a top."""
    return WAIST_Y if cut.dress else cut.hem_y - 0.08


def closed_front(cut: Upper, pose: Pose, neckline: Polygon, across: float, shape: Shape) -> None:
    """All that a closed garment has; `across` is half its width at `waist_y`."""
    if pose.empty:
        nape = [(0.0, 1.44), (cut.neck_width * 0.6, 1.4), (cut.neck_width, 1.34)]
        edge = [*nape, *reversed(neckline[:-1])]
        shape.lining.append([*edge, *reversed(mirrored(edge))])
    if cut.neck == "high":
        shape.trim(0.88, (-0.27, 1.12), (0.27, 1.12), (0.33, 1.44), (-0.33, 1.44))
    else:
        rim = [*reversed(mirrored(neckline)), *neckline[1:]]
        shape.seam(0.05 if cut.collar == "none" else 0.03, *rim)
    if cut.collar == "shirt":
        _shirt_collar(pose, cut.neck_depth, shape)
    if cut.collar == "hood":
        _hood(pose, shape)
    waist(cut, across, shape)
    if not pose.back:
        _chest(cut, shape)
        return
    shape.seam(0.018, (-0.7, 1.75), (0, 1.8), (0.7, 1.75))
    if cut.dress:
        shape.seam(0.03, (0, 1.5), (0, 3.9))


def waist(cut: Upper, across: float, shape: Shape) -> None:
    """A top has a hem; a dress a seam or a belt at the waist, and folds below it."""
    y = waist_y(cut)
    if not cut.dress:
        shape.seam(0.018, (-across, y), (0, y + cut.hem_drop), (across, y))
        return
    if cut.belt:
        low, high = y - 0.08, y + 0.1
        shape.trim(0.45, (-across, low), (across, low), (across, high), (-across, high))
        shape.trim(1.9, *ellipse(0.0, y + 0.01, 0.09, 0.09, 12))
    else:
        shape.seam(0.03, (-across, y), (0, y + 0.05), (across, y))
    if cut.fit == "flared":
        for i in range(-3, 4):
            x = i / 3.5
            middle = (x * (across + cut.hem) / 2, (3.3 + cut.hem_y) / 2)
            fold = [
                (x * across * 0.8, 3.3 + 0.25 * (i % 2)),
                middle,
                (x * cut.hem, cut.hem_y - 0.02),
            ]
            shape.seam(0.022, *curve(fold, 4))


def open_front(cut: Upper, y: float, across: float, shape: Shape) -> None:
    """Collar, pockets and buttons of outwear; `across` is half its width at `y`."""
    _outer_collar(cut, shape)
    inner, outer = cut.gap + 0.16, across - 0.08
    if cut.front == "pocket":
        low = y + 0.4
        shape.seams_on_both(0.02, (inner, y), (outer, y), (outer, low), (inner, low), (inner, y))
    else:
        shape.seams_on_both(0.045, (inner + 0.06, y + 0.15), (outer - 0.02, y - 0.08))
    if cut.front == "buttons":
        _buttons(cut.gap + 0.09, 2.75, cut.hem_y - 0.2, 0.4, shape)


def _chest(cut: Upper, shape: Shape) -> None:
    if cut.front == "buttons":
        end = 4.2 if cut.dress else cut.hem_y
        shape.seam(0.018, (0.09, cut.neck_depth), (0.09, end))
        _buttons(0, cut.neck_depth + 0.16, end - 0.1, 2.2, shape)
    elif cut.front == "pocket":
        bag = [(0.58, 2.55), (0.4, 2.64), (0.22, 2.55)]
        shape.seam(0.02, (0.22, 2.2), (0.58, 2.2), *bag, (0.22, 2.2))
    elif cut.front == "bib":
        low = cut.hem_y - 0.15
        shape.seam(0.02, (-0.58, low), (-0.42, 3.15), (0.42, 3.15), (0.58, low))
    elif cut.front == "print":
        shape.prints.append(ellipse(0, 2.55, 0.36, 0.36, 30))
        shape.prints.append([(-0.4, 3.02), (0.4, 3.02), (0.4, 3.11), (-0.4, 3.11)])


def _buttons(x: float, start: float, end: float, factor: float, shape: Shape) -> None:
    for i in range(int((end - start) / 0.34) + 1):
        shape.trim(factor, *ellipse(x, start + 0.34 * i, 0.038, 0.038, 10))


def _shirt_collar(pose: Pose, depth: float, shape: Shape) -> None:
    if pose.back:
        shape.trim_across(0.86, (0, 1.24), (0.3, 1.3), (0.4, 1.48), (0, 1.58))
    else:
        point = (0.02, depth - 0.05)
        shape.trims_on_both(0.86, (0.3, 1.22), (0.4, 1.36), (0.46, 1.72), (0.22, 1.62), point)


def _hood(pose: Pose, shape: Shape) -> None:
    if pose.back:
        shape.trim_across(0.86, (0, 1.1), (0.38, 1.2), (0.52, 1.7), (0.3, 2.25), (0, 2.4))
        return
    roll = curve([(0.26, 1.18), (0.48, 1.38), (0.5, 1.62), (0.28, 1.86), (0.03, 1.95)], 4)
    shape.trims_on_both(0.84, *roll, *curve([(0.05, 1.78), (0.24, 1.62), (0.27, 1.4)], 4))
    shape.seams_on_both(0.025, (0.14, 1.8), (0.16, 2.45))


def _outer_collar(cut: Upper, shape: Shape) -> None:
    if cut.collar == "lapel":
        inside = cut.gap * 0.9
        notch = [(0.62, 1.9), (0.48, 1.98), (0.56, 2.1)]
        lapel = [(0.28, 1.26), (0.46, 1.4), *notch, (inside, 2.75), (inside, 2.4), (0.34, 1.45)]
        shape.trims_on_both(0.8, *lapel)
    elif cut.collar == "shirt":
        shape.trims_on_both(0.82, (0.28, 1.22), (0.42, 1.38), (0.6, 1.8), (0.36, 1.86), (0.3, 1.5))
    elif cut.collar == "stand":
        shape.trims_on_both(0.82, (0.25, 1.15), (0.42, 1.36), (0.36, 1.62), (0.24, 1.5))
    elif cut.collar == "hood":
        roll = curve([(0.24, 1.12), (0.52, 1.36), (0.56, 1.66), (0.36, 2.0)], 4)
        shape.trims_on_both(0.8, *roll, (0.3, 1.6), (0.26, 1.4))
