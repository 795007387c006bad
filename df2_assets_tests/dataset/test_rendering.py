"""The pixels and bytes of crop variants."""

import io
import random
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import PIL
import pytest
from PIL import Image, ImageChops, features

from df2_assets.dataset import cropping, rendering
from df2_assets.dataset.annotations import Refused
from df2_assets.dataset.cropping import encode_crop
from df2_assets.dataset.masks import fill
from df2_assets.dataset.reasons import Reason
from df2_assets.dataset.rendering import encode, fingerprint, render
from df2_assets.dataset.shapes import RefusedShape, ShapeReason
from df2_assets.dataset.variants import CropVariant

RED, BLUE, WHITE, GREY = (200, 0, 0), (0, 0, 200), (255, 255, 255), (128, 128, 128)
BOX = (20, 10, 60, 90)
GARMENT = [[30.0, 20.0, 50.0, 20.0, 50.0, 80.0, 30.0, 80.0]]
"""A rectangle of 20 by 60 pixels, 10 pixels from each edge of `BOX`."""


@pytest.fixture(scope="module")
def photo() -> Image.Image:
    """An image with a red garment, which `GARMENT` outlines, in front of blue."""
    image = Image.new("RGB", (100, 100), BLUE)
    image.paste(RED, (30, 20, 50, 80))
    return image


def variant(**options: Any) -> CropVariant:
    return CropVariant("v", **options)


