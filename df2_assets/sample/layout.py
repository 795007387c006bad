"""The layout of an image before it is drawn: poses, cameras and outlines of garments."""

import random
from typing import Final, NamedTuple

from df2_assets.dataset.boxes import Box
from df2_assets.sample.canvas import Bounds, Camera, Polygon, Size, bounds
from df2_assets.sample.fabrics import Fabric, choose_fabric
from df2_assets.sample.figure import FLAT, Pose, choose_pose
from df2_assets.sample.garments import Shape, choose_cut, shape_garment
from df2_assets.sample.plan import ImagePlan, ItemPlan, chance

FRAMES: Final = ((468, 624), (480, 640), (450, 600), (468, 702), (500, 625), (520, 560))
"""Widths and heights of pictures, in pixels: about 0.3 megapixels."""

_SMALLEST_SIDE: Final = 40
"""The smallest side of a box in pixels, so that no crop is tiny."""


class Garment(NamedTuple):
    """A garment in a picture. `outlines` has its parts in pixels, which may exceed the frame."""

    item: ItemPlan
    fabric: Fabric
    shape: Shape
    camera: Camera = Camera(1, 0, 0)
    outlines: tuple[Polygon, ...] = ()

    def place(self, camera: Camera) -> "Garment":
        """Return the garment as a camera sees it."""
        outlines = tuple(camera.at(outline) for outline in self.shape.outlines)
        return self._replace(camera=camera, outlines=outlines)

    def box(self, frame: Size, margin: int = 0) -> Box:
        """Return the box of the garment inside the frame plus a margin."""
        x1, y1, x2, y2 = map(int, bounds(self.outlines))
        right, bottom = frame[0] + margin, frame[1] + margin
        return max(x1, -margin), max(y1, -margin), min(x2 + 1, right), min(y2 + 1, bottom)

    def share_inside(self, frame: Size) -> float:
        """Return the share of the garment's bounds that is inside the frame, 0 to 1."""
        (x1, y1, x2, y2), (a, b, c, d) = bounds(self.outlines), self.box(frame)
        return max(0, c - a) * max(0, d - b) / ((x2 - x1) * (y2 - y1))

    def is_shown(self, frame: Size) -> bool:
        """Return whether most of the garment is inside the frame and its box is not tiny."""
        x1, y1, x2, y2 = self.box(frame)
        return min(x2 - x1, y2 - y1) >= _SMALLEST_SIDE and self.share_inside(frame) >= 0.45


def fabric_of(item: ItemPlan, seed: int) -> Fabric:
    """Return the fabric of an item in a sample drawn with `seed`."""
    return choose_fabric(chance(seed, item.garment, "fabric"), item.category_id)


def place_flat(plan: ImagePlan, seed: int, rng: random.Random, frame: Size) -> list[Garment]:
    """Place garments that nobody wears next to each other, or above each other."""
    garments = [_make_garment(item, seed, FLAT) for item in rng.sample(plan.items, len(plan.items))]
    (width, height), count, studio = frame, len(garments), plan.source == "shop"
    columns = [(width * i / count, 0, width * (i + 1) / count, height) for i in range(count)]
    rows = [(0, height * i / count, width, height * (i + 1) / count) for i in range(count)]
    units, cells = max(
        ([_fit(garment.shape, cell) for garment, cell in zip(garments, cells, strict=True)], cells)
        for cells in (columns, rows)
    )
    fill = 1.3 if plan.past_edge else rng.uniform(0.8 if studio else 0.66, 0.95)
    placed = []
    for garment, unit, (left, top, right, bottom) in zip(garments, units, cells, strict=True):
        tilt = rng.uniform(-2, 2) if studio else rng.uniform(-13, 13)
        slack = (0.12 if studio else 0.24) * (right - left) * (1 - min(fill, 1))
        x, y = ((a + b) / 2 + rng.uniform(-slack, slack) for a, b in ((left, right), (top, bottom)))
        _, y1, _, y2 = bounds(garment.shape.outlines)
        unit *= fill * (1 if fill > 1 else 1 - abs(tilt) / 90)
        placed.append(garment.place(Camera(unit, x, y, (y1 + y2) / 2, tilt=tilt)))
    return placed


def dress(
    plan: ImagePlan, seed: int, rng: random.Random, frame: Size
) -> tuple[Pose, list[Garment]]:
    """Dress a standing figure. Seen from the side, it is narrower than from the front."""
    pose, squeeze = choose_pose(rng), 0.72 if plan.viewpoint == 3 else 1.0
    garments = [_make_garment(item, seed, pose) for item in plan.items]
    extent = bounds(outline for garment in garments for outline in garment.shape.outlines)
    for attempt in range(9):
        camera = _aim(rng, extent, frame, plan.source == "shop", whole=attempt == 8)
        placed = [garment.place(camera._replace(squeeze=squeeze)) for garment in garments]
        if all(garment.is_shown(frame) for garment in placed):
            break
    return pose, placed


def _make_garment(item: ItemPlan, seed: int, pose: Pose) -> Garment:
    """Return a garment in a pose. Its name decides cut and fabric."""
    cut = choose_cut(chance(seed, item.garment, "cut"), item.category_id, item.short)
    return Garment(item, fabric_of(item, seed), shape_garment(cut, pose))


def _aim(rng: random.Random, extent: Bounds, frame: Size, studio: bool, whole: bool) -> Camera:
    """Return a camera on the whole figure or on the garments, near or far."""
    (x1, y1, x2, y2), (width, height) = extent, frame
    zoom = rng.choice((0.1, 0.2, 0.4, -0.12) if studio else (0.1, 0.2, 0.6, -0.12, 1.0))
    if whole or zoom >= 0.6:
        y1, y2 = -0.35, 8.35
    y1, y2 = y1 - zoom * (y2 - y1) * rng.uniform(0.1, 0.6), y2 + zoom * (y2 - y1) / 2
    unit = min(height / (y2 - y1), width / (x2 - x1 + 0.5 * (zoom > 0)))
    spare = max(width / unit - (x2 - x1), 0) * (0.1 if studio else 0.3)
    x = width / 2 - ((x1 + x2) / 2 + rng.uniform(-spare, spare)) * unit
    tilt = rng.uniform(-1, 1) if studio else rng.uniform(-6, 6)
    return Camera(unit, x, height / 2, (y1 + y2) / 2, tilt=tilt)


def _fit(shape: Shape, cell: Bounds) -> float:
    """Return the pixels per body unit at which a garment fills its cell."""
    x1, y1, x2, y2 = bounds(shape.outlines)
    return min((cell[2] - cell[0]) / (x2 - x1), (cell[3] - cell[1]) / (y2 - y1))
