"""Planting of defects, in additional photos of SKUs that are complete without these photos.

Each defect is planted once in train and once in validation. The clean part of the sample does not
change.
"""

import io
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from typing import Final, NamedTuple

from df2_assets.dataset.boxes import clamp
from df2_assets.dataset.cropping import decode, encode_crop
from df2_assets.dataset.perceptual import measure
from df2_assets.dataset.taxonomy import DOMAINS
from df2_assets.errors import SampleError
from df2_assets.sample import defects
from df2_assets.sample.answer_key import Expectation, PlantedDefect
from df2_assets.sample.defects import DEFECTS, DUPLICATES, NEAR, NONE, SAVED_AGAIN, TWO_SKUS, Defect
from df2_assets.sample.fabrics import Fabric, choose_fabric, cut_cloth
from df2_assets.sample.picture import draw, encode_picture
from df2_assets.sample.plan import DRESSES, OUTWEAR, ImagePlan, ItemPlan, chance, split_sizes

Sku = tuple[int, int, int]

SMALLEST: Final = 120
"""The smallest sample that has a place for every defect, with almost every seed."""

_EACH: Final = 2

_BOXES_PER_EDGE: Final = 60
"""One box in 60 extends past the edge in train: more than the check accepts."""

_FAR: Final = 220.0
"""The colour distance from which on a garment stands out in any light."""

_FILLING: Final = (5, 9, *DRESSES)
"""Categories whose garments fill most of their box: vests, skirts, dresses."""


class Job(NamedTuple):
    """An image to draw according to `plan`. `defect` spoils the item `item_idx`.

    `paths` has the paths of image and annotation, relative to the sample, or None for no file.
    """

    split: str
    image_id: str
    plan: ImagePlan
    defect: str = NONE.name
    item_idx: int = 0

    @property
    def paths(self) -> tuple[str | None, str | None]:
        defect, annotation = DEFECTS[self.defect], f"{self.split}/annos/{self.image_id}.json"
        image = defect.image_suffix and f"{self.split}/image/{self.image_id}{defect.image_suffix}"
        return image, annotation if defect.annotated and self.split != "test" else None


def plant(plans: list[ImagePlan], seed: int) -> tuple[list[Job], list[str], list[PlantedDefect]]:
    """Return images to add to a clean sample, paths of foreign files, and the answer key.

    Raises SampleError for a sample that is too small.
    """
    if len(plans) < SMALLEST:
        raise SampleError(
            f"a sample of {len(plans)} images is too small to have every defect: choose {SMALLEST} "
            "or more."
        )
    train, validation = (_PlantedSplit(split, plans, seed) for split in ("train", "validation"))
    for planted in (train, validation):
        for defect in defects.IN_EACH_SPLIT:
            planted.spoil(planted.choose_base(), defect)
        planted.plant_mismatched()
        _plant_copies(planted, planted, SAVED_AGAIN, NEAR, TWO_SKUS)
    _plant_copies(train, validation, NONE, DUPLICATES)
    _plant_copies(train, validation, SAVED_AGAIN, NEAR)
    for planted in (train, validation):
        _plant_copies(planted, planted, NONE, DUPLICATES)
        _plant_copies(planted, planted, SAVED_AGAIN, NEAR)
    train.plant_past_edge()
    jobs, key = train.jobs + validation.jobs, train.key + validation.key
    foreign = [f"{split}/image/000001 (1).jpg" for split in split_sizes(len(plans))]
    foreign += [f"{planted.split}/annos/000001.json~" for planted in (train, validation)]
    misnamed = [path for job in jobs if (path := job.paths[0]) and not path.endswith(".jpg")]
    for path in foreign + misnamed:
        expect = Expectation(checks=(defects.LAYOUT,))
        key.append(
            PlantedDefect(path.split("/")[0], None, None, path, "file of another name", expect)
        )
    if missing := defects.CHECKS - {check for entry in key for check in entry.expect.checks}:
        raise SampleError(
            f"a sample of {len(plans)} images with seed {seed} has no place for the "
            f"defects of {', '.join(sorted(missing))}: choose more images, or another seed."
        )
    return jobs, foreign, key


