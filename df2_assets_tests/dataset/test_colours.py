"""Colour words: the conversion to CIELAB, the palette, and which word a crop gets."""

import io

import numpy as np
import pytest
from PIL import Image, ImageColor

from df2_assets.dataset.colours import (
    PALETTE,
    SMALLEST_SIDE,
    convert_to_lab,
    name_colour,
    read_colour,
)
from df2_assets.dataset.masks import rasterize
from df2_assets.sample.layout import fabric_of
from df2_assets.sample.picture import draw
from df2_assets.sample.plan import plan_images
from df2_assets_tests.support.looks import SIDE, jpeg, plain

PUBLISHED = {
    "#ffffff": (100, 0, 0),
    "#808080": (53.585, 0, 0),
    "#000000": (0, 0, 0),
    "#ff0000": (53.2408, 80.0925, 67.2032),
    "#00ff00": (87.7347, -86.1827, 83.1793),
    "#0000ff": (32.2970, 79.1875, -107.8602),
    "#ffff00": (97.1393, -21.5537, 94.4780),
    "#00ffff": (91.1132, -48.0875, -14.1312),
    "#ff00ff": (60.3242, 98.2343, -60.8249),
}
"""CIELAB (D65) of the corners of sRGB and of its middle grey, as published by B. Lindbloom."""


def rows(*colours: str) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    return np.array([ImageColor.getrgb(colour)[:3] for colour in colours], np.uint8)


def word(image: Image.Image, mask: str | None = None) -> str | None:
    return read_colour(io.BytesIO(jpeg(image)), mask).colour


def masked(left: float, top: float, right: float, bottom: float) -> str:
    """Return the mask of a rectangle, given in shares of the sides."""
    x1, y1, x2, y2 = (round(SIDE * share) for share in (left, top, right, bottom))
    return rasterize([[x1, y1, x2, y1, x2, y2, x1, y2]], SIDE, SIDE)


def test_the_conversion_gives_the_published_values() -> None:
    lab = convert_to_lab(rows(*PUBLISHED))
    assert lab == pytest.approx(np.array([*PUBLISHED.values()]), abs=0.02)


def test_the_palette_is_that_of_the_survey() -> None:
    from matplotlib.colors import XKCD_COLORS

    for name, colours in PALETTE.items():
        prefixes = ("", "light ", "dark ", "dull ")
        asked = [XKCD_COLORS.get(f"xkcd:{prefix}{name}") for prefix in prefixes]
        assert [*colours] == [colour for colour in asked if colour]


@pytest.mark.parametrize(("name", "colour"), [(n, c) for n, of in PALETTE.items() for c in of])
def test_a_colour_of_the_palette_has_its_word(name: str, colour: str) -> None:
    assert name_colour(rows(colour)) == name
    assert word(plain(colour)) == name


@pytest.mark.parametrize(
    ("css", "name"),
    [
        *((name, name) for name in ("black", "white", "grey", "red", "orange", "yellow")),
        *((name, name) for name in ("green", "turquoise", "blue", "purple", "pink")),
        ("crimson", "red"),
        ("forestgreen", "green"),
        ("indigo", "purple"),
        ("silver", "grey"),
        ("skyblue", "blue"),
        ("teal", "turquoise"),
        ("gold", "yellow"),
        ("saddlebrown", "brown"),
        ("tan", "beige"),
        ("hotpink", "pink"),
    ],
)
def test_colour_names_of_css_get_the_usual_word(css: str, name: str) -> None:
    assert name_colour(rows(css)) == name


def test_the_middle_of_the_crop_decides() -> None:
    image = plain("green")
    image.paste("red", (SIDE // 4, SIDE // 4, 3 * SIDE // 4, 3 * SIDE // 4))
    assert word(image) == "red"


def test_with_a_mask_its_pixels_decide() -> None:
    image = plain("green")
    image.paste("red", (0, 0, SIDE, SIDE // 4))
    assert word(image) == "green"
    assert word(image, masked(0, 0, 1, 0.25)) == "red"
    assert word(image, masked(0.5, 0.3, 1, 1)) == "green"


def test_pixels_on_the_border_of_the_mask_do_not_count() -> None:
    """A strip of which half the places of the grid show the background."""
    image = plain("white")
    image.paste("red", (0, 0, SIDE, round(SIDE * 1.9 / 48)))
    assert word(image, masked(0, 0, 1, 1.9 / 48)) == "red"


def test_a_mask_of_too_few_pixels_has_no_word() -> None:
    assert word(plain("red"), masked(0, 0, 4 / 48, 4 / 48)) is None
    assert word(plain("red"), masked(0, 0, 5 / 48, 5 / 48)) == "red"


def test_a_mask_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="a mask of"):
        word(plain("red").crop((0, 0, SIDE, SIDE - 1)), masked(0, 0, 1, 1))


def test_up_to_half_of_the_middle_may_show_something_else() -> None:
    image = plain("#0343df")
    image.paste("white", (0, 0, SIDE // 2 - 10, SIDE))
    assert word(image) == "blue"


def test_shade_does_not_change_the_word() -> None:
    image = plain("#ff81c0")
    shade = Image.linear_gradient("L").resize(image.size).point(lambda value: 170 + value // 3)
    black = plain("black")
    assert word(Image.composite(image, black, shade)) == "pink"


def test_a_pattern_of_different_colours_has_no_word() -> None:
    image = plain("white")
    for x in range(0, SIDE, 20):
        image.paste("red", (x, 0, x + 10, SIDE))
    assert word(image) is None


def test_a_crop_with_too_few_pixels_has_no_word() -> None:
    image = plain("red")
    assert word(image.resize((SMALLEST_SIDE, SIDE))) == "red"
    assert word(image.resize((SMALLEST_SIDE - 1, SIDE))) is None


def test_plain_garments_of_the_sample_get_the_word_of_the_planted_colour() -> None:
    """Folds, light, background and other things in front are between the two."""
    results = []
    for plan in plan_images(150, seed=1):
        shown = [
            item
            for item in plan.items
            if item.occlusion == 1 and fabric_of(item, 1).pattern == "plain"
        ]
        if not shown or plan.kind == "grey":
            continue
        image, annotation = draw(plan, 1)
        for item in shown:
            crop = image.crop(annotation[f"item{item.index}"]["bounding_box"])
            planted = name_colour(np.array([fabric_of(item, 1).base], np.uint8))
            results.append((word(crop), planted))
    known = [(seen, planted) for seen, planted in results if seen is not None]
    assert len(known) >= 0.8 * len(results) >= 10
    assert sum(seen == planted for seen, planted in known) >= 0.85 * len(known)
