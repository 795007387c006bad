"""Where the pixels of a crop variant come from: boxes, sizes and the map between them."""

import random

import pytest

from df2_assets.dataset import boxes
from df2_assets.dataset.boxes import Box
from df2_assets.dataset.variants import Affine, CropVariant, VariantCut, plan_cut

WIDTH, HEIGHT = 300, 200
BOX = (10, 20, 110, 180)


def plan(box: Box = BOX, **options: object) -> VariantCut:
    return plan_cut(CropVariant("v", **options), box, WIDTH, HEIGHT)  # type: ignore[arg-type]


def test_without_options_the_box_is_cut_as_it_is() -> None:
    cut = plan()
    assert cut == VariantCut(BOX, (0, 0, 100, 160), 100, 160)
    assert cut.affine == Affine(1, 1, -10, -20)


@pytest.mark.parametrize(
    ("box", "margin", "expected"),
    [
        (BOX, 0.02, (8, 17, 112, 183)),  # 2 and 3.2 pixels
        ((100, 50, 125, 75), 0.02, (99, 49, 126, 76)),  # half a pixel is rounded up
        (BOX, 0.2, (0, 0, 130, 200)),  # it stops at the image
        ((100, 50, 110, 60), 1, (90, 40, 120, 70)),
    ],
)
def test_a_margin_is_a_share_of_the_box_and_stops_at_the_image(
    box: Box, margin: float, expected: Box
) -> None:
    assert plan(box, margin=margin).box == expected


def test_a_padded_square_has_the_pixels_of_the_box_in_its_middle() -> None:
    assert plan(square="pad") == VariantCut(BOX, (30, 0, 130, 160), 160, 160)
    odd = plan((0, 0, 3, 10), square="pad")
    assert odd.place == (3, 0, 6, 10)  # a pixel more on the right


def test_a_widened_square_has_the_photo_around_the_box_and_is_filled_outside_the_image() -> None:
    assert plan(square="widen") == VariantCut((0, 20, 140, 180), (20, 0, 160, 160), 160, 160)
    inside = plan((100, 50, 120, 90), square="widen")
    assert inside == VariantCut((90, 50, 130, 90), (0, 0, 40, 40), 40, 40)


def test_a_margin_of_a_square_keeps_the_garment_in_its_middle() -> None:
    """What the margin has outside the image is filled."""
    cut = plan(square="pad", margin=0.2)
    assert cut.box == (0, 0, 130, 200)
    assert (cut.width, cut.height) == (224, 224)
    assert cut.affine.apply(60, 100) == (112, 112)


@pytest.mark.parametrize(
    ("box", "size", "width_height"),
    [
        (BOX, 80, (50, 80)),
        (BOX, 320, (200, 320)),  # a small box is enlarged
        ((0, 0, 100, 30), 55, (55, 17)),  # 16.5 is rounded up
        ((0, 0, 200, 1), 10, (10, 1)),  # nothing is rounded to 0
    ],
)
def test_the_size_is_that_of_the_longer_side(
    box: Box, size: int, width_height: tuple[int, int]
) -> None:
    cut = plan(box, size=size)
    assert (cut.width, cut.height) == width_height
    assert cut.place == (0, 0, *width_height)


def any_box(draw: random.Random) -> Box:
    x1, y1 = draw.randrange(WIDTH - 1), draw.randrange(HEIGHT - 1)
    return x1, y1, draw.randint(x1 + 1, WIDTH), draw.randint(y1 + 1, HEIGHT)


@pytest.mark.parametrize("square", [None, "pad", "widen"])
@pytest.mark.parametrize("size", [None, 1, 16, 224])
@pytest.mark.parametrize("margin", [0, 0.1, 1])
def test_the_map_is_exact_for_the_pixels_that_are_there(
    square: str | None, size: int | None, margin: float
) -> None:
    draw = random.Random(f"{square} {size} {margin}")
    for box in (any_box(draw) for _ in range(50)):
        cut = plan(box, square=square, size=size, margin=margin)
        assert boxes.clamp(cut.box, WIDTH, HEIGHT) == cut.box
        assert boxes.clamp(cut.place, cut.width, cut.height) == cut.place
        assert not boxes.is_reversed(cut.place)
        assert size is None or max(cut.width, cut.height) == size
        assert square is None or cut.width == cut.height
        x1, y1, x2, y2 = cut.box
        corners = (*cut.affine.apply(x1, y1), *cut.affine.apply(x2, y2))
        assert corners == pytest.approx(cut.place, abs=1e-9)
        x, y = draw.uniform(x1, x2), draw.uniform(y1, y2)
        there = cut.affine.apply(x, y)
        assert cut.affine.inverse().apply(*there) == pytest.approx((x, y), abs=1e-9)


def test_sides_of_the_image_stay_sides_of_the_square() -> None:
    """Rounding never puts a line of the filling beside pixels that reach the edge."""
    draw = random.Random(1)
    for box in (any_box(draw) for _ in range(200)):
        cut = plan(box, square="widen", size=draw.randint(1, 300))
        frame = boxes.square(box)
        for side, end in ((0, 0), (1, 0), (2, cut.width), (3, cut.height)):
            assert cut.box[side] != frame[side] or cut.place[side] == end