def _plant_copies(
    source: "_PlantedSplit", target: "_PlantedSplit", defect: Defect, *checks: str
) -> None:
    """Add copies of photos of `source` to `target`, saved again if `defect` says so.

    A copy belongs to the SKU that it shows. In another split or for `TWO_SKUS`, it belongs to
    another SKU of the category, where a check may rightly call it unlike.
    """
    is_across, is_moved = source is not target, source is not target or TWO_SKUS in checks
    name = f"copy of a photo, {defect.name or 'byte for byte'}"
    theirs, ours = (target.split, source.split) if is_across else (None, None)
    for _ in range(_EACH):
        for plan in source.unused:
            if copy := target.move(plan) if is_moved else plan:
                break
        else:
            return
        source.unused.remove(plan)
        source.note(plan.image_id, source.crops(plan), name, Expectation(None, checks, theirs))
        may = (defects.UNLIKE,) if is_moved else ()
        image_id = target.add(copy, defect)
        target.note(image_id, target.crops(copy), name, Expectation(None, checks, ours, may))


class _PlantedSplit:
    """A split with planted defects: its clean images, its SKUs, and what is added."""

    def __init__(self, split: str, plans: list[ImagePlan], seed: int) -> None:
        self.split, self.seed, self.rng = split, seed, chance(seed, split, "defects")
        self.plans = [plan for plan in plans if plan.split == split]
        sources = defaultdict(set)
        for plan in self.plans:
            for sku in map(plan.sku, plan.items):
                sources[sku].add(plan.source)
        self.skus = {sku for sku, seen in sources.items() if sku[1] and len(seen) == 2}
        self.usable = [plan for plan in self.plans if self.crops(plan)]
        # A dress under a coat has nearly the same box: its copy would also resemble the coat.
        layered = [p for p in self.usable if any(item.category_id in OUTWEAR for item in p.items)]
        clear = [plan for plan in self.usable if not plan.past_edge and plan not in layered]
        self.unused = self.rng.sample(clear, len(clear))
        self.targets: set[Sku] = set()
        self.jobs: list[Job] = []
        self.key: list[PlantedDefect] = []

    def crops(self, plan: ImagePlan) -> list[int]:
        """Return the indices of the items that become crops."""
        return [item.index for item in plan.items if plan.sku(item) in self.skus]

    def hosts(self, least: int = 1) -> list[Sku]:
        """Return SKUs with at least `least` good crops that can get a garment of another SKU.

        SKUs that already have one are left out: with two, neither would stand out.
        """
        seen = Counter(
            plan.sku(item)
            for plan in self.plans
            for item in plan.items
            if item.occlusion < 3 and plan.kind != "grey"
        )
        return sorted(sku for sku in self.skus - self.targets if seen[sku] >= least)

    def move(self, plan: ImagePlan) -> ImagePlan | None:
        """Return `plan` for another SKU of the category; None if it shows several garments."""
        item, own = plan.items[0], plan.sku(plan.items[0])
        hosts = [sku for sku in self.hosts() if sku[2] == own[2] and sku[:2] != own[:2]]
        if len(plan.items) > 1 or not hosts:
            return None
        self.targets.add(host := self.rng.choice(hosts))
        return replace(plan, pair_id=host[0], items=(replace(item, style=host[1]),))

    def choose_base(self) -> ImagePlan:
        """Return a photo to take again, with several garments if possible."""
        # Studio photos of clothes that nobody wears look almost the same each time.
        usable = [plan for plan in self.usable if (plan.source, plan.viewpoint) != ("shop", 1)]
        usable = [plan for plan in usable if not self.shows_target(plan)]
        with_others = [plan for plan in usable if len(plan.items) > 1]
        return self.rng.choice(with_others or self.usable)

    def shows_target(self, plan: ImagePlan) -> bool:
        """Return whether a photo shows a SKU that got a garment of another SKU."""
        return any(plan.sku(item) in self.targets for item in plan.items)

    def spoil(self, base: ImagePlan, defect: Defect) -> None:
        """Add a photo like `base` with a defect, and its entry in the answer key."""
        plan = replace(base, image_id=self.next_id(), kind="baseline", past_edge=False)
        crops, checks = self.crops(plan), defect.checks
        places: dict[str, Sequence[int | None]] = {"crops": crops, "file": [None]}
        self.add(plan, defect, crops[0])
        if defect.reason:
            early = () if defect.scope == "crops" else (defects.REFUSALS,)
            checks += (*early, defects.ALL_REFUSALS)
        indices = places.get(defect.scope, [crops[0] if defect.index is None else defect.index])
        expect = Expectation(defect.reason, checks, may=defect.may)
        self.note(plan.image_id, indices, defect.name, expect)

    def plant_mismatched(self) -> None:
        """Add a plain garment of a very different colour to SKUs that have enough good crops."""
        hosts = [sku for sku in self.hosts(least=3) if sku[2] in _FILLING]
        furthest: dict[Sku, tuple[float, str]] = {}
        for sku, number in product(hosts, range(60)):
            own = "{}/{}/{}/{}".format(self.split, *sku)
            name = f"{own}/other{number}"
            fabric = choose_fabric(chance(self.seed, own, "fabric"), sku[2])
            other = choose_fabric(chance(self.seed, name, "fabric"), sku[2])
            if other.pattern == "plain":
                candidate = _measure_distance(fabric, other), name
                furthest[sku] = max(candidate, furthest.get(sku, candidate))
        planted = 0
        for sku in sorted(furthest, key=lambda sku: furthest[sku], reverse=True):
            distance, garment = furthest[sku]
            item = ItemPlan(1, sku[2], sku[1], 1, garment)
            plan = ImagePlan(self.split, self.next_id(), "user", sku[0], 1, (item,))
            if planted < _EACH and distance >= _FAR and self.stands_out(plan):
                planted += 1
                self.targets.add(sku)
                expect = Expectation(checks=(defects.UNLIKE,))
                self.note(self.add(plan), [1], "garment of another SKU", expect)
        # A second photo of a target could look like something between the two garments.
        self.unused = [plan for plan in self.unused if not self.shows_target(plan)]

    def stands_out(self, plan: ImagePlan) -> bool:
        """Return whether only the garment of `plan` is unlike the others of its SKU.

        The pictures are drawn for this, since obstacles in front of a garment can have any colour.
        """
        import pandas as pd  # workers that draw do not need them

        from df2_assets.checks.finding import CROP
        from df2_assets.checks.label_outliers import unlike_crops

        sku = plan.sku(plan.items[0])
        rows = []
        for shown in (*self.plans, *(job.plan for job in self.jobs), plan):
            items = [item for item in shown.items if shown.sku(item) == sku]
            if not items:
                continue
            image, labels = draw(shown, self.seed)
            image = decode(io.BytesIO(encode_picture(image, shown.kind)))
            for item in items:
                box = clamp(labels[f"item{item.index}"]["bounding_box"], *image.size)
                looks = measure(io.BytesIO(encode_crop(image, box)))
                path = f"{shown.image_id} {item.index}"
                rows.append(
                    (path, DOMAINS[shown.source], item.occlusion, looks.tiny, looks.texture)
                )
        columns = ["crop_path", "domain", "occlusion", "tiny", "texture"]
        crops = pd.DataFrame(rows, columns=columns).assign(sku_id="", comparable=True)
        crops[[name for name in CROP if name not in crops]] = None
        groups = crops[["crop_path", "occlusion"]]
        odd = unlike_crops(crops.drop(columns="occlusion"), groups, None).offenders["crop_path"]
        return odd.tolist() == [f"{plan.image_id} 1"]

    def plant_past_edge(self) -> None:
        """Add enough boxes past the edge for the check to list all of the split."""
        boxes = sum(len(plan.items) for plan in (*self.plans, *(job.plan for job in self.jobs)))
        for _ in range(1 + boxes // _BOXES_PER_EDGE):
            self.spoil(self.choose_base(), defects.PAST_EDGE)
        for plan in self.plans:
            if plan.past_edge:
                expect = Expectation(checks=(defects.BOXES,))
                self.note(plan.image_id, [plan.items[0].index], defects.PAST_EDGE.name, expect)

    def add(self, plan: ImagePlan, defect: Defect = NONE, item_idx: int = 0) -> str:
        """Add the picture of `plan` under a new image id, and return that."""
        self.jobs.append(Job(self.split, self.next_id(), plan, defect.name, item_idx))
        return self.jobs[-1].image_id

    def next_id(self) -> str:
        """Return the id of the next image to add."""
        return f"{len(self.plans) + len(self.jobs) + 1:06d}"

    def note(
        self, image_id: str, indices: Sequence[int | None], planted: str, expect: Expectation
    ) -> None:
        """Add an entry to the answer key for each of the items of an image."""
        path = f"{self.split}/annos/{image_id}.json"
        for item_idx in indices:
            self.key.append(PlantedDefect(self.split, image_id, item_idx, path, planted, expect))


def _measure_distance(*fabrics: Fabric) -> float:
    """Return the colour distance of two fabrics. Lightness counts least: it depends on light."""
    (r, g, b), (u, v, w) = (cut_cloth(f, 32, (64, 64)).reduce(64).tobytes() for f in fabrics)
    r, g, b = r - u, g - v, b - w
    return abs(r + g + b) / 10 + abs(r - g) + abs((r + g) / 2 - b)
