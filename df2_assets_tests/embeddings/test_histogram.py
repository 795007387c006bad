"""The encoder `histogram`: CIELAB in integers, and vectors that say how alike two pictures are."""

import hashlib

import numpy as np
from PIL import Image, ImageFilter

from df2_assets.dataset import colours
from df2_assets.embeddings.histogram import Histogram, convert_to_lab
from df2_assets_tests.support.builder import jpeg


def picture(seed: int, size: tuple[int, int] = (120, 90)) -> Image.Image:
    import io

    return Image.open(io.BytesIO(jpeg(size, seed=seed))).convert("RGB")


def test_colours_are_those_of_cielab() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (2000, 3), np.uint8)
    difference = np.abs(
        convert_to_lab(pixels.astype(np.int64)) / 4096 - colours.convert_to_lab(pixels)
    )
    assert difference.max() < 1
    assert difference.mean() < 0.1


def test_a_vector_has_the_length_one_and_does_not_depend_on_its_batch() -> None:
    pictures = [picture(1), picture(2, (7, 300)), picture(3, (1, 1)), Image.new("RGB", (50, 50))]
    together = Histogram()(pictures)
    assert together.dtype == np.float32
    assert together.shape == (4, 5 * (4 * 7 * 7 + 8))
    assert np.allclose(np.linalg.norm(together[:2], axis=1), 1)
    assert (np.linalg.norm(together, axis=1) > 0.5).all()  # without an edge, only colours count
    alone = np.concatenate([Histogram()([each]) for each in pictures])
    assert np.array_equal(together, alone)


def test_every_machine_computes_the_same_vector() -> None:
    drawn = Image.fromarray((np.indices((64, 48)).sum(axis=0) * 2).astype(np.uint8))
    coloured = Image.merge("RGB", (drawn, drawn.transpose(Image.Transpose.ROTATE_180), drawn))
    vector = Histogram()([coloured])
    assert hashlib.sha256(vector.tobytes()).hexdigest()[:16] == "8c32ec536f06beb2"


def test_the_same_picture_in_another_size_is_nearer_than_another_picture() -> None:
    first, other = picture(1), picture(2)
    small, blurred = first.resize((60, 45)), first.filter(ImageFilter.GaussianBlur(2))
    vectors = Histogram()([first, small, blurred, other])
    _, to_small, to_blurred, to_other = vectors @ vectors[0]
    assert min(to_small, to_blurred) > to_other
