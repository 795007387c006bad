"""Where defects are planted: on further photographs of SKUs that stay whole without them.

Each is planted once in train and once in validation; the clean part of the sample keeps
everything it has.
"""

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import replace
from typing import Final, NamedTuple

from df2_assets.dataset.taxonomy import ANNOTATED_SPLITS, SPLITS
from df2_assets.errors import SampleError
from df2_assets.sample import defects
from df2_assets.sample.answer_key import Expect, Planted
from df2_assets.sample.defects import DEFECTS, NEAR, UNLIKE, Defect
from df2_assets.sample.fabrics import CALM, Fabric, choose_fabric, cut_cloth
from df2_assets.sample.plan import DRESSES, ImagePlan, ItemPlan, chance

Sku = tuple[int, int, int]

_EACH: Final = 2
"""Photographs that are used again in each of the ways there are."""

_BOXES_PER_EDGE: Final = 60
"""One box in so many reaches past the edge in train: more than the check puts up with."""

_SHOWN: Final = 3
"""Crops that show a SKU's garment well, from which on an odd one among them is told apart."""

_FILLING: Final = (5, 9, *DRESSES)
"""Categories whose garments fill their box: vests, skirts, dresses."""

_STRANGERS: Final = {"image": ("000001 (1).jpg", "Thumbs.db"), "annos": ("1.json", "000001.json~")}


class Job(NamedTuple):
    """An image to write to `split` under `image_id`, drawn as `plan` says.

    `defect` names what spoils it, at the item with index `item_idx`.
    """

    split: str
    image_id: str
    plan: ImagePlan
    defect: str = ""
    item_idx: int | None = None

    @property
    def image_path(self) -> str | None:
        """Where the image goes, relative to the sample; None where a defect leaves it out."""
        suffix = DEFECTS[self.defect].image_suffix if self.defect else ".jpg"
        return None if suffix is None else f"{self.split}/image/{self.image_id}{suffix}"

    @property
    def annotation_path(self) -> str | None:
        """Where the annotation goes; None in `test`, or where a defect leaves it out."""
        is_annotated = not self.defect or DEFECTS[self.defect].annotated
        if is_annotated and self.split in ANNOTATED_SPLITS:
            return f"{self.split}/annos/{self.image_id}.json"
        return None

    @property
    def paths(self) -> list[str]:
        """The files that it leaves."""
        return [path for path in (self.image_path, self.annotation_path) if path]


class Planting(NamedTuple):
    """Further images, paths of further files, and the answer key of it all."""

    jobs: list[Job]
    strangers: list[str]
    key: list[Planted]


def plant(plans: list[ImagePlan], seed: int) -> Planting:
    """Return what to add to a clean sample. Raises SampleError for one that is too small."""
    train, validation = (Field(split, plans, seed) for split in ANNOTATED_SPLITS)
    for field in (train, validation):
        for defect in defects.IN_EACH_SPLIT:
            field.plant(defect)
        field.plant_lost_pair()
        field.plant_mismatched()
        for plan in field.plans:
            if plan.kind != "baseline":
                field.note(plan.image_id, None, f"{plan.kind} JPEG", Expect())
        _plant_copies(field, field, None, defects.DUPLICATES)
        _plant_copies(field, field, defects.SAVED_AGAIN, NEAR)
    _plant_copies(train, validation, None, defects.DUPLICATES)
    _plant_copies(train, validation, defects.SAVED_AGAIN, NEAR)
    for field in (train, validation):
        _plant_copies(field, field, defects.SAVED_AGAIN, NEAR, defects.TWO_SKUS)
    train.plant_past_edge()
    jobs, key = train.jobs + validation.jobs, train.key + validation.key
    strangers = [
        f"{split}/{folder}/{name}"
        for split in SPLITS
        for folder, names in _STRANGERS.items()
        if folder == "image" or split in ANNOTATED_SPLITS
        for name in names
    ]
    misnamed = [job.image_path for job in jobs if job.image_path and job.image_path[-4:] != ".jpg"]
    for path in strangers + misnamed:
        expect = Expect(checks=(defects.LAYOUT,))
        key.append(Planted(path.split("/")[0], None, None, path, "file of another name", expect))
    return Planting(jobs, strangers, key)


