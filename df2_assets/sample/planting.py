"""Where defects are planted: on further photographs of SKUs that stay whole without them.

Each is planted once in train and once in validation; the clean part of the sample keeps
everything it has.
"""

from collections import Counter, defaultdict
from dataclasses import replace
from typing import Final, NamedTuple

from df2_assets.dataset.taxonomy import ANNOTATED_SPLITS, SPLITS
from df2_assets.errors import SampleError
from df2_assets.sample import defects
from df2_assets.sample.answer_key import Expect, Planted
from df2_assets.sample.defects import DEFECTS, DUPLICATES, NEAR, SAVED_AGAIN, TWO_SKUS, Defect
from df2_assets.sample.fabrics import CALM, choose_fabric, cut_cloth
from df2_assets.sample.garments import choose_cut
from df2_assets.sample.plan import DRESSES, OUTWEAR, ImagePlan, ItemPlan, chance

Sku = tuple[int, int, int]

_EACH: Final = 2

_BOXES_PER_EDGE: Final = 60
"""One box in so many reaches past the edge in train: more than the check puts up with."""

_FAR: Final = 200.0
"""Steps of colour from a SKU's garment, from which on another one stands out whatever the light."""

_FILLING: Final = (5, 9, *DRESSES)
"""Categories whose garments fill their box: vests, skirts, dresses."""

_IMAGES: Final = ("000001 (1).jpg", "Thumbs.db")
_ANNOS: Final = ("1.json", "000001.json~")


class Job(NamedTuple):
    """An image to draw as `plan` says; `defect` spoils it at the item with index `item_idx`.

    `paths` are those of the image and the annotation, relative to the sample, None for no file.
    """

    split: str
    image_id: str
    plan: ImagePlan
    defect: str = ""
    item_idx: int = 0

    @property
    def paths(self) -> tuple[str | None, str | None]:
        defect = DEFECTS.get(self.defect, defects.NONE)
        suffix, is_annotated = defect.image_suffix, defect.annotated and self.split != "test"
        return (
            suffix and f"{self.split}/image/{self.image_id}{suffix}",
            f"{self.split}/annos/{self.image_id}.json" if is_annotated else None,
        )


class Planting(NamedTuple):
    """Further images, paths of further files, and the answer key of it all."""

    jobs: list[Job]
    strangers: list[str]
    key: list[Planted]


def plant(plans: list[ImagePlan], seed: int) -> Planting:
    """Return what to add to a clean sample. Raises SampleError for one that is too small."""
    train, validation = (_Field(split, plans, seed) for split in ANNOTATED_SPLITS)
    for field in (train, validation):
        for defect in defects.IN_EACH_SPLIT:
            field.spoil(field.choose_base(), defect)
        field.plant_lost_pair()
        field.plant_mismatched()
        for plan in field.plans:
            if plan.kind != "baseline":
                field.note(plan.image_id, [None], f"{plan.kind} JPEG", Expect())
    for field in (train, validation):
        _plant_copies(field, field, SAVED_AGAIN, NEAR, TWO_SKUS)
    _plant_copies(train, validation, None, DUPLICATES)
    _plant_copies(train, validation, SAVED_AGAIN, NEAR)
    for field in (train, validation):
        _plant_copies(field, field, None, DUPLICATES)
        _plant_copies(field, field, SAVED_AGAIN, NEAR)
    train.plant_past_edge()
    jobs, key = train.jobs + validation.jobs, train.key + validation.key
    strangers = [f"{split}/image/{name}" for split in SPLITS for name in _IMAGES]
    strangers += [f"{split}/annos/{name}" for split in ANNOTATED_SPLITS for name in _ANNOS]
    images = [job.paths[0] for job in jobs]
    misnamed = [path for path in images if path and not path.endswith(".jpg")]
    for path in strangers + misnamed:
        expect = Expect(checks=(defects.LAYOUT,))
        key.append(Planted(path.split("/")[0], None, None, path, "file of another name", expect))
    if missing := defects.CHECKS - {check for entry in key for check in entry.expect.checks}:
        raise SampleError(
            f"a sample of {len(plans)} images is too small to plant anything for "
            f"{', '.join(sorted(missing))}: ask for more."
        )
    return Planting(jobs, strangers, key)


