"""Random data sets that are valid and messy, with bad input between the good images."""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from df2_assets_tests.support.builder import KINDS, DataSet, Item, annotation_text, item, jpeg
from df2_assets_tests.support.planted import BAD


def random_dataset(
    root: Path,
    seed: int,
    splits: Sequence[str] = ("train",),
    images: int = 60,
    *,
    bad: float = 0.0,
) -> DataSet:
    """Write a random data set. `bad` is the share of images from the bad input.

    Pair ids and image ids occur in several splits with different meanings, and `test` only has
    images, as in the released data.
    """
    data = DataSet(root)
    for split in splits:
        rng = random.Random(f"{seed}/{split}")
        for image_id in sorted(rng.sample(range(1, 4 * images), images)):
            _random_image(data, split, image_id, images, rng, bad)
    return data


def _random_image(
    data: DataSet, split: str, image_id: int, images: int, rng: random.Random, bad: float
) -> None:
    size = (rng.randint(30, 180), rng.randint(30, 180))
    picture = jpeg(size, rng.choice((*KINDS, *["rgb"] * 5)), rng.random())
    annotated = split != "test" and rng.random() > 0.08
    if not annotated:
        data.raw_image(split, image_id, picture)
        return
    pair_id = rng.choice((rng.randint(1, max(1, images // 8)), 999_999))
    if rng.random() < bad:
        case = rng.choice(BAD)
        text, spoiled = case.annotation_of(pair_id), case.image
        data.raw_annotation(split, image_id, text)
        if spoiled is not None:
            data.raw_image(split, image_id, spoiled)
        return
    items: dict[int | str, Any] = {
        index: _random_item(rng, size) for index in rng.sample(range(1, 12), rng.randint(0, 5))
    }
    text = annotation_text(rng.choice(("shop", "user")), pair_id, items).encode()
    data.raw_annotation(split, image_id, text)
    data.raw_image(split, image_id, picture)


def _random_item(rng: random.Random, size: tuple[int, int]) -> Item:
    x1, x2 = _random_span(rng, size[0])
    y1, y2 = _random_span(rng, size[1])
    box: list[float] = [x1, y1, x2, y2]
    fields = item(
        rng.choice((1, 1, 8, 13)),
        rng.choice((0, 1, 1, 1, 2, 3, 99)),
        box if rng.random() < 0.9 else [float(edge) for edge in box],
        rng.randint(1, 3),
        rng.randint(1, 3),
        rng.randint(1, 3),
    )
    names = list(fields)
    rng.shuffle(names)
    return {name: fields[name] for name in names}


def _random_span(rng: random.Random, length: int) -> tuple[int, int]:
    """Return a side of a box that overlaps the image: inside, on an edge, past it, or all of it."""
    if rng.random() < 0.1:
        return rng.choice(((0, length), (-7, length + 9), (0, 1), (length - 1, length)))
    start = rng.randint(-4, length - 1)
    return start, rng.randint(max(start, 0) + 1, length + 4)
