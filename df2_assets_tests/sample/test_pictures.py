"""The pictures of a sample: garments look the same everywhere, and are hidden as labelled."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from df2_assets.sample.canvas import Camera, Polygon, bounds, coverage
from df2_assets.sample.fabrics import choose_fabric
from df2_assets.sample.figure import FLAT
from df2_assets.sample.garments import choose_cut, shape_garment
from df2_assets.sample.layout import Garment, place_flat
from df2_assets.sample.occlusion import hide
from df2_assets.sample.picture import paint_garment
from df2_assets.sample.plan import ImagePlan, ItemPlan, chance

FRAME = (468, 624)


def plan_of(occlusion: int, category_id: int = 11, source: str = "user") -> ImagePlan:
    item = ItemPlan(1, category_id, 1, occlusion, f"garment of {category_id}")
    return ImagePlan("train", "000001", source, 1, 1, (item,))


def mask_inside(outlines: Sequence[Polygon]) -> np.ndarray[Any, np.dtype[np.bool]]:
    """Return a mask of the pixels of the frame that are completely inside an outline."""
    return np.asarray(coverage(outlines, (0, 0, *FRAME)), np.uint8) // 255 > 0


@pytest.mark.parametrize("source", ["shop", "user"])
@pytest.mark.parametrize("category_id", [1, 4, 8, 13])
@pytest.mark.parametrize(("occlusion", "low", "high"), [(1, 0, 0), (2, 0.14, 0.5), (3, 0.36, 0.9)])
def test_the_hidden_share_agrees_with_the_label(
    source: str, category_id: int, occlusion: int, low: float, high: float
) -> None:
    rng = chance("hidden", source, category_id, occlusion)
    garments = place_flat(plan_of(occlusion, category_id, source), 0, rng, FRAME)
    obstacles = hide(garments, rng, FRAME)
    in_front = [camera.at(part.outline) for camera, parts in obstacles for part in parts]
    whole = mask_inside(garments[0].outlines)
    assert low <= (whole & mask_inside(in_front)).sum() / whole.sum() <= high


def test_a_garment_keeps_its_cut_and_fabric_in_every_picture() -> None:
    plan = plan_of(1)
    (first,) = place_flat(plan, 0, chance("one"), FRAME)
    (second,) = place_flat(replace(plan, image_id="000002"), 0, chance("another"), FRAME)
    assert (first.fabric, first.shape) == (second.fabric, second.shape)
    assert first.outlines != second.outlines


def test_another_garment_of_the_category_looks_different() -> None:
    looks = {(choose_fabric(chance(i), 10), choose_cut(chance(i), 10, False)) for i in range(20)}
    assert len(looks) == 20


@pytest.mark.parametrize("category_id", range(1, 14))
def test_cloth_fills_the_silhouette_and_nothing_else(category_id: int) -> None:
    ground, rng = (1, 254, 1), chance("cloth", category_id)
    shape = shape_garment(choose_cut(rng, category_id, False), FLAT)
    item = plan_of(1, category_id).items[0]
    garment = Garment(item, choose_fabric(rng, category_id), shape)
    garment = garment.place(Camera(50, 234, 312, 4.3))
    image = Image.new("RGB", FRAME, ground)
    paint_garment(image, garment, rng, 0.5)
    painted = (np.asarray(image) != ground).any(axis=2)
    assert painted[mask_inside(garment.outlines)].all()
    x1, y1, x2, y2 = map(int, bounds(garment.outlines))
    painted[y1 - 20 : y2 + 20, x1 - 20 : x2 + 20] = False
    assert not painted.any()


def test_sleeves_and_legs_distinguish_the_categories() -> None:
    def extent(category_id: int) -> tuple[float, float]:
        cut = choose_cut(chance("extent", category_id), category_id, False)
        x1, y1, x2, y2 = bounds(shape_garment(cut, FLAT).outlines)
        return x2 - x1, y2 - y1

    width, height = zip((0.0, 0.0), *map(extent, range(1, 14)), strict=True)
    for short, long in ((1, 2), (3, 4), (10, 11)):
        assert width[5] < width[short] < width[long]
    for top, full in ((1, 10), (2, 11), (5, 12), (6, 13)):
        assert height[top] + 0.8 < height[full]
    assert height[7] + 1.5 < height[8]
