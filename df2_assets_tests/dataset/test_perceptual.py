"""The measures of a crop: which pictures they distinguish, and which changes they ignore."""

import io

import pytest
from PIL import Image, ImageEnhance

from df2_assets.dataset.perceptual import Measures, measure
from df2_assets_tests.support.looks import jpeg, picture, plain


def measured(image: Image.Image, quality: int = 95) -> Measures:
    return measure(io.BytesIO(jpeg(image, quality)))


def differing_bits(one: Measures, other: Measures) -> int:
    return ((one.phash ^ other.phash) & (2**64 - 1)).bit_count()


@pytest.mark.parametrize(("colour", "luma"), [("black", 0), ("#808080", 128), ("white", 255)])
def test_a_picture_of_one_colour_has_its_brightness_and_no_contrast(colour: str, luma: int) -> None:
    found = measured(plain(colour))
    assert found.brightness == pytest.approx(luma, abs=1)
    assert found.contrast == found.texture == 0
    assert found.tiny == bytes([round(found.brightness)]) * 192


def test_a_picture_of_two_halves_has_their_contrast_and_their_colours_in_small() -> None:
    image = plain("#0000ff")
    image.paste("#ff0000", (0, 0, 160, 80))
    rows = [measured(image).tiny[row * 24 : row * 24 + 3] for row in (0, 7)]
    assert rows[0][0] > 240 > 15 > rows[0][2]
    assert rows[1][2] > 240 > 15 > rows[1][0]
    black_and_white = plain("black")
    black_and_white.paste("white", (0, 0, 80, 160))
    assert measured(black_and_white).brightness == pytest.approx(127.5, abs=2)
    assert measured(black_and_white).contrast == pytest.approx(127.5, abs=3)


def test_fine_stripes_are_busier_than_broad_ones() -> None:
    fine, broad = plain("white"), plain("white")
    for image, step in ((fine, 20), (broad, 80)):
        for x in range(0, 160, step):
            image.paste("black", (x, 0, x + step // 2, 160))
    assert measured(fine).texture > 2 * measured(broad).texture > 0


@pytest.mark.parametrize("seed", range(5))
def test_a_picture_saved_smaller_worse_and_lighter_keeps_its_hash(seed: int) -> None:
    image = picture(seed)
    again = ImageEnhance.Brightness(image.resize((120, 120))).enhance(1.03)
    assert differing_bits(measured(image), measured(again, quality=60)) <= 4


def test_hashes_of_different_pictures_are_far_apart() -> None:
    hashes = [measured(picture(seed)) for seed in range(30)]
    apart = [differing_bits(a, b) for i, a in enumerate(hashes) for b in hashes[:i]]
    assert min(apart) > 4
    assert all(-(2**63) <= one.phash < 2**63 for one in hashes)


def test_a_file_that_is_not_a_jpeg_is_not_measured() -> None:
    buffer = io.BytesIO()
    plain("red").save(buffer, "PNG")
    buffer.seek(0)
    with pytest.raises(OSError, match="cannot identify"):
        measure(buffer)
