"""Planning of a sample: its images and their content, before anything is drawn.

A pair is an outfit of one to three garments, photographed by a shop and by users. Each image gets
the viewpoint that is rarest in the split so far, and each garment the rarest occlusion. About 190
images then have every combination of category, occlusion, viewpoint and domain.
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
"""One image in 24 is in `test`. The others are divided between train and validation."""
_KINDS: Final[tuple[Kind, ...]] = ("grey", "cmyk", "progressive", "turned")
_BOXES_PER_EDGE: Final = 200
"""One box in 200 extends past the edge of its image: half of what a check accepts."""

TOPS: Final = (1, 2, 5, 6)
OUTWEAR: Final = (3, 4)
LEGS: Final = (7, 8, 9)
DRESSES: Final = (10, 11, 12, 13)
_TROUSERS: Final = 8
"""Tops hang over trousers, and are tucked into shorts and skirts."""


@dataclass(frozen=True)
class ItemPlan:
    """An item of an image.

    `index` is the N of itemN. `garment` is the name that decides cut and fabric. `short` is for
    outwear over a top with trousers, shorts or a skirt.
    """

    index: int
    category_id: int
    style: int
    occlusion: int
    garment: str
    short: bool = False


@dataclass(frozen=True)
class ImagePlan:
    """An image. `items` are in the order of painting, the innermost first.

    With `past_edge`, its only garment is larger than the image, and its box extends past the edge.
    """

    split: str
    image_id: str
    source: str
    pair_id: int
    viewpoint: int
    items: tuple[ItemPlan, ...]
    kind: Kind = "baseline"
    past_edge: bool = False

    def sku(self, item: ItemPlan) -> tuple[int, int, int]:
        """Return pair, style and category of an item of the image."""
        return self.pair_id, item.style, item.category_id


Cell = tuple[int, int, int, str]


def chance(*names: object) -> random.Random:
    """Return a random generator that only depends on `names`, not on machine or Python version."""
    text = "/".join(map(str, names))
    return random.Random(int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "big"))


def split_sizes(images: int) -> dict[str, int]:
    """Return the number of images of each split. Raises SampleError if `images` is out of range."""
    if not SMALLEST <= images <= LARGEST:
        raise SampleError(
            f"a sample cannot have {images} images: choose {SMALLEST} to {LARGEST:,}."
        )
    test = max(1, images // _TEST_SHARE)
    validation = (images - test) // 2
    return {"train": images - test - validation, "validation": validation, "test": test}


def plan_images(images: int, seed: int) -> list[ImagePlan]:
    """Return all images of a sample, by split and id."""
    sizes = split_sizes(images).items()
    return [image for split, count in sizes for image in _plan_split(split, count, seed)]


def _plan_split(split: str, count: int, seed: int) -> list[ImagePlan]:
    rng = chance(seed, split, "plan")
    images = list(_Planner(split, seed, rng, count).images())
    rng.shuffle(images)
    images = [replace(image, image_id=f"{i:06d}") for i, image in enumerate(images, 1)]
    for kind, at in zip(_KINDS, rng.sample(range(count), min(len(_KINDS), count)), strict=False):
        images[at] = replace(images[at], kind=kind)
    boxes = sum(len(image.items) for image in images)
    alone = [
        at for at, image in enumerate(images) if image.viewpoint == 1 and len(image.items) == 1
    ]
    for at in rng.sample(alone, min(boxes // _BOXES_PER_EDGE, len(alone))):
        images[at] = replace(images[at], past_edge=True)
    return images


class _Planner:
    """Plans the pairs of a split until it has `count` images."""

    def __init__(self, split: str, seed: int, rng: random.Random, count: int) -> None:
        self.split, self.seed, self.rng, self.left = split, seed, rng, count
        self.pair_id = 0
        self.cells: Counter[Cell] = Counter()

    def images(self) -> Iterator[ImagePlan]:
        """Yield the specimens first, so that small samples have them, then pair after pair."""
        specimens = [(1, 1), (1, 0), (0, 1), (4, 8)]
        while self.left:
            shop, user = specimens.pop(0) if specimens else self._choose_numbers()
            sources = (["shop", "user"] * max(shop, user))[: 2 * min(shop, user)]
            sources += ["shop"] * (shop - user) + ["user"] * (user - shop)
            self.pair_id += 1
            paired = bool(shop and user) and self.left > 1
            outfit = self._choose_outfit()
            for i, source in enumerate(sources[: self.left]):
                yield self._plan_image(source, outfit, twins=i == 2, counts=paired)
            self.left -= min(len(sources), self.left)

    def _choose_numbers(self) -> tuple[int, int]:
        """Return the numbers of shop and user images of a pair. One pair in 20 lacks a domain."""
        if self.rng.random() < 0.05:
            return self.rng.choice(((1, 0), (0, 1), (0, 2)))
        return self.rng.choice(((1, 1), (1, 2), (2, 1), (2, 2), (2, 3), (3, 2), (3, 3), (2, 4)))

    def _choose_outfit(self) -> list[ItemPlan]:
        """Return the garments of the outfit that fills most gaps, from the innermost outwards."""
        top, outer, legs, dress = (
            self._choose_category(group) for group in (TOPS, OUTWEAR, LEGS, DRESSES)
        )
        inner = [legs, top] if legs == _TROUSERS else [top, legs]
        outfits = [inner, [dress], [*inner, outer], [dress, outer]]
        best = max(
            outfits, key=lambda o: (sum(map(self._count_gaps, o)) / len(o), self.rng.random())
        )
        short = dress not in best
        style = 1 if self.rng.random() < 0.85 else self.rng.randint(2, 4)
        garments = []
        for category_id in best:
            own = style if self.rng.random() < 0.8 else style + 1
            if (
                category_id != best[-1]
                and not self._count_gaps(category_id)
                and self.rng.random() < 0.3
            ):
                own = 0
            garments.append(self._plan_garment(category_id, own, short))
        return garments

    def _plan_garment(self, category_id: int, style: int, short: bool) -> ItemPlan:
        name = f"{self.split}/{self.pair_id}/{style}/{category_id}"
        return ItemPlan(0, category_id, style, 1, name, short)

    def _choose_category(self, group: tuple[int, ...]) -> int:
        return max(
            group, key=lambda category_id: (self._count_gaps(category_id), self.rng.random())
        )

    def _count_gaps(self, category_id: int) -> int:
        cells = product((category_id,), (1, 2, 3), (1, 2, 3), DOMAINS)
        return sum(not self.cells[cell] for cell in cells)

    def _plan_image(
        self, source: str, outfit: list[ItemPlan], twins: bool, counts: bool
    ) -> ImagePlan:
        """Return one photo. With `twins`, another style of the last garment is added next to it."""
        choices = []
        for viewpoint in (1, 2, 3):
            labels = [self._choose_occlusion(g, outfit, viewpoint, source) for g in outfit]
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
            garments.append(self._plan_garment(last.category_id, last.style + 1, last.short))
            labels = [*labels, 1]
        indices = self._choose_indices(len(garments))
        items = tuple(
            replace(g, index=index, occlusion=label)
            for index, g, label in zip(indices, garments, labels, strict=True)
        )
        return ImagePlan(self.split, "", source, self.pair_id, viewpoint, items)

    def _choose_occlusion(
        self, garment: ItemPlan, outfit: list[ItemPlan], viewpoint: int, source: str
    ) -> int:
        """Return the rarest label in the split, among those that are possible under outwear."""
        cells, category_id = self.cells, garment.category_id
        labels: tuple[int, ...] = (1, 2, 3)
        is_layered = viewpoint != 1 and any(other.category_id in OUTWEAR for other in outfit)
        if is_layered and category_id not in OUTWEAR:
            labels = (2, 3) if category_id in LEGS else (3,)
        return min(
            labels, key=lambda o: (cells[category_id, o, viewpoint, source], self.rng.random())
        )

    def _choose_indices(self, count: int) -> list[int]:
        """Return item numbers in any order: mostly 1, 2, 3, sometimes with gaps."""
        numbers = list(range(1, count + 1))
        if self.rng.random() < 0.25:
            numbers = self.rng.sample(range(1, 7), count)
        self.rng.shuffle(numbers)
        return numbers
