"""Where faults are planted: on further photographs of SKUs that stay whole without them.

Each fault is planted once in train and once in validation; the clean part of the sample keeps
everything it has.
"""

from collections import defaultdict
from dataclasses import replace
from typing import Final, NamedTuple

from df2_assets.dataset.taxonomy import ANNOTATED_SPLITS, SPLITS
from df2_assets.sample.answer_key import Expect, Planted
from df2_assets.sample.faults import likeness
from df2_assets.sample.faults.catalogue import FAULTS, IN_EACH_SPLIT
from df2_assets.sample.faults.fault import (
    BOXES,
    DUPLICATES,
    LAYOUT,
    REFUSALS,
    UNLIKE,
    Fault,
)
from df2_assets.sample.faults.items import PAST_EDGE
from df2_assets.sample.jobs import Job
from df2_assets.sample.plan import ImagePlan, ItemPlan
from df2_assets.sample.rng import chance

_COPIES: Final = 2
_BOXES_AN_EDGE: Final = 60
"""One box in so many reaches past the edge in train: more than the check puts up with."""

_CUT_OFF: Final = FAULTS["image cut off in the middle"]
_STRANGERS: Final = {"image": ("000001 (1).jpg", "Thumbs.db"), "annos": ("1.json", "000001.json~")}


class Planting(NamedTuple):
    """Further images, paths of further files, and the answer key of it all."""

    jobs: list[Job]
    strangers: list[str]
    key: list[Planted]


def plant(plans: list[ImagePlan], seed: int) -> Planting:
    """What to add to a clean sample."""
    train, validation = (Field(split, plans, seed) for split in ANNOTATED_SPLITS)
    for field in (train, validation):
        for fault in IN_EACH_SPLIT:
            field.plant(fault)
        field.plant_copies()
        field.plant_lost_pair()
        likeness.plant_saved_again(field)
        likeness.plant_mismatched(field)
        field.note_kinds()
    _plant_leaks(train, validation)
    likeness.plant_near_leaks(train, validation)
    for field in (train, validation):
        likeness.plant_in_two_skus(field)
    train.plant_past_edge()
    jobs, key = train.jobs + validation.jobs, train.key + validation.key
    strangers = [
        f"{split}/{folder}/{name}"
        for split in SPLITS
        for folder, names in _STRANGERS.items()
        if folder == "image" or split in ANNOTATED_SPLITS
        for name in names
    ]
    misnamed = [path for job in jobs if (path := job.image_path()) and path[-4:] != ".jpg"]
    for path in strangers + misnamed:
        expect = Expect(checks=(LAYOUT,))
        key.append(Planted(path.split("/")[0], None, None, path, "file of another name", expect))
    return Planting(jobs, strangers, key)


