"""The stages that an item passes on its way into the data set, each as a step to be told."""

from collections.abc import Callable
from typing import Final, NamedTuple

from df2_assets.dataset.documents import IMAGE_TEXT
from df2_assets.dataset.reasons import UNPAIRED
from df2_assets.dataset.skus import sku_id
from df2_assets.dataset.taxonomy import DOMAINS, OCCLUSIONS, VIEWPOINTS
from df2_assets.errors import inert
from df2_assets.explain.evidence import Evidence, Row
from df2_assets.explain.steps import Step, reason, some, stamp


class Place(NamedTuple):
    """Where an item's crop goes, if it gets that far."""

    sku_id: str
    domain: str
    crop_path: str


def would_be(row: Row) -> Place | None:
    """The place of an index row's crop; None where too little of the item could be read."""
    needed = ("item_idx", "source", "pair_id", "style", "category_id")
    return None if any(row[name] is None for name in needed) else _place(row)


def _place(row: Row) -> Place:
    sku, domain = sku_id(row["pair_id"], row["style"], row["category_id"]), DOMAINS[row["source"]]
    name = f"{row['image_id']}_item{row['item_idx']}.jpg"
    return Place(sku, domain, f"{row['split']}/{domain}/{sku}/{name}")


def _index(evidence: Evidence, row: Row) -> Step:
    facts = {name: value for name, value in row.items() if value is not None}
    if row["reason"] is not None:
        what = "the item" if row["source"] else "the whole file"
        said = f"{what} is refused: {reason(row)}"
        return Step("raw_annotation_index", said, facts, "refused")
    box = ", ".join(str(row[edge]) for edge in ("x1", "y1", "x2", "y2"))
    said = (
        f"{row['source']} image, pair {row['pair_id']}, style {row['style']}, category "
        f"{row['category_id']} ({row['category_name']}), box {box} of {row['width']} x "
        f"{row['height']}, occlusion {OCCLUSIONS[row['occlusion']]}, viewpoint "
        f"{VIEWPOINTS[row['viewpoint']]}"
    )
    return Step("raw_annotation_index", said, facts)


def _group(evidence: Evidence, row: Row) -> Step:
    place = _place(row)
    if row["style"] == 0:
        return Step("sku_groups", "its style is 0: it has no counterpart", {}, "style 0")
    key = {name: row[name] for name in ("pair_id", "style", "category_id")}
    usable = [r for r in evidence.rows("raw_annotation_index", **key) if r["reason"] is None]
    counts = {d: sum(r["source"] == source for r in usable) for source, d in DOMAINS.items()}
    facts = {"sku_id": place.sku_id, "domain": place.domain, **counts}
    absent = [domain for domain, count in counts.items() if not count]
    if absent:
        refused = _refused_counterparts(evidence, row)
        said = f"SKU {place.sku_id} has no {absent[0]} item, and is left out"
        if refused:
            said += f"; refused, and perhaps of this SKU: {some(refused)}"
        return Step("sku_groups", said, facts | {"refused": refused}, "unpaired")
    if not evidence.rows("sku_groups", crop_path=place.crop_path):
        said = "usable, and not in the groups at hand: they are older than the index"
        return Step("sku_groups", said, facts, "unknown")
    said = f"SKU {place.sku_id}, with {counts['catalog']} catalog and {counts['query']} query items"
    return Step("sku_groups", said, facts)


def _crop(evidence: Evidence, row: Row) -> Step:
    place = _place(row)
    found = evidence.manifest_row(place.crop_path)
    if found is None:
        said = "not in the manifest at hand: it is older than the groups"
        return Step("crops", said, {"crop_path": place.crop_path}, "unknown")
    facts = {name: value for name, value in found.items() if value is not None}
    if found["reason"] == UNPAIRED:
        failed = _failed(evidence, place)
        said = f"it could be made, but no other domain of SKU {place.sku_id} is left"
        said += f": {some(failed)}" if failed else ""
        return Step("crops", said, facts | {"failed": failed}, "unpaired")
    if found["reason"] is not None:
        return Step("crops", f"the crop is refused: {reason(found)}", facts, "refused")
    said = (
        f"{place.crop_path}, {found['size']:,} bytes, {found['width']} x {found['height']} pixels"
    )
    on_disk = stamp(evidence.roots.crop(place.crop_path))
    if on_disk != (found["size"], found["mtime_ns"]):
        said += ", not there any more" if on_disk == (None, None) else ", changed since"
        said += ": build again"
    return Step("crops", said, facts)


def _metadata(evidence: Evidence, row: Row) -> Step:
    place = _place(row)
    sku = evidence.sku(place.sku_id) or {}
    entries = sku.get(place.domain, [])
    for position, entry in enumerate(entries, 1):
        if entry.get("crop_path") == place.crop_path:
            said = f"{place.domain} crop {position} of {len(entries)} of {place.sku_id}"
            return Step("sku_metadata", said, entry)
    name = evidence.roots.sku_metadata(evidence.split).name
    return Step("sku_metadata", f"{name} does not have it: build again", {}, "unknown")


def _prompt(evidence: Evidence, row: Row) -> Step:
    place = _place(row)
    line = evidence.line(place.sku_id, place.crop_path)
    if line is None:
        name = evidence.roots.image_text(evidence.split).name
        return Step("image_text", f"{name} has no line of it: build again", {}, "unknown")
    more = [key for key in line if key not in IMAGE_TEXT.names]
    facts = {key: line.get(key) for key in ("text", *more)}
    also = [f"{inert(key, 64)}: {inert(line[key], 200)}" for key in more]
    return Step("image_text", inert(line.get("text"), 200), facts, also=also)


STAGES: Final[dict[str, Callable[[Evidence, Row], Step]]] = {
    "raw_annotation_index": _index,
    "sku_groups": _group,
    "crops": _crop,
    "sku_metadata": _metadata,
    "image_text": _prompt,
}
"""What a row of the index passes, in turn: by asset."""


def _refused_counterparts(evidence: Evidence, row: Row) -> list[str]:
    """Refused items of the pair and the other domain that may have been of the item's SKU."""
    return [
        f"{other['image_id']} item {other['item_idx']} ({reason(other)})"
        for other in evidence.rows("raw_annotation_index", pair_id=row["pair_id"])
        if other["reason"] is not None
        and other["source"] != row["source"]
        and all(other[name] in (None, row[name]) for name in ("style", "category_id"))
    ]


def _failed(evidence: Evidence, place: Place) -> list[str]:
    """The crops of the SKU that failed in the other domain."""
    rows = evidence.rows("sku_groups", sku_id=place.sku_id)
    paths = [row["crop_path"] for row in rows if row["domain"] != place.domain]
    found = [row for path in paths if (row := evidence.manifest_row(path))]
    return [
        f"{row['crop_path']} ({reason(row)})"
        for row in found
        if row["reason"] not in (None, UNPAIRED)
    ]
