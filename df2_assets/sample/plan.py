"""Which images a sample has, and what is in them: decided before anything is drawn.

A pair is an outfit of one to three garments, photographed by a shop and by users. Each image gets
the viewpoint, and each garment in it the occlusion, that the split has least of so far, so that
some 190 images fill every cell of category x occlusion x viewpoint x domain.
"""

import hashlib
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Final, Literal

from df2_assets.dataset.taxonomy import DOMAINS
from df2_assets.errors import SampleError

Kind = Literal["baseline", "grey", "cmyk", "progressive", "turned"]

SMALLEST: Final = 11
LARGEST: Final = 1_000_000
_TEST_SHARE: Final = 24
"""One image in so many is of `test`; the rest is shared between train and validation."""
_KINDS: Final[tuple[Kind, ...]] = ("grey", "cmyk", "progressive", "turned")
_BOXES_AN_EDGE: Final = 200
"""One box in so many reaches past the edge of its image: half of what a check puts up with."""

TOPS: Final = (1, 2, 5, 6)
OUTWEAR: Final = (3, 4)
LEGS: Final = (7, 8, 9)
DRESSES: Final = (10, 11, 12, 13)
_TROUSERS: Final = 8
"""Tops hang over them, and are tucked into shorts and skirts."""


@dataclass(frozen=True)
class ItemPlan:
    """`index` is N of itemN; `garment` names the cut and the fabric; `short`: worn over legs."""

    index: int
    category_id: int
    style: int
    occlusion: int
    garment: str
    short: bool = False


@dataclass(frozen=True)
class ImagePlan:
    """`items` in the order of painting, innermost first; `past_edge`: its one garment is
    larger than the image, and its box reaches past the edge."""

    split: str
    image_id: str
    source: str
    pair_id: int
    viewpoint: int
    items: tuple[ItemPlan, ...]
    kind: Kind = "baseline"
    past_edge: bool = False

    def sku(self, item: ItemPlan) -> tuple[int, int, int]:
        """Return pair, style and category of one of its items."""
        return self.pair_id, item.style, item.category_id


Cell = tuple[int, int, int, str]


def chance(*names: object) -> random.Random:
    """Return a generator for the thing that `names` names: the same on every machine and Python."""
    text = "/".join(map(str, names))
    return random.Random(int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "big"))


