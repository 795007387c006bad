"""Why an item, an image, a SKU or a crop is in the data set, or is not: step by step."""

from collections import Counter
from collections.abc import Mapping
from typing import Final

import msgspec

from df2_assets.dataset.skus import CROP_NAME, SKU_ID
from df2_assets.dataset.taxonomy import DOMAINS, SPLITS
from df2_assets.errors import inert
from df2_assets.explain.evidence import Evidence, Row
from df2_assets.explain.stages import STAGES, would_be
from df2_assets.explain.steps import Fate, Run, Step, files
from df2_assets.store.layout import Roots

Runs = Mapping[str, Run]
"""The run that last made each asset of a split."""

BEST: Final[tuple[Fate, ...]] = ("in", "unpaired", "refused", "style 0", "unknown")
"""Which fate speaks for several."""

_PASSED: Final = {
    "raw_annotation_index": "usable",
    "sku_groups": "grouped",
    "crops": "cropped",
    "sku_metadata": "listed",
    "image_text": "with a prompt",
}


class Answer(msgspec.Struct):
    """What became of an item, a file or a SKU, and `why`; `steps` are as far as it got.

    `items` are those of a SKU. `notes` say what the answer cannot be relied on for.
    """

    split: str
    fate: Fate
    why: str
    image_id: str | None = None
    item_idx: int | None = None
    domain: str | None = None
    sku_id: str | None = None
    crop_path: str | None = None
    steps: list[Step] = []
    items: list["Answer"] = []
    notes: list[str] = []


def explain_image(
    roots: Roots, split: str, image_id: str, item_idx: int | None, runs: Runs
) -> list[Answer]:
    """An answer an item of the image, or one for the whole file; of one item where it is given."""
    evidence = Evidence(roots, split)
    rows = evidence.rows("raw_annotation_index", image_id=image_id) if evidence.is_built else []
    wanted = [row for row in rows if item_idx is None or row["item_idx"] in (item_idx, None)]
    if item_idx is not None:
        wanted = [row for row in wanted if row["item_idx"] is not None or row["source"] is None]
    answers = [_item(evidence, row, runs) for row in wanted]
    if not evidence.is_built:
        answers = [Answer(split, "unknown", _not_built(evidence), image_id, item_idx)]
    elif not answers:
        why, steps = _no_item(evidence, image_id, item_idx, rows), [files(evidence, image_id)]
        answers = [Answer(split, "unknown", why, image_id, item_idx, steps=steps)]
    for answer in answers:
        answer.notes += evidence.notes
    return answers


def explain_sku(roots: Roots, split: str, sku_id: str, runs: Runs) -> Answer:
    """What became of a SKU, and of each item that could have been one of its crops."""
    evidence = Evidence(roots, split)
    if not evidence.is_built:
        return Answer(split, "unknown", _not_built(evidence), sku_id=sku_id)
    pair_id, style, category_id = map(int, sku_id.split("_"))
    rows = evidence.rows(
        "raw_annotation_index", pair_id=pair_id, style=style, category_id=category_id
    )
    items = [_item(evidence, row, runs) for row in rows]
    fates = Counter(item.fate for item in items)
    fate: Fate = next((fate for fate in BEST if fates[fate]), "unknown")
    if fate == "in":
        why = f"with {_by_domain([item for item in items if item.fate == 'in'])} crops"
    elif items:
        why = next(item.why for item in items if item.fate == fate)
    else:
        why = f"no item of pair {pair_id}, style {style}, category {category_id} could be read"
    steps, notes = _together(items, runs) if items else [], evidence.notes
    return Answer(split, fate, why, sku_id=sku_id, steps=steps, items=items, notes=notes)


def explain_crop(roots: Roots, crop_path: str, runs: Runs) -> Answer:
    """What became of the item that a path, relative to SKU_ROOT, is the crop of."""
    split, domain, sku_id, name = (crop_path.split("/") + [""] * 4)[:4]
    match = CROP_NAME.fullmatch(name)
    there = roots.crop(crop_path).is_file()
    well_formed = split in SPLITS and domain in DOMAINS.values() and SKU_ID.fullmatch(sku_id)
    if match is None or not well_formed or crop_path.count("/") != 3:
        why = "no crop has such a path; train/catalog/000001_01_01/000002_item1.jpg is one"
        notes = (
            ["The file that lies there is not the project's and is left alone."] if there else []
        )
        return Answer(split, "unknown", why, crop_path=inert(crop_path, 200), notes=notes)
    image_id, item_idx = match.groups()
    answers = explain_image(roots, split, image_id, int(item_idx), runs)
    answer = next((one for one in answers if one.crop_path == crop_path), answers[0])
    if answer.crop_path not in (None, crop_path):
        answer.fate, answer.why = "unknown", f"the crop of that item would be {answer.crop_path}"
    if there and answer.fate != "in":
        answer.notes.append("The file that lies there is wanted by nothing: a build removes it.")
    return answer


def _item(evidence: Evidence, row: Row, runs: Runs) -> Answer:
    """Follow an index row through the stages, as far as it got."""
    place = would_be(row)
    answer = Answer(
        evidence.split,
        "in",
        "",
        row["image_id"],
        row["item_idx"],
        DOMAINS.get(row["source"]),
        place.sku_id if place else None,
        place.crop_path if place else None,
        [files(evidence, row["image_id"])],
    )
    for name, stage in STAGES.items():
        step = stage(evidence, row)
        step.run = runs.get(name)
        answer.steps.append(step)
        answer.why = step.said
        if step.ends:
            answer.fate = step.ends
            break
    return answer


def _together(items: list[Answer], runs: Runs) -> list[Step]:
    """For each stage, how many of a SKU's items got past it."""
    steps = []
    for name in STAGES:
        past = [i for i in items if any(s.stage == name and not s.ends for s in i.steps)]
        said = f"{_by_domain(past)} items {_PASSED[name]}"
        steps.append(Step(name, said, run=runs.get(name)))
    return steps


def _by_domain(items: list[Answer]) -> str:
    counts = Counter(item.domain for item in items)
    return " and ".join(f"{counts[domain]} {domain}" for domain in DOMAINS.values())


def _no_item(evidence: Evidence, image_id: str, item_idx: int | None, rows: list[Row]) -> str:
    if rows:
        there = ", ".join(str(row["item_idx"]) for row in rows if row["item_idx"] is not None)
        return f"its annotation has no item {item_idx}; it has {there or 'none that can be named'}"
    found = evidence.rows("files", image_id=image_id)
    if not found:
        return (
            f"{evidence.split} had neither an image nor an annotation of that id when it was read"
        )
    if found[0]["anno_size"] is None:
        return "there is an image, and no annotation that says what is in it"
    return "its annotation has no items"


def _not_built(evidence: Evidence) -> str:
    return (
        f"{evidence.split} is not built under {evidence.roots.sku_root}: "
        f"run df2-assets build --split {evidence.split}"
    )
