"""Masks: polygons become the pixels and the run lengths that pycocotools makes of them."""

import random

import numpy as np
import pytest

from df2_assets.dataset.masks import (
    OutlineTooLongError,
    decode_mask,
    encode_mask,
    fill,
    rasterize,
)

SQUARE = [1, 1, 4, 1, 4, 3, 1, 3]


def random_polygons(rng: random.Random, width: int, height: int) -> list[list[float]]:
    """Return up to four polygons, partly outside the image, with and without fractions."""
    digits = rng.choice((0, 1, 15))
    return [
        [
            round(rng.uniform(-0.5, 1.5) * side, digits)
            for _ in range(rng.randint(3, 30))
            for side in (width, height)
        ]
        for _ in range(rng.randint(1, 4))
    ]


def test_a_polygon_covers_its_pixels() -> None:
    mask = fill([SQUARE], 5, 4)
    assert mask.shape == (4, 5)
    assert mask.astype(int).tolist() == [
        [0, 0, 0, 0, 0],
        [0, 1, 1, 1, 0],
        [0, 1, 1, 1, 0],
        [0, 0, 0, 0, 0],
    ]


def test_polygons_of_an_item_are_united() -> None:
    twice, both = fill([SQUARE, SQUARE], 5, 4), fill([SQUARE, [0, 0, 2, 0, 2, 2, 0, 2]], 5, 4)
    assert (twice == fill([SQUARE], 5, 4)).all()
    assert both.sum() == 6 + 4 - 1


@pytest.mark.parametrize("outside", [[-9, -9, -5, -9, -5, -5], [50, 1, 60, 1, 60, 9]])
def test_a_polygon_outside_covers_nothing(outside: list[float]) -> None:
    assert not fill([outside], 5, 4).any()


def test_masks_keep_every_pixel_as_run_lengths() -> None:
    rng = np.random.default_rng(0)
    for width, height, share in [(1, 1, 0), (1, 1, 1), (7, 3, 0.5), (90, 200, 0.1), (300, 9, 1)]:
        mask = rng.random((height, width)) < share
        assert (decode_mask(encode_mask(mask), width, height) == mask).all()


def test_a_mask_of_another_size_is_not_decoded() -> None:
    with pytest.raises(ValueError, match="a mask of 20 pixels, not of 6 x 4"):
        decode_mask(rasterize([SQUARE], 5, 4), 6, 4)


def test_an_endless_outline_is_not_drawn() -> None:
    with pytest.raises(OutlineTooLongError, match="an outline of 2,000,000 pixels"):
        fill([[0, 0, 1_000_000, 0, 1, 1]], 5, 4)


@pytest.mark.exports
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # pycocotools'
def test_pycocotools_agrees_on_a_thousand_items() -> None:
    from pycocotools import mask as coco

    rng = random.Random(0)
    before = None
    for _ in range(1000):
        width, height = rng.randint(1, 200), rng.randint(1, 200)
        polygons = random_polygons(rng, width, height)
        theirs = coco.merge(coco.frPyObjects(polygons, height, width))
        ours = {"size": [height, width], "counts": rasterize(polygons, width, height)}
        assert ours == {**theirs, "counts": theirs["counts"].decode()}
        mask = decode_mask(str(ours["counts"]), width, height)
        assert (mask == coco.decode(theirs)).all()
        assert mask.sum() == coco.area(theirs)
        if before is not None:
            other = fill(before, width, height)
            encoded = {"size": [height, width], "counts": encode_mask(other)}
            union = (mask | other).sum()
            wanted = (mask & other).sum() / union if union else 0
            assert coco.iou([ours], [encoded], [0])[0, 0] == wanted
        before = polygons
