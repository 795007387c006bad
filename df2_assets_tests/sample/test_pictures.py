"""What is in the pictures: garments that keep their looks, and are hidden as their labels say."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from PIL import Image

from df2_assets.sample.brush import Brush
from df2_assets.sample.framing import flat
from df2_assets.sample.garments import fabrics, tailor
from df2_assets.sample.garments.dressing import dress
from df2_assets.sample.garments.shapes import FLAT
from df2_assets.sample.geometry import Camera, Polygon, bounds
from df2_assets.sample.hiding import hide, holds
from df2_assets.sample.plan import ImagePlan, ItemPlan
from df2_assets.sample.rng import chance

FRAME = (468, 624)


def plan_of(occlusion: int, category_id: int = 11, source: str = "user") -> ImagePlan:
    item = ItemPlan(1, category_id, 1, occlusion, f"garment of {category_id}")
    return ImagePlan("train", "000001", source, 1, 1, (item,))


def grid(polygons: list[Polygon]) -> Iterator[tuple[float, float]]:
    """Points of the frame inside any of the polygons, ten pixels apart."""
    for x in range(5, FRAME[0], 10):
        for y in range(5, FRAME[1], 10):
            if any(holds(polygon, (x, y)) for polygon in polygons):
                yield x, y


@pytest.mark.parametrize("source", ["shop", "user"])
@pytest.mark.parametrize("category_id", [1, 4, 8, 13])
@pytest.mark.parametrize(("occlusion", "low", "high"), [(1, 0, 0), (2, 0.14, 0.5), (3, 0.36, 0.9)])
def test_as_much_is_hidden_as_the_label_says(
    source: str, category_id: int, occlusion: int, low: float, high: float
) -> None:
    rng = chance("hidden", source, category_id, occlusion)
    garments = flat(plan_of(occlusion, category_id, source), 0, rng, FRAME)
    obstacles = hide(garments, rng, FRAME, source == "shop")
    in_front = [outline for obstacle in obstacles for outline, _ in obstacle]
    points = list(grid(garments[0].polygons))
    hidden = sum(any(holds(outline, point) for outline in in_front) for point in points)
    assert low <= hidden / len(points) <= high


def test_a_garment_keeps_its_cut_and_fabric_in_every_picture() -> None:
    plan = plan_of(1)
    (first,) = flat(plan, 0, chance("one"), FRAME)
    (second,) = flat(replace(plan, image_id="000002"), 0, chance("another"), FRAME)
    assert first.fabric == second.fabric
    assert first.shape == second.shape
    assert first.polygons != second.polygons


def test_another_garment_of_the_category_looks_different() -> None:
    looks = {
        (fabrics.choose(chance(i), 10), tailor.choose(chance(i), 10, False)) for i in range(20)
    }
    assert len(looks) == 20


@pytest.mark.parametrize("category_id", range(1, 14))
def test_cloth_fills_the_silhouette_and_nothing_else(category_id: int) -> None:
    ground = (1, 254, 1)
    rng = chance("cloth", category_id)
    outline = tailor.shape(tailor.choose(rng, category_id, False), FLAT)
    image = Image.new("RGB", FRAME, ground)
    brush = Brush(image, Camera(50, 234, 312, 4.3))
    dress(brush, outline, fabrics.choose(rng, category_id), rng, 0.5)
    silhouette = [brush.camera.at(piece.outline) for piece in outline.pieces]
    points = list(grid(silhouette))
    assert len(points) > 50
    bare = sum(image.getpixel((int(x), int(y))) == ground for x, y in points)
    assert bare <= 0.02 * len(points)  # the edge itself may fall on either side
    x1, y1, x2, y2 = bounds(silhouette)
    for x in range(0, FRAME[0], 6):
        for y in range(0, FRAME[1], 6):
            if not (x1 - 20 < x < x2 + 20 and y1 - 20 < y < y2 + 20):
                assert image.getpixel((x, y)) == ground


def test_sleeves_and_legs_tell_the_categories_apart() -> None:
    def extent(category_id: int) -> tuple[float, float]:
        cut = tailor.choose(chance("extent", category_id), category_id, False)
        x1, y1, x2, y2 = bounds([piece.outline for piece in tailor.shape(cut, FLAT).pieces])
        return x2 - x1, y2 - y1

    width = {category_id: extent(category_id)[0] for category_id in range(1, 14)}
    height = {category_id: extent(category_id)[1] for category_id in range(1, 14)}
    for short, long in ((1, 2), (3, 4), (10, 11)):
        assert width[5] < width[short] < width[long]
    for top, full in ((1, 10), (2, 11), (5, 12), (6, 13)):
        assert height[top] + 0.8 < height[full]
    assert height[7] + 1.5 < height[8]
