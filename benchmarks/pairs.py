"""Garments of each image, with about as many images, items and pairs as DeepFashion2 has.

The numbers below are fitted to what is known of the release:

- 191,961 + 32,153 images with 312,186 + 52,490 items, about 1.63 items per image;
- a third of the images are from users (10,844 of 32,153 in validation, README of the data set);
- about 69% of the items belong to an identity, that is, have a style above 0 (556K of 801K,
  DeepFashion2 issue 14), and by no means all of these have a counterpart (issue 58);
- a full build of both splits has 21,190 SKUs and 198,140 crops, of which validation 3,031 SKUs;
- the pairs of train are 394,661 by item and 337,293 by image (issue 30).
"""

import math
import random
from collections.abc import Iterator
from itertools import count, islice
from typing import Final, NamedTuple

_SKUS: Final = ((1, 0.66), (2, 0.24), (3, 0.10))
"""Numbers of SKUs per pair, and their shares."""

_CROPS: Final = {"user": 3.9, "shop": 5.45}
"""Average number of crops per SKU."""

_OUTFITS: Final = 0.75
"""Share of pairs whose SKUs are worn together, in the same images where possible."""

_ALONE: Final = {"user": 0.18, "shop": 1.25}
"""Average number of styles per pair that only users, or only the shop, show."""

_ALONE_CROPS: Final = {"user": 1.4, "shop": 2.8}
_ALONE_JOINS: Final = 0.3
_PLAIN: Final = 0.85
"""Shop images per pair that show only items of style 0."""

_STYLE_0: Final = {"user": 0.29, "shop": 0.53}
"""Further items of style 0 per image."""

_CATEGORIES: Final = (71, 36, 1, 13, 16, 2, 36, 55, 30, 17, 8, 18, 7)
"""Thousands of items by category 1 to 13, about as in train."""


class Item(NamedTuple):
    """A garment; `style` is 0 if it has no counterpart anywhere."""

    style: int
    category_id: int


class ImageContent(NamedTuple):
    """An image: its source (`user` or `shop`), its pair, and its garments."""

    source: str
    pair_id: int
    items: list[Item]


def images(split: str) -> Iterator[ImageContent]:
    """Yield the images of a split without end, pair by pair; they depend on its name alone."""
    rng = random.Random(f"pairs/{split}")
    for pair_id in count(1):
        yield from _pair(rng, pair_id)


def images_of(split: str, number: int) -> list[ImageContent]:
    """Return the first `number` images of a split."""
    return list(islice(images(split), number))


def _pair(rng: random.Random, pair_id: int) -> Iterator[ImageContent]:
    """Yield the images of a pair, user images first, as in the release."""
    (skus,) = rng.choices([k for k, _ in _SKUS], [share for _, share in _SKUS])
    items = [Item(style, _category(rng)) for style in range(1, skus + 1)]
    joins = 1.0 if rng.random() < _OUTFITS else 0.0
    for source in ("user", "shop"):
        contents: list[list[Item]] = []
        for item in items:
            _add_item(rng, contents, item, 1 + _number(rng, _CROPS[source] - 1), joins)
        for _ in range(_number(rng, _ALONE[source])):
            skus += 1
            alone = Item(skus, _category(rng))
            _add_item(
                rng, contents, alone, 1 + _number(rng, _ALONE_CROPS[source] - 1), _ALONE_JOINS
            )
        if source == "shop":
            contents += ([Item(0, _category(rng))] for _ in range(_number(rng, _PLAIN)))
        rng.shuffle(contents)
        for garments in contents:
            for _ in range(_number(rng, _STYLE_0[source])):
                garments.append(Item(0, _category(rng)))
            yield ImageContent(source, pair_id, garments)


def _add_item(
    rng: random.Random, contents: list[list[Item]], item: Item, crops: int, joins: float
) -> None:
    """Add an item to `crops` images: new ones, or those that already show another garment."""
    others = list(range(len(contents)))
    rng.shuffle(others)
    for _ in range(crops):
        if others and rng.random() < joins:
            contents[others.pop()].append(item)
        else:
            contents.append([item])


def _category(rng: random.Random) -> int:
    (category_id,) = rng.choices(range(1, 14), _CATEGORIES)
    return category_id


def _number(rng: random.Random, mean: float) -> int:
    """Draw 0, 1, 2, ... from a geometric distribution with this mean."""
    return int(math.log(1 - rng.random()) / math.log(mean / (1 + mean)))
