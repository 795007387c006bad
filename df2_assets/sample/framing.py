"""Where the garments of an image go, before anything is drawn: poses, cameras, outlines."""

import random
from dataclasses import dataclass, replace
from typing import Final

from df2_assets.dataset.boxes import Box
from df2_assets.sample.garments import fabrics, tailor
from df2_assets.sample.garments.dressing import silhouette
from df2_assets.sample.garments.shapes import FLAT, Pose, Shape
from df2_assets.sample.garments.weaves import Fabric
from df2_assets.sample.geometry import Bounds, Camera, Polygon, bounds
from df2_assets.sample.plan import OUTWEAR, ImagePlan, ItemPlan
from df2_assets.sample.rng import chance
from df2_assets.sample.scenes import figure

Size = tuple[int, int]

_SMALLEST_SIDE: Final = 40
"""Pixels: no box is narrower, so that no crop is tiny."""


_STUDIO_ZOOMS: Final = ("items", "items", "items", "whole", "close")
_ZOOMS: Final = ("items", "items", "whole", "far", "close")


@dataclass(frozen=True)
class Placed:
    """A garment in the picture: `polygons` are its pieces in pixels, also beyond the frame."""

    item: ItemPlan
    fabric: Fabric
    shape: Shape
    camera: Camera
    polygons: list[Polygon]

    @property
    def extent(self) -> Bounds:
        return bounds(self.polygons)

    def box(self, size: Size) -> Box:
        """The garment's box inside the frame."""
        x1, y1, x2, y2 = self.extent
        return (
            max(int(x1), 0),
            max(int(y1), 0),
            min(int(x2) + 1, size[0]),
            min(int(y2) + 1, size[1]),
        )

    def share_inside(self, size: Size) -> float:
        """How much of the garment's extent the frame holds, 0 to 1."""
        x1, y1, x2, y2 = self.extent
        a, b, c, d = self.box(size)
        return max(0, c - a) * max(0, d - b) / ((x2 - x1) * (y2 - y1))


@dataclass(frozen=True)
class Worn:
    """Garments on a figure, all seen by one camera."""

    figure: figure.Figure
    pose: Pose
    camera: Camera
    garments: list[Placed]


def size(rng: random.Random) -> Size:
    """Width and height of a picture in pixels, about 0.3 megapixels."""
    return rng.choice(((468, 624), (480, 640), (450, 600), (468, 702), (500, 625), (520, 560)))


def worn(plan: ImagePlan, seed: int, rng: random.Random, frame: Size) -> Worn:
    """Garments on a standing figure, from the front, the side or behind.

    Never from behind where an open front is all that shows what is worn under it.
    """
    layered = any(item.category_id in OUTWEAR for item in plan.items)
    back = plan.viewpoint == 3 and not layered and rng.random() < 0.5
    turned = 0 if plan.viewpoint == 2 or back else rng.choice((-1, 1))
    pose = figure.pose(rng, turned, back)
    squeeze = 0.64 if turned else 1.0
    someone = figure.choose(rng, turned)
    made = [_made(item, seed, pose) for item in plan.items]
    studio = plan.source == "shop"
    zooms = rng.choices(_STUDIO_ZOOMS if studio else _ZOOMS, k=8)
    for zoom in (*zooms, "whole"):
        camera = _camera(rng, [m[2] for m in made], frame, zoom, studio)
        camera = replace(camera, squeeze=squeeze)
        placed = [_placed(*m, camera) for m in made]
        if _fits(placed, frame):
            break
    return Worn(someone, pose, camera, placed)