class Field:
    """A split that is planted: its clean images, its kept SKUs, and what is added."""

    def __init__(self, split: str, plans: list[ImagePlan], seed: int) -> None:
        self.split, self.seed = split, seed
        self.rng = chance(seed, split, "defects")
        self.plans = [plan for plan in plans if plan.split == split]
        sources = defaultdict(set)
        for plan in self.plans:
            for item in plan.items:
                sources[_sku(plan, item)].add(plan.source)
        self.kept = {sku for sku, seen in sources.items() if sku[1] and len(seen) == 2}
        self.usable = [plan for plan in self.plans if self.wanted(plan)]
        self.unused = self.rng.sample(self.usable, len(self.usable))
        self.targets: set[Sku] = set()
        self.jobs: list[Job] = []
        self.key: list[Planted] = []

    def wanted(self, plan: ImagePlan) -> list[ItemPlan]:
        """Return the items of an image that become crops."""
        return [item for item in plan.items if _sku(plan, item) in self.kept]

    def hosts(self) -> list[Sku]:
        """Return SKUs to put a garment of others into: those shown well, else any.

        Shown well are kept SKUs with enough crops in colour that are not heavily occluded; those
        that have a garment of others already are left out: with two, neither stands out.
        """
        seen = Counter(
            _sku(plan, item)
            for plan in self.plans
            for item in self.wanted(plan)
            if item.occlusion < 3 and plan.kind != "grey"
        )
        shown = {sku for sku, count in seen.items() if count >= _SHOWN} - self.targets
        return sorted(shown or self.kept - self.targets)

    def take(self, fits: Callable[[ImagePlan], bool]) -> list[ImagePlan]:
        """Return photographs of which no further use is made."""
        plans = [plan for plan in self.unused if fits(plan) and not plan.past_edge][:_EACH]
        if len(plans) < _EACH:
            raise SampleError(
                f"{len(self.plans)} images of {self.split} are too few to plant every defect: "
                "ask for more images."
            )
        self.unused = [plan for plan in self.unused if plan not in plans]
        return plans

    def plant(self, defect: Defect) -> None:
        """Photograph a kept SKU again, beside another garment if possible, and spoil it."""
        # A studio photographs what nobody wears the same way each time: all but the same picture.
        usable = [plan for plan in self.usable if (plan.source, plan.viewpoint) != ("shop", 1)]
        company = [plan for plan in usable if len(plan.items) > 1]
        self.spoil(self.rng.choice(company or usable), defect)

    def spoil(self, base: ImagePlan, defect: Defect) -> None:
        """Add a photograph of what `base` shows, with a defect in it, and say who must notice."""
        plan = replace(base, image_id=self.next_id(), kind="baseline", past_edge=False)
        items = self.wanted(plan)
        target = items[0].index
        self.jobs.append(Job(self.split, plan.image_id, plan, defect.name, target))
        checks = defect.checks
        if defect.reason is not None and defect.scope != "crops":
            checks = (*checks, defects.REFUSALS)
        indices: dict[str, list[int | None]] = {
            "item": [defect.index(target)],
            "file": [None],
            "crops": [item.index for item in items],
        }
        for item_idx in indices[defect.scope]:
            self.note(plan.image_id, item_idx, defect.name, Expect(defect.reason, checks))

    def plant_lost_pair(self) -> None:
        """Add a SKU whose only shop image is cut off: its user image is good, and of no use."""
        pair_id = max(plan.pair_id for plan in self.plans) + 1
        dress = ItemPlan(1, 10, 1, 1, f"{self.split}/{pair_id}/1/10")
        shop = ImagePlan(self.split, "", "shop", pair_id, 1, (dress,))
        self.kept.add(_sku(shop, dress))
        self.spoil(shop, defects.CUT_OFF)
        self.kept.remove(_sku(shop, dress))
        user = self.add(replace(shop, image_id=self.next_id(), source="user", viewpoint=2))
        self.note(user, 1, "user image of a SKU without a readable shop image", Expect())

    def plant_mismatched(self) -> None:
        """Add a garment of quite another colour to SKUs that are shown well enough."""
        hosts = [sku for sku in self.hosts() if sku[2] in _FILLING]
        furthest = sorted(((*self._find_unlike(sku), sku) for sku in hosts), reverse=True)
        for _, garment, (pair_id, style, category_id) in furthest[:_EACH]:
            self.targets.add((pair_id, style, category_id))
            item = ItemPlan(1, category_id, style, 1, garment)
            plan = ImagePlan(self.split, self.next_id(), "user", pair_id, 1, (item,))
            self.note_crops(self.add(plan), plan, "garment of another SKU", UNLIKE)

    def plant_past_edge(self) -> None:
        """Add so many boxes past the edge that all are named, those of the clean sample too."""
        boxes = sum(len(plan.items) for plan in (*self.plans, *(job.plan for job in self.jobs)))
        for _ in range(1 + boxes // _BOXES_PER_EDGE):
            self.plant(defects.PAST_EDGE)
        for plan in self.plans:
            if plan.past_edge:
                expect = Expect(checks=(defects.BOXES,))
                self.note(plan.image_id, plan.items[0].index, defects.PAST_EDGE.name, expect)

    def add(self, plan: ImagePlan, defect: Defect | None = None) -> str:
        """Add the picture of `plan` under an id of its own, which is returned."""
        image_id, name = self.next_id(), defect.name if defect else ""
        self.jobs.append(Job(self.split, image_id, plan, name, plan.items[0].index))
        return image_id

    def next_id(self) -> str:
        return f"{len(self.plans) + len(self.jobs) + 1:06d}"

    def note_crops(
        self,
        image_id: str,
        plan: ImagePlan,
        planted: str,
        *checks: str,
        once: str | None = None,
        may: tuple[str, ...] = (),
    ) -> None:
        """Write an entry of the key for each crop that is wanted of an image."""
        for item in self.wanted(plan):
            self.note(image_id, item.index, planted, Expect(None, checks, once, may))

    def note(self, image_id: str, item_idx: int | None, planted: str, expect: Expect) -> None:
        """Write an entry of the key."""
        path = f"{self.split}/annos/{image_id}.json"
        self.key.append(Planted(self.split, image_id, item_idx, path, planted, expect))

    def _find_unlike(self, sku: Sku) -> tuple[float, str]:
        """Return the garment in one colour that is furthest from a SKU's, and how far it is."""
        pair_id, style, category_id = sku
        own = f"{self.split}/{pair_id}/{style}/{category_id}"
        patch = cut_cloth(self._fabric(own, category_id), (4, 4), (12, 12)).tobytes()
        colours = [_see(*patch[at : at + 3]) for at in range(0, len(patch), 3)]
        distances = []
        for name in (f"{own}/other{number}" for number in range(60)):
            other = self._fabric(name, category_id)
            if other.pattern in CALM:
                seen = _see(*other.base)
                steps = (abs(a - b) for c in colours for a, b in zip(c, seen, strict=True))
                distances.append((sum(steps), name))
        return max(distances)

    def _fabric(self, garment: str, category_id: int) -> Fabric:
        return choose_fabric(chance(self.seed, garment, "fabric"), category_id)


def _plant_copies(source: Field, target: Field, defect: Defect | None, *checks: str) -> None:
    """Add photographs of `source` to `target` again, saved anew where `defect` says so.

    They go to the SKU that they show, or, in another split or for `TWO_SKUS`, to another one of
    the category: there they may stand out.
    """
    across, is_moved = source is not target, source is not target or defects.TWO_SKUS in checks
    may = (UNLIKE,) if is_moved else ()

    def find_hosts(plan: ImagePlan) -> list[Sku]:
        (item,) = plan.items
        hosts = [sku for sku in target.hosts() if sku[2] == item.category_id]
        return hosts if across else [sku for sku in hosts if sku != _sku(plan, item)]

    def fits(plan: ImagePlan) -> bool:
        if is_moved:
            return len(plan.items) == 1 and bool(find_hosts(plan))
        return defect is None or len(plan.items) > 1

    name = f"photograph that is there again, {'saved anew' if defect else 'byte for byte'}"
    for plan in source.take(fits):
        there = plan
        if is_moved:
            pair_id, style, category_id = target.rng.choice(find_hosts(plan))
            target.targets.add((pair_id, style, category_id))
            there = replace(plan, pair_id=pair_id, items=(replace(plan.items[0], style=style),))
        copy = target.add(there, defect)
        once = (target.split, source.split) if across else (None, None)
        source.note_crops(plan.image_id, plan, name, *checks, once=once[0])
        target.note_crops(copy, there, name, *checks, once=once[1], may=may)


def _sku(plan: ImagePlan, item: ItemPlan) -> Sku:
    return plan.pair_id, item.style, item.category_id


def _see(red: int, green: int, blue: int) -> tuple[float, float, float]:
    """Return lightness, which light changes most and counts least, and two colour differences."""
    return (red + green + blue) / 10, red - green, (red + green) / 2 - blue