def decode(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def test_without_options_the_bytes_are_those_of_the_contract() -> None:
    """The noise has all frequencies; a comment is kept, as in the contract's crops."""
    image = Image.effect_noise((100, 100), 90).convert("RGB")
    image.info["comment"] = b"studio"
    assert encode(image, BOX, variant()) == encode_crop(image, BOX)


def test_a_square_is_filled_with_a_colour(photo: Image.Image) -> None:
    image = render(photo, BOX, variant(square="pad"))
    assert image.size == (80, 80)
    assert [image.getpixel((x, 40)) for x in (0, 19, 20, 30, 59, 60)] == (
        [WHITE, WHITE, BLUE, RED, BLUE, WHITE]
    )
    grey = render(photo, BOX, variant(square="pad", fill="#808080"))
    assert grey.getpixel((0, 0)) == GREY


def test_a_square_repeats_the_edge(photo: Image.Image) -> None:
    wide = (30, 20, 70, 40)  # its left half is red
    image = render(photo, wide, variant(square="pad", fill="edge"))
    assert image.size == (40, 40)
    assert [image.getpixel((10, y)) for y in (0, 9, 10, 39)] == [RED] * 4
    assert [image.getpixel((30, y)) for y in (0, 9, 10, 39)] == [BLUE] * 4


def test_both_directions_of_a_square_in_a_corner_are_filled() -> None:
    image = Image.new("RGB", (40, 30), BLUE)
    image.putpixel((0, 0), RED)
    corner = render(image, (0, 0, 10, 10), variant(square="widen", margin=0.5, fill="edge"))
    assert corner.size == (20, 20)
    assert corner.getpixel((0, 0)) == corner.getpixel((4, 5)) == RED
    assert corner.getpixel((6, 6)) == BLUE


def test_a_widened_square_shows_the_photo(photo: Image.Image) -> None:
    image = render(photo, (40, 30, 60, 70), variant(square="widen"))
    assert ImageChops.difference(image, photo.crop((30, 30, 70, 70))).getbbox() is None


@pytest.mark.parametrize("name", ["nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"])
def test_a_size_is_reached_with_the_filter_and_without_pixels_outside_the_box(
    name: str, photo: Image.Image
) -> None:
    image = render(photo, (30, 20, 50, 80), variant(size=30, resample=name))
    assert image.size == (10, 30)
    assert image.getcolors() == [(300, RED)]
    noise = Image.effect_noise((100, 100), 90).convert("RGB")
    expected = noise.crop(BOX).resize((20, 40), Image.Resampling[name.upper()])
    image = render(noise, BOX, variant(size=40, resample=name))
    assert ImageChops.difference(image, expected).getbbox() is None


def test_a_cut_out_is_in_front_of_a_colour(photo: Image.Image) -> None:
    image = render(photo, BOX, variant(cut_out="#ffffff"), GARMENT)
    assert image.size == (40, 80)
    inside = image.crop((10, 10, 30, 70))
    assert inside.getcolors() == [(20 * 60, RED)]
    image.paste(WHITE, (10, 10, 31, 71))  # a quarter of a pixel is drawn beyond the outline
    assert image.getcolors() == [(40 * 80, WHITE)]


def test_a_cut_out_with_alpha_is_transparent_and_hides_nothing(photo: Image.Image) -> None:
    square = variant(cut_out="alpha", format="png", square="pad")
    image = decode(encode(photo, BOX, square, GARMENT))
    assert (image.mode, image.size) == ("RGBA", (80, 80))
    assert [image.getpixel((x, 40)) for x in (0, 25, 40, 55)] == (
        [(*WHITE, 0), (*WHITE, 0), (*RED, 255), (*WHITE, 0)]
    )


def test_the_outline_of_a_cut_out_is_smooth_and_right_at_any_size(photo: Image.Image) -> None:
    triangle = [[20.0, 10.0, 60.0, 10.0, 20.0, 90.0]]
    for size in (40, 80, 700):
        alpha = render(photo, BOX, variant(cut_out="alpha", size=size), triangle).getchannel("A")
        shares = alpha.histogram()
        covered = sum(share * number for share, number in enumerate(shares)) / 255
        assert covered == pytest.approx(alpha.width * alpha.height / 2, rel=0.03)
        assert any(shares[1:255])


def test_a_cut_out_shows_the_mask_of_the_labels(photo: Image.Image) -> None:
    """The two are drawn by different rules, so a few pixels along the outline differ."""
    draw = random.Random(3)
    for _ in range(20):
        polygon = [draw.uniform(*limits) for _ in range(7) for limits in ((15, 65), (5, 95))]
        alpha = render(photo, BOX, variant(cut_out="alpha"), [polygon]).getchannel("A")
        corners = [edge - BOX[place % 2] for place, edge in enumerate(polygon)]
        mask = fill([corners], *alpha.size)
        assert ((np.asarray(alpha) > 127) != mask).mean() < 0.03


def test_a_cut_out_has_all_polygons_of_the_item(photo: Image.Image) -> None:
    sleeves = [[20, 10, 30, 10, 30, 20, 20, 20], [50, 80, 60, 80, 60, 90, 50, 90]]
    image = render(photo, BOX, variant(cut_out="#ffffff"), sleeves)
    assert image.getpixel((5, 5)) == image.getpixel((35, 75)) == BLUE
    assert image.getpixel((20, 40)) == WHITE


@pytest.mark.parametrize("polygons", [[], [[70, 70, 90, 70, 90, 90]], [[1e6, -1e6] * 3]])
def test_a_cut_out_of_nothing_is_refused(
    polygons: Sequence[Sequence[float]], photo: Image.Image
) -> None:
    with pytest.raises(RefusedShape) as refused:
        render(photo, BOX, variant(cut_out="#ffffff"), polygons)
    assert refused.value.reason == ShapeReason.NO_AREA


@pytest.mark.parametrize("form", ["jpeg", "png", "webp"])
def test_the_format_is_that_of_the_declaration(form: Any, photo: Image.Image) -> None:
    photo = photo.copy()
    photo.info["icc_profile"] = b"a profile that crops do not have"
    declared = variant(format=form, square="pad", size=64)
    data = encode(photo, BOX, declared)
    image = decode(data)
    assert (image.format or "").lower() == form
    assert image.size == (64, 64)
    assert "icc_profile" not in image.info
    assert data == encode(photo, BOX, declared)


def test_a_lower_quality_gives_smaller_files() -> None:
    image = Image.effect_noise((100, 100), 90).convert("RGB")
    for form in ("jpeg", "webp"):
        small, large = (
            len(encode(image, BOX, variant(format=form, quality=quality))) for quality in (50, 95)
        )
        assert small < large


@pytest.mark.parametrize(
    ("size", "options", "says"),
    [
        ((17_000, 2), {"format": "webp"}, "would have 17000 x 2 pixels, and a side in webp at mo"),
        ((10_000, 2), {"square": "pad"}, "would have 10000 x 10000 pixels, more than 89478485"),
    ],
)
def test_a_variant_that_its_format_or_the_memory_cannot_hold_is_refused(
    size: tuple[int, int], options: dict[str, Any], says: str
) -> None:
    with pytest.raises(Refused) as refused:
        encode(Image.new("RGB", size), (0, 0, *size), variant(**options))
    assert refused.value.reason == Reason.IMAGE_TOO_LARGE
    assert says in refused.value.detail


OPTIONS: list[dict[str, Any]] = [
    {"margin": 0.5},
    {"square": "pad"},
    {"fill": "#000000"},
    {"size": 3},
    {"resample": "box"},
    {"cut_out": "alpha"},
    {"format": "webp"},
    {"quality": 94},
]


def test_every_option_changes_the_fingerprint_and_the_name_does_not() -> None:
    assert {next(iter(options)) for options in OPTIONS} == (
        {*CropVariant.__struct_fields__} - {"name"}
    )
    prints = {fingerprint(variant(**options)) for options in [{}, *OPTIONS]}
    assert len(prints) == len(OPTIONS) + 1
    assert fingerprint(CropVariant("other")) == fingerprint(variant())


def test_the_fingerprint_changes_with_the_code_and_the_libraries(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    changes: tuple[Callable[[], None], ...] = (
        lambda: monkeypatch.setattr(rendering, "CODE_VERSION", "next"),
        lambda: monkeypatch.setattr(cropping, "CODE_VERSION", "next"),
        lambda: monkeypatch.setattr(PIL, "__version__", "99.0"),
        lambda: monkeypatch.setattr(features, "version", lambda _: "99"),
    )
    prints = [fingerprint(variant(format="webp"))]
    for change in changes:
        change()
        prints.append(fingerprint(variant(format="webp")))
    assert len({*prints}) == len(changes) + 1