def split_sizes(images: int) -> dict[str, int]:
    """How many images each split gets. Raises SampleError for a number that makes no sample."""
    if not SMALLEST <= images <= LARGEST:
        raise SampleError(
            f"a sample of {images} images cannot be made: ask for {SMALLEST} to {LARGEST:,}."
        )
    test = max(1, images // _TEST_SHARE)
    validation = (images - test) // 2
    return {"train": images - test - validation, "validation": validation, "test": test}


def plan(images: int, seed: int) -> list[ImagePlan]:
    """All images of a sample, by split and id."""
    sizes = split_sizes(images).items()
    return [image for split, count in sizes for image in _split(split, count, seed)]


def _split(split: str, count: int, seed: int) -> list[ImagePlan]:
    rng = chance(seed, split, "plan")
    images = list(_Planner(split, seed, rng, count).images())
    rng.shuffle(images)
    images = [replace(image, image_id=f"{i:06d}") for i, image in enumerate(images, 1)]
    for kind, at in zip(_KINDS, rng.sample(range(count), min(len(_KINDS), count)), strict=False):
        images[at] = replace(images[at], kind=kind)
    boxes = sum(len(image.items) for image in images)
    alone = [at for at, one in enumerate(images) if one.viewpoint == 1 and len(one.items) == 1]
    for at in rng.sample(alone, min(boxes // _BOXES_AN_EDGE, len(alone))):
        images[at] = replace(images[at], past_edge=True)
    return images


class _Planner:
    """Hands out the pairs of a split until it has `count` images."""

    def __init__(self, split: str, seed: int, rng: random.Random, count: int) -> None:
        self.split, self.seed, self.rng, self.left = split, seed, rng, count
        self.pair_id = 0
        self.cells: Counter[Cell] = Counter()

    def images(self) -> Iterator[ImagePlan]:
        """The specimens first, so that small samples have them, then pair after pair."""
        specimens = [(1, 1), (1, 0), (0, 1), (4, 8)]
        while self.left:
            shop, user = specimens.pop(0) if specimens else self._numbers()
            sources = (["shop", "user"] * max(shop, user))[: 2 * min(shop, user)]
            sources += ["shop"] * (shop - user) + ["user"] * (user - shop)
            self.pair_id += 1
            paired = bool(shop and user) and self.left > 1
            outfit = self._outfit()
            for i, source in enumerate(sources[: self.left]):
                yield self._image(source, outfit, twins=i == 2, counts=paired)
            self.left -= min(len(sources), self.left)

    def _numbers(self) -> tuple[int, int]:
        """Shop and user images of a pair; one pair in twenty lacks a side."""
        if self.rng.random() < 0.05:
            return self.rng.choice(((1, 0), (0, 1), (0, 2)))
        return self.rng.choice(((1, 1), (1, 2), (2, 1), (2, 2), (2, 3), (3, 2), (3, 3), (2, 4)))

    def _outfit(self) -> list[ItemPlan]:
        """Garments from the innermost out: of the possible outfits the one most needed."""
        top, outer, legs, dress = (self._needed(group) for group in (TOPS, OUTWEAR, LEGS, DRESSES))
        inner = [legs, top] if legs == _TROUSERS else [top, legs]
        outfits = [inner, [dress], [*inner, outer], [dress, outer]]
        best = max(outfits, key=lambda o: (sum(map(self._gaps, o)) / len(o), self.rng.random()))
        short = dress not in best
        style = 1 if self.rng.random() < 0.85 else self.rng.randint(2, 4)
        garments = []
        for category_id in best:
            own = style if self.rng.random() < 0.8 else style + 1
            if category_id != best[-1] and not self._gaps(category_id) and self.rng.random() < 0.3:
                own = 0
            garments.append(self._garment(category_id, own, short))
        return garments

    def _garment(self, category_id: int, style: int, short: bool) -> ItemPlan:
        name = f"{self.split}/{self.pair_id}/{style}/{category_id}"
        return ItemPlan(0, category_id, style, 1, name, short)

    def _needed(self, group: tuple[int, ...]) -> int:
        return max(group, key=lambda category_id: (self._gaps(category_id), self.rng.random()))

    def _gaps(self, category_id: int) -> int:
        cells = product((category_id,), (1, 2, 3), (1, 2, 3), DOMAINS)
        return sum(not self.cells[cell] for cell in cells)

    def _image(self, source: str, outfit: list[ItemPlan], twins: bool, counts: bool) -> ImagePlan:
        """One photograph; `twins`: lay the last garment beside another style of it."""
        choices = []
        for viewpoint in (1, 2, 3):
            labels = [self._occlusion(g, outfit, viewpoint, source) for g in outfit]
            cells = [
                (g.category_id, label, viewpoint, source)
                for g, label in zip(outfit, labels, strict=True)
                if g.style
            ]
            new = sum(not self.cells[cell] for cell in cells)
            few = -sum(self.cells[cell] for cell in cells)
            choices.append((new, few, self.rng.random(), viewpoint, labels, cells))
        *_, viewpoint, labels, cells = max(choices)
        if counts:
            self.cells.update(cells)
        garments = list(outfit)
        if twins and viewpoint == 1 and len(outfit) < 3:
            last = outfit[-1]
            garments.append(self._garment(last.category_id, last.style + 1, last.short))
            labels = [*labels, 1]
        indices = self._indices(len(garments))
        items = tuple(
            replace(g, index=index, occlusion=label)
            for index, g, label in zip(indices, garments, labels, strict=True)
        )
        return ImagePlan(self.split, "", source, self.pair_id, viewpoint, items)

    def _occlusion(
        self, garment: ItemPlan, outfit: list[ItemPlan], viewpoint: int, source: str
    ) -> int:
        """The label that the split has least of, among those that fit under outwear."""
        cells, category_id = self.cells, garment.category_id
        labels: tuple[int, ...] = (1, 2, 3)
        is_layered = viewpoint != 1 and any(other.category_id in OUTWEAR for other in outfit)
        if is_layered and category_id not in OUTWEAR:
            labels = (2, 3) if category_id in LEGS else (3,)
        return min(
            labels, key=lambda o: (cells[category_id, o, viewpoint, source], self.rng.random())
        )

    def _indices(self, count: int) -> list[int]:
        """Mostly 1, 2, 3; sometimes with gaps; in any order."""
        numbers = list(range(1, count + 1))
        if self.rng.random() < 0.25:
            numbers = self.rng.sample(range(1, 7), count)
        self.rng.shuffle(numbers)
        return numbers
