"""Where the garments of an image go, before anything is drawn: poses, cameras, outlines."""

import random
from dataclasses import dataclass
from typing import Final

from df2_assets.dataset.boxes import Box
from df2_assets.sample.canvas import Bounds, Camera, Polygon, Size, bounds
from df2_assets.sample.fabrics import Fabric, choose_fabric
from df2_assets.sample.figure import FLAT, Pose, choose_pose
from df2_assets.sample.garments import Shape, choose_cut, shape_garment
from df2_assets.sample.plan import OUTWEAR, ImagePlan, ItemPlan, chance

FRAMES: Final = ((468, 624), (480, 640), (450, 600), (468, 702), (500, 625), (520, 560))
"""Widths and heights of pictures in pixels, about 0.3 megapixels."""

_SMALLEST_SIDE: Final = 40
"""Pixels: no box is narrower, so that no crop is tiny."""

_ZOOMS: Final = ("items", "items", "whole", "close", "far")


@dataclass(frozen=True)
class Placed:
    """A garment in the picture: `outlines` are its pieces in pixels, also beyond the frame."""

    item: ItemPlan
    fabric: Fabric
    shape: Shape
    camera: Camera
    outlines: list[Polygon]

    @property
    def extent(self) -> Bounds:
        """The bounds of the whole garment in pixels."""
        return bounds(self.outlines)

    def box(self, size: Size) -> Box:
        """Return the garment's box inside the frame."""
        x1, y1, x2, y2 = self.extent
        width, height = size
        return max(int(x1), 0), max(int(y1), 0), min(int(x2) + 1, width), min(int(y2) + 1, height)

    def share_inside(self, size: Size) -> float:
        """Return how much of the garment's extent the frame holds, 0 to 1."""
        (x1, y1, x2, y2), (a, b, c, d) = self.extent, self.box(size)
        return max(0, c - a) * max(0, d - b) / ((x2 - x1) * (y2 - y1))


def lay(plan: ImagePlan, seed: int, rng: random.Random, frame: Size) -> list[Placed]:
    """Lay garments that nobody wears side by side or one above the other."""
    garments = [_make_garment(item, seed, FLAT) for item in plan.items]
    order = rng.sample(garments, len(garments))
    layouts = [_split_frame(len(order), frame, columns) for columns in range(1, len(order) + 1)]
    units, cells = max(
        ([_fit(g[2], cell) for g, cell in zip(order, cells, strict=True)], cells)
        for cells in layouts
    )
    studio = plan.source == "shop"
    fill = rng.uniform(0.8, 0.94) if studio else rng.uniform(0.66, 0.96)
    if plan.past_edge:
        fill = 1.3
    elif len(order) == 1 and rng.random() < 0.15:
        fill = rng.uniform(1.05, 1.2)
    placed = []
    for garment, unit, (left, top, right, bottom) in zip(order, units, cells, strict=True):
        tilt = rng.uniform(-2, 2) if studio else rng.uniform(-13, 13)
        _, y1, _, y2 = bounds(garment[2].outlines)
        slack = (0.03 if studio else 0.06) * (right - left) * (1 - min(fill, 1)) * 4
        x, y = ((a + b) / 2 + rng.uniform(-slack, slack) for a, b in ((left, right), (top, bottom)))
        unit *= fill * (1 if fill > 1 else 1 - abs(tilt) / 90)
        placed.append(_place(garment, Camera(unit, x, y, (y1 + y2) / 2, 1.12, tilt)))
    return placed


def dress(plan: ImagePlan, seed: int, rng: random.Random, frame: Size) -> tuple[Pose, list[Placed]]:
    """Dress a standing figure, seen from the front, the side or behind.

    Never from behind where an open front is all that shows what is worn under it.
    """
    layered = any(item.category_id in OUTWEAR for item in plan.items)
    back = plan.viewpoint == 3 and not layered and rng.random() < 0.5
    turned = 0 if plan.viewpoint == 2 or back else rng.choice((-1, 1))
    pose = choose_pose(rng, turned, back)
    garments = [_make_garment(item, seed, pose) for item in plan.items]
    studio = plan.source == "shop"
    for zoom in (*rng.choices(_ZOOMS[: 4 if studio else 5], k=8), "whole"):
        camera = _aim(rng, [shape for _, _, shape in garments], frame, zoom, pose, studio)
        placed = [_place(garment, camera) for garment in garments]
        if all(_is_shown(garment, frame) for garment in placed):
            break
    return pose, placed


def _make_garment(item: ItemPlan, seed: int, pose: Pose) -> tuple[ItemPlan, Fabric, Shape]:
    """Return the same garment whenever its name is the same, in this pose."""
    cut = choose_cut(chance(seed, item.garment, "cut"), item.category_id, item.short)
    fabric = choose_fabric(chance(seed, item.garment, "fabric"), item.category_id)
    return item, fabric, shape_garment(cut, pose)


def _place(garment: tuple[ItemPlan, Fabric, Shape], camera: Camera) -> Placed:
    return Placed(*garment, camera, [camera.at(outline) for outline in garment[2].outlines])


def _is_shown(garment: Placed, frame: Size) -> bool:
    """Return whether the picture holds most of a garment, and that is not tiny."""
    x1, y1, x2, y2 = garment.box(frame)
    return min(x2 - x1, y2 - y1) >= _SMALLEST_SIDE and garment.share_inside(frame) >= 0.45


def _aim(
    rng: random.Random, shapes: list[Shape], frame: Size, zoom: str, pose: Pose, studio: bool
) -> Camera:
    """Return a view of the whole figure, from afar, of the garments, or closer than they are."""
    width, height = frame
    x1, y1, x2, y2 = bounds([outline for shape in shapes for outline in shape.outlines])
    if zoom in ("whole", "far"):
        y1, y2 = -0.35, 8.35
    elif zoom == "close":
        cut = rng.uniform(0.12, 0.22) * (y2 - y1)
        y1, y2 = y1 + cut * rng.uniform(0, 0.6), y2 - cut
    else:
        y1, y2 = max(y1 - rng.uniform(0.15, 1.4), -0.35), min(y2 + rng.uniform(0.15, 0.9), 8.4)
    unit = min(height / (y2 - y1), width / (x2 - x1 + (0 if zoom == "close" else 0.5)))
    unit *= rng.uniform(0.55, 0.72) if zoom == "far" else 1
    spare = max(width / unit - (x2 - x1), 0) * (0.1 if studio else 0.3)
    x = width / 2 - ((x1 + x2) / 2 + rng.uniform(-spare, spare)) * unit
    y = height / 2 + (height - (y2 - y1) * unit) * rng.uniform(-0.05, 0.18)
    tilt = rng.uniform(-1, 1) if studio else rng.uniform(-6, 6)
    return Camera(unit, x, y, (y1 + y2) / 2, 0.64 if pose.turned else 1.0, tilt)


def _split_frame(count: int, frame: Size, columns: int) -> list[Bounds]:
    """Return `count` fields of a grid, the last row spread over the width."""
    (width, height), rows = frame, -(-count // columns)
    cells: list[Bounds] = []
    for row in range(rows):
        across, y = min(columns, count - row * columns), height * row / rows
        for column in range(across):
            x = width * column / across
            cells.append((x, y, x + width / across, y + height / rows))
    return cells


def _fit(shape: Shape, cell: Bounds) -> float:
    """Return the pixels per body unit at which a garment laid flat fills its field."""
    x1, y1, x2, y2 = bounds(shape.outlines)
    return min((cell[2] - cell[0]) / ((x2 - x1) * 1.12), (cell[3] - cell[1]) / (y2 - y1))