def flat(plan: ImagePlan, seed: int, rng: random.Random, frame: Size) -> list[Placed]:
    """Garments that nobody wears, side by side or one above the other."""
    made = [_made(item, seed, FLAT) for item in plan.items]
    order = list(made)
    rng.shuffle(order)
    layouts = [_cells(len(made), frame, columns) for columns in range(1, len(made) + 1)]
    cells = max(
        layouts, key=lambda cells: min(_unit(m[2], c) for m, c in zip(order, cells, strict=True))
    )
    studio = plan.source == "shop"
    fill = rng.uniform(0.8, 0.94) if studio else rng.uniform(0.66, 0.96)
    if plan.past_edge:
        fill = 1.3
    elif len(made) == 1 and rng.random() < 0.15:
        fill = rng.uniform(1.05, 1.2)
    placed = []
    for (item, fabric, outline), cell in zip(order, cells, strict=True):
        tilt = rng.uniform(-2, 2) if studio else rng.uniform(-13, 13)
        unit = _unit(outline, cell) * fill * (1 if fill > 1 else 1 - abs(tilt) / 90)
        _, top, _, bottom = bounds([piece.outline for piece in outline.pieces])
        x, y = (cell[0] + cell[2]) / 2, (cell[1] + cell[3]) / 2
        slack = (0.03 if studio else 0.06) * (cell[2] - cell[0]) * (1 - min(fill, 1)) * 4
        camera = Camera(
            unit,
            x + rng.uniform(-slack, slack),
            y + rng.uniform(-slack, slack),
            (top + bottom) / 2,
            1.12,
            tilt,
        )
        placed.append(_placed(item, fabric, outline, camera))
    return placed


def _made(item: ItemPlan, seed: int, pose: Pose) -> tuple[ItemPlan, Fabric, Shape]:
    """The same garment whenever its name is the same, in this pose."""
    cut = tailor.choose(chance(seed, item.garment, "cut"), item.category_id, item.short)
    fabric = fabrics.choose(chance(seed, item.garment, "fabric"), item.category_id)
    return item, fabric, tailor.shape(cut, pose)


def _placed(item: ItemPlan, fabric: Fabric, outline: Shape, camera: Camera) -> Placed:
    return Placed(item, fabric, outline, camera, silhouette(outline, camera))


def _fits(placed: list[Placed], frame: Size) -> bool:
    """Whether every garment is in the picture for the most part, and none is tiny."""
    for garment in placed:
        x1, y1, x2, y2 = garment.box(frame)
        if min(x2 - x1, y2 - y1) < _SMALLEST_SIDE or garment.share_inside(frame) < 0.45:
            return False
    return True


def _camera(
    rng: random.Random, shapes: list[Shape], frame: Size, zoom: str, studio: bool
) -> Camera:
    """A view of the whole figure, from afar, of the garments, or closer than they are large."""
    width, height = frame
    x1, y1, x2, y2 = bounds([p.outline for s in shapes for p in s.pieces])
    if zoom in ("whole", "far"):
        y1, y2 = -0.35, 8.35
    elif zoom == "close":
        cut = rng.uniform(0.12, 0.22) * (y2 - y1)
        y1, y2 = y1 + cut * rng.uniform(0, 0.6), y2 - cut
    else:
        y1, y2 = max(y1 - rng.uniform(0.15, 1.4), -0.35), min(y2 + rng.uniform(0.15, 0.9), 8.4)
    margin = 0.0 if zoom == "close" else 0.25
    unit = min(height / (y2 - y1), width / (x2 - x1 + 2 * margin))
    if zoom == "far":
        unit *= rng.uniform(0.55, 0.72)
    spare = width / unit - (x2 - x1)
    x = (x1 + x2) / 2 + rng.uniform(-0.3, 0.3) * max(spare, 0) * (0.3 if studio else 1.0)
    rise = (height / unit - (y2 - y1)) * rng.uniform(-0.1, 0.35)
    tilt = rng.uniform(-1, 1) if studio else rng.uniform(-6, 6)
    return Camera(
        unit, width / 2 - x * unit, height / 2 + rise * unit * 0.5, (y1 + y2) / 2, 1.0, tilt
    )


def _cells(count: int, frame: Size, columns: int) -> list[Bounds]:
    """`count` fields of a grid, the last row spread over the width."""
    width, height = frame
    rows = -(-count // columns)
    cells: list[Bounds] = []
    for row in range(rows):
        across = min(columns, count - row * columns)
        for column in range(across):
            x1, x2 = width * column / across, width * (column + 1) / across
            cells.append((x1, height * row / rows, x2, height * (row + 1) / rows))
    return cells


def _unit(outline: Shape, cell: Bounds) -> float:
    """Pixels a body unit at which a garment laid flat fills its field."""
    x1, y1, x2, y2 = bounds([piece.outline for piece in outline.pieces])
    return min((cell[2] - cell[0]) / ((x2 - x1) * 1.12), (cell[3] - cell[1]) / (y2 - y1))