class Field:
    """A split that is planted: its clean images, its kept SKUs, and what is added."""

    def __init__(self, split: str, plans: list[ImagePlan], seed: int) -> None:
        self.split, self.seed = split, seed
        self.rng = chance(seed, split, "faults")
        self.plans = [plan for plan in plans if plan.split == split]
        sources = defaultdict(set)
        for plan in self.plans:
            for item in plan.items:
                sources[plan.pair_id, item.style, item.category_id].add(plan.source)
        self.kept = {sku for sku, seen in sources.items() if sku[1] and len(seen) == 2}
        self.usable = [plan for plan in self.plans if self.wanted(plan)]
        whole = [plan for plan in self.usable if not plan.past_edge]
        self.unused = self.rng.sample(whole, len(whole))
        self.targets: set[tuple[int, int, int]] = set()
        self.jobs: list[Job] = []
        self.key: list[Planted] = []

    def wanted(self, plan: ImagePlan) -> list[ItemPlan]:
        """The items of an image that become crops."""
        return [i for i in plan.items if (plan.pair_id, i.style, i.category_id) in self.kept]

    def plant(self, fault: Fault) -> None:
        """Photograph a kept SKU once more, beside another garment if possible, and spoil it."""
        # A studio photographs what nobody wears the same way each time: all but the same picture.
        usable = [one for one in self.usable if (one.source, one.viewpoint) != ("shop", 1)]
        company = [plan for plan in usable if len(plan.items) > 1]
        self.spoil(self.rng.choice(company or usable), fault)

    def spoil(self, base: ImagePlan, fault: Fault) -> None:
        """Add a photograph of what `base` shows, with a fault in it, and say who must notice."""
        image_id = self.next_id()
        plan = replace(base, image_id=image_id, kind="baseline", past_edge=False)
        items = self.wanted(plan)
        target = items[0].index
        self.jobs.append(Job(self.split, image_id, plan, fault.name, target))
        checks = fault.checks
        if fault.reason is not None and fault.scope != "crops":
            checks = (*checks, REFUSALS)
        named: list[int | None] = [fault.index(target)]
        if fault.scope == "file":
            named = [None]
        elif fault.scope == "crops":
            named = [item.index for item in items]
        for item_idx in named:
            self.note(image_id, item_idx, fault.name, Expect(fault.reason, checks))

    def plant_copies(self) -> None:
        """The same photograph under another id: their crops are equal, byte for byte."""
        for plan in self.unused[:_COPIES]:
            for image_id in (plan.image_id, self.copy(plan)):
                self.note_crops(image_id, plan, "photograph that is there twice", DUPLICATES)
        del self.unused[:_COPIES]

    def plant_lost_pair(self) -> None:
        """A SKU whose only shop image is cut off: its user image is good, and of no use."""
        pair_id = max(plan.pair_id for plan in self.plans) + 1
        dress = ItemPlan(1, 10, 1, 1, f"{self.split}/{pair_id}/1/10")
        shop = ImagePlan(self.split, "", "shop", pair_id, 1, (dress,))
        self.kept.add((pair_id, dress.style, dress.category_id))
        self.spoil(shop, _CUT_OFF)
        user = replace(shop, image_id=self.next_id(), source="user", viewpoint=2)
        self.jobs.append(Job(self.split, user.image_id, user))
        self.note_crops(user.image_id, user, "user image of a SKU without a readable shop image")

    def plant_past_edge(self) -> None:
        """So many boxes past the edge that all are named, those of the clean sample too."""
        boxes = sum(len(plan.items) for plan in (*self.plans, *(job.plan for job in self.jobs)))
        for _ in range(1 + boxes // _BOXES_AN_EDGE):
            self.plant(PAST_EDGE)
        for plan in self.plans:
            if plan.past_edge:
                expect = Expect(checks=(BOXES,))
                self.note(plan.image_id, plan.items[0].index, PAST_EDGE.name, expect)

    def note_kinds(self) -> None:
        """The unusual JPEGs that a clean sample has already."""
        for plan in self.plans:
            if plan.kind != "baseline":
                self.note(plan.image_id, None, f"{plan.kind} JPEG", Expect())

    def copy(self, plan: ImagePlan, fault: Fault | None = None) -> str:
        """Add the picture of `plan` under an id of its own, which is returned."""
        image_id = self.next_id()
        self.add(image_id, plan, fault)
        return image_id

    def add(self, image_id: str, plan: ImagePlan, fault: Fault | None = None) -> None:
        """Add the picture of `plan` as `image_id`, spoilt by `fault`."""
        name = fault.name if fault else None
        self.jobs.append(Job(self.split, image_id, plan, name, plan.items[0].index))

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
        """An entry of the key for each crop that is wanted of an image."""
        for item in self.wanted(plan):
            self.note(image_id, item.index, planted, Expect(None, checks, once, may))

    def note(self, image_id: str, item_idx: int | None, planted: str, expect: Expect) -> None:
        path = f"{self.split}/annos/{image_id}.json"
        self.key.append(Planted(self.split, image_id, item_idx, path, planted, expect))


def _plant_leaks(train: Field, validation: Field) -> None:
    """Photographs of train that are in validation too, as further images of SKUs there."""
    styles = {
        category_id: (pair_id, style) for pair_id, style, category_id in likeness.hosts(validation)
    }
    single = [plan for plan in train.unused if len(plan.items) == 1]
    leaks = [plan for plan in single if plan.items[0].category_id in styles][:_COPIES]
    train.unused = [plan for plan in train.unused if plan not in leaks]
    for plan in leaks:
        pair_id, style = styles[plan.items[0].category_id]
        item = replace(plan.items[0], style=style)
        there = replace(plan, pair_id=pair_id, items=(item,))
        copy = validation.copy(there)
        train.note_crops(
            plan.image_id,
            plan,
            "photograph that is in validation too",
            DUPLICATES,
            once="validation",
        )
        validation.note_crops(
            copy,
            there,
            "photograph that is in train too",
            DUPLICATES,
            once="train",
            may=(UNLIKE,),
        )
