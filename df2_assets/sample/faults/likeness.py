"""Photographs that are there again in other bytes, and garments under the wrong id."""

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from df2_assets.sample.faults.fault import NEAR, TWO_SKUS, UNLIKE
from df2_assets.sample.faults.looks import SAVED_AGAIN
from df2_assets.sample.garments import fabrics
from df2_assets.sample.plan import DRESSES, ImagePlan, ItemPlan
from df2_assets.sample.rng import chance

if TYPE_CHECKING:
    from df2_assets.sample.faults.planting import Field

Sku = tuple[int, int, int]

_EACH: Final = 2
_ENOUGH: Final = 3
"""Crops that show a SKU's garment well, from which on an odd one among them is told apart."""

_HEAVY: Final = 3
_FILLING: Final = (5, 9, *DRESSES)
"""Categories whose garments fill their box: vests, skirts, dresses."""

_FABRICS: Final = 60
_PATCH: Final = (12, 12)
_CALM: Final = ("plain", "heather", "knit")


def plant_saved_again(field: "Field") -> None:
    """A photograph again under another id and in other bytes, for the same SKUs."""
    outfits = [plan for plan in field.unused if len(plan.items) > 1]
    for plan in _taken(field, outfits, _EACH):
        copy = field.copy(plan, SAVED_AGAIN)
        for image_id in (plan.image_id, copy):
            field.note_crops(image_id, plan, SAVED_AGAIN.name, NEAR)


def plant_in_two_skus(field: "Field") -> None:
    """A photograph of one SKU again as one of another SKU of its category."""
    fitting = [plan for plan in _single(field) if _others(field, plan)]
    for plan in _taken(field, fitting, _EACH):
        item = plan.items[0]
        target = field.rng.choice(_others(field, plan))
        field.targets.add(target)
        pair_id, style, _ = target
        there = replace(plan, pair_id=pair_id, items=(replace(item, style=style),))
        copy = field.copy(there, SAVED_AGAIN)
        name = "photograph that another SKU has too"
        field.note_crops(plan.image_id, plan, name, NEAR, TWO_SKUS)
        field.note_crops(copy, there, name, NEAR, TWO_SKUS, may=(UNLIKE,))


def plant_mismatched(field: "Field") -> None:
    """A garment of quite another colour under the id of a SKU that is shown well enough."""
    found = [(_furthest(field, sku), sku) for sku in well_shown(field) if sku[2] in _FILLING]
    found.sort(key=lambda one: (-one[0][0], one[1]))
    field.targets |= {sku for _, sku in found[:_EACH]}
    for (_, garment), (pair_id, style, category_id) in found[:_EACH]:
        image_id = field.next_id()
        item = ItemPlan(1, category_id, style, 1, garment)
        plan = ImagePlan(field.split, image_id, "user", pair_id, 1, (item,))
        field.add(image_id, plan)
        field.note_crops(image_id, plan, "garment of another SKU", UNLIKE)


def plant_near_leaks(train: "Field", validation: "Field") -> None:
    """Photographs of train that are in validation too, saved anew."""
    styles = {category_id: (pair_id, style) for pair_id, style, category_id in hosts(validation)}
    fitting = [plan for plan in _single(train) if plan.items[0].category_id in styles]
    for plan in _taken(train, fitting, _EACH):
        pair_id, style = styles[plan.items[0].category_id]
        item = replace(plan.items[0], style=style)
        there = replace(plan, pair_id=pair_id, items=(item,))
        copy = validation.copy(there, SAVED_AGAIN)
        name = "photograph that another split has, saved anew"
        train.note_crops(plan.image_id, plan, name, NEAR, once="validation")
        validation.note_crops(copy, there, name, NEAR, once="train", may=(UNLIKE,))


def hosts(field: "Field") -> list[Sku]:
    """SKUs to put a garment of others into: well shown ones, where there are any.

    In such a one it may stand out; in another its own garment may.
    """
    return well_shown(field) or sorted(field.kept - field.targets)


def well_shown(field: "Field") -> list[Sku]:
    """The kept SKUs with enough crops in colour that are not heavily occluded.

    Those that have a garment that is not theirs already are left out: with two, neither stands out.
    """
    seen: Counter[Sku] = Counter()
    for plan in field.plans:
        for item in field.wanted(plan):
            if item.occlusion < _HEAVY and plan.kind != "grey":
                seen[plan.pair_id, item.style, item.category_id] += 1
    return sorted(
        sku for sku, count in seen.items() if count >= _ENOUGH and sku not in field.targets
    )


def _others(field: "Field", plan: ImagePlan) -> list[Sku]:
    """Hosts of the category of a photograph's one garment that are not its own SKU."""
    item = plan.items[0]
    own = (plan.pair_id, item.style, item.category_id)
    return [sku for sku in hosts(field) if sku[2] == item.category_id and sku != own]


def _single(field: "Field") -> list[ImagePlan]:
    """Photographs of nothing but one garment, to which nothing was done yet."""
    return [plan for plan in field.unused if len(plan.items) == 1]


def _taken(field: "Field", plans: list[ImagePlan], count: int) -> list[ImagePlan]:
    """The first `count` of `plans`, of which no further use is made."""
    taken = plans[:count]
    field.unused = [plan for plan in field.unused if plan not in taken]
    return taken


def _furthest(field: "Field", sku: Sku) -> tuple[float, str]:
    """How far in colour another garment in a calm fabric is from a SKU's, and its name."""
    pair_id, style, category_id = sku
    garment = f"{field.split}/{pair_id}/{style}/{category_id}"
    own = fabrics.choose(chance(field.seed, garment, "fabric"), category_id)
    pixels = fabrics.cloth(own, (4, 4), _PATCH).tobytes()
    colours = [_seen(*pixels[at : at + 3]) for at in range(0, len(pixels), 3)]
    names = [f"{garment}/other{number}" for number in range(_FABRICS)]
    others = [fabrics.choose(chance(field.seed, name, "fabric"), category_id) for name in names]
    return max(
        (_apart(colours, _seen(*other.base)), name)
        for name, other in zip(names, others, strict=True)
        if other.pattern in _CALM
    )


def _seen(red: int, green: int, blue: int) -> tuple[float, float, float]:
    """Lightness, which light changes most and counts least, and two differences of colour."""
    return (red + green + blue) / 10, red - green, (red + green) / 2 - blue


def _apart(colours: list[tuple[float, float, float]], other: tuple[float, float, float]) -> float:
    """How far the colours of a cloth are from one colour, on average."""
    far = sum(abs(a - b) for one in colours for a, b in zip(one, other, strict=True))
    return far / len(colours)