def _plant_copies(source: "_Field", target: "_Field", defect: Defect | None, *checks: str) -> None:
    """Add photographs of `source` to `target` again, saved anew where `defect` says so.

    They go to the SKU that they show, or, in another split or for `TWO_SKUS`, to another one of
    the category, which they are not wrong to be called unlike.
    """
    is_moved, is_across = source is not target or TWO_SKUS in checks, source is not target
    for _ in range(_EACH):
        for plan in source.unused:
            item, hosts = plan.items[0], [(plan.pair_id, plan.items[0].style)]
            if is_moved:
                hosts = [host[:2] for host in target.hosts() if host[2] == item.category_id]
                hosts = [host for host in hosts if is_across or host != (plan.pair_id, item.style)]
            # Under a coat lies a dress in nearly the same box: its copy would be like the coat too.
            is_layered = any(item.category_id in OUTWEAR for item in plan.items)
            if hosts and (len(plan.items) == 1 if is_moved else not is_layered):
                break
        else:
            return
        source.unused.remove(plan)
        there, may = plan, (defects.UNLIKE,) if is_moved else ()
        if is_moved:
            pair_id, style = target.rng.choice(hosts)
            target.targets.add((pair_id, style, item.category_id))
            there = replace(plan, pair_id=pair_id, items=(replace(item, style=style),))
        name = f"photograph that is there again, {'saved anew' if defect else 'byte for byte'}"
        theirs, ours = (target.split, source.split) if is_across else (None, None)
        source.note(plan.image_id, source.crops(plan), name, Expect(None, checks, theirs))
        copy = target.add(there, defect)
        target.note(copy, target.crops(there), name, Expect(None, checks, ours, may))


class _Field:
    """A split that is planted: its clean images, its kept SKUs, and what is added."""

    def __init__(self, split: str, plans: list[ImagePlan], seed: int) -> None:
        self.split, self.seed, self.rng = split, seed, chance(seed, split, "defects")
        self.plans = [plan for plan in plans if plan.split == split]
        sources = defaultdict(set)
        for plan in self.plans:
            for sku in map(plan.sku, plan.items):
                sources[sku].add(plan.source)
        self.kept = {sku for sku, seen in sources.items() if sku[1] and len(seen) == 2}
        self.usable = [plan for plan in self.plans if self.crops(plan)]
        whole = [plan for plan in self.usable if not plan.past_edge]
        self.unused = self.rng.sample(whole, len(whole))
        self.targets: set[Sku] = set()
        self.jobs: list[Job] = []
        self.key: list[Planted] = []

    def crops(self, plan: ImagePlan) -> list[int | None]:
        """Return the indices of the items that become crops."""
        return [item.index for item in plan.items if plan.sku(item) in self.kept]

    def hosts(self, least: int = 1) -> list[Sku]:
        """Return kept SKUs to put a garment of others into, with `least` good crops.

        Those that have one already are left out: with two, neither stands out.
        """
        seen = Counter(
            plan.sku(item)
            for plan in self.plans
            for item in plan.items
            if item.occlusion < 3 and plan.kind != "grey"
        )
        return sorted(sku for sku in self.kept - self.targets if seen[sku] >= least)

    def choose_base(self) -> ImagePlan:
        """Return a photograph to take again, one with several garments if possible."""
        # A studio photographs what nobody wears the same way each time: all but the same picture.
        usable = [plan for plan in self.usable if (plan.source, plan.viewpoint) != ("shop", 1)]
        company = [plan for plan in usable if len(plan.items) > 1]
        return self.rng.choice(company or usable or self.usable)

    def spoil(self, base: ImagePlan, defect: Defect) -> None:
        """Add a photograph of what `base` shows, with a defect in it, and say who must notice."""
        plan = replace(base, image_id=self.next_id(), kind="baseline", past_edge=False)
        crops = self.crops(plan)
        target = next(item for item in plan.items if item.index == crops[0]).index
        self.jobs.append(Job(self.split, plan.image_id, plan, defect.name, target))
        is_refused = defect.reason is not None and defect.scope != "crops"
        checks = (*defect.checks, defects.REFUSALS) if is_refused else defect.checks
        if defect.scope != "crops":
            crops = [None] if defect.scope == "file" else [defect.index(target)]
        self.note(plan.image_id, crops, defect.name, Expect(defect.reason, checks))

    def plant_lost_pair(self) -> None:
        """Add a SKU whose only shop image is cut off: its user image is good, and of no use."""
        pair_id = max(plan.pair_id for plan in self.plans) + 1
        dress = ItemPlan(1, 10, 1, 1, f"{self.split}/{pair_id}/1/10")
        shop = ImagePlan(self.split, "", "shop", pair_id, 1, (dress,))
        self.kept.add(shop.sku(dress))
        self.spoil(shop, defects.CUT_OFF)
        self.kept.remove(shop.sku(dress))
        user = self.add(replace(shop, image_id=self.next_id(), source="user", viewpoint=2))
        self.note(user, [1], "user image of a SKU without a readable shop image", Expect())

    def plant_mismatched(self) -> None:
        """Add a garment of quite another colour to SKUs that are shown well enough."""
        hosts = [sku for sku in self.hosts(least=3) if sku[2] in _FILLING]
        furthest = sorted(((*self._find_unlike(sku), sku) for sku in hosts), reverse=True)
        for _, garment, sku in [best for best in furthest[:_EACH] if best[0] >= _FAR]:
            pair_id, style, category_id = sku
            self.targets.add(sku)
            item = ItemPlan(1, category_id, style, 1, garment)
            plan = ImagePlan(self.split, self.next_id(), "user", pair_id, 1, (item,))
            expect = Expect(checks=(defects.UNLIKE,))
            self.note(self.add(plan), [1], "garment of another SKU", expect)

    def plant_past_edge(self) -> None:
        """Add so many boxes past the edge that all are named, those of the clean sample too."""
        boxes = sum(len(plan.items) for plan in (*self.plans, *(job.plan for job in self.jobs)))
        for _ in range(1 + boxes // _BOXES_PER_EDGE):
            self.spoil(self.choose_base(), defects.PAST_EDGE)
        for plan in self.plans:
            if plan.past_edge:
                expect = Expect(checks=(defects.BOXES,))
                self.note(plan.image_id, [plan.items[0].index], defects.PAST_EDGE.name, expect)

    def add(self, plan: ImagePlan, defect: Defect | None = None) -> str:
        """Add the picture of `plan` under an id of its own, which is returned."""
        name, item_idx = defect.name if defect else "", plan.items[0].index
        self.jobs.append(Job(self.split, self.next_id(), plan, name, item_idx))
        return self.jobs[-1].image_id

    def next_id(self) -> str:
        """Return the id of the next image to add."""
        return f"{len(self.plans) + len(self.jobs) + 1:06d}"

    def note(self, image_id: str, indices: list[int | None], planted: str, expect: Expect) -> None:
        """Write an entry of the key for each of an image's items."""
        path = f"{self.split}/annos/{image_id}.json"
        for item_idx in indices:
            self.key.append(Planted(self.split, image_id, item_idx, path, planted, expect))

    def _find_unlike(self, sku: Sku) -> tuple[float, str]:
        """Return how far the furthest garment in one colour is from a SKU's, and its name."""
        own = "{}/{}/{}/{}".format(self.split, *sku)
        fabric = choose_fabric(chance(self.seed, own, "fabric"), sku[2])
        patch = cut_cloth(fabric, (4, 4), (12, 12)).tobytes()
        colours = [_see(*patch[at : at + 3]) for at in range(0, len(patch), 3)]
        best = 0.0, own
        for name in (f"{own}/other{number}" for number in range(60)):
            other = choose_fabric(chance(self.seed, name, "fabric"), sku[2])
            cut = choose_cut(chance(self.seed, name, "cut"), sku[2], short=False)
            if other.pattern in CALM and cut.detail != "print":
                steps = (
                    abs(a - b) for c in colours for a, b in zip(c, _see(*other.base), strict=True)
                )
                best = max(best, (sum(steps) / len(colours), name))
        return best


def _see(red: int, green: int, blue: int) -> tuple[float, float, float]:
    """Return lightness, which light changes most and counts least, and two colour differences."""
    return (red + green + blue) / 10, red - green, (red + green) / 2 - blue
