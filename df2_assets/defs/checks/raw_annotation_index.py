"""The checks of the index; the blocking one comes with the asset's own step."""

from typing import Final

import pandas as pd

from df2_assets.checks import raw_annotation_index as inspection
from df2_assets.checks.finding import Finding
from df2_assets.defs.checks.specs import Findings, Pictures, spec, split_checks
from df2_assets.pipeline.indexing import read_files
from df2_assets.report import pictures
from df2_assets.store import tables
from df2_assets.store.layout import Roots

_ASSET: Final = "raw_annotation_index"
_CLAMPED_SHOWN: Final = 6

BLOCKING: Final = spec(
    _ASSET,
    "refusals_within_limit",
    "Refused images and refused items are each within the limit; a warning for any.",
    blocking=True,
)


def find(roots: Roots, split: str) -> dict[str, Finding]:
    """What the index and its side table say of the annotations."""
    index = tables.frame(tables.read(roots, _ASSET, split))
    files = tables.frame(read_files(roots, split))
    return {
        "pairing": inspection.pairing(split, files),
        "boxes": inspection.boxes(index),
        "labels": inspection.labels(index),
        "known_answers": inspection.known_answers(split, index, files),
    }


def show(roots: Roots, split: str, findings: Findings) -> Pictures:
    """Doubtful and clamped boxes, and boxes that belie their labels, drawn on their images."""
    boxes, labels = findings["boxes"].offenders, findings["labels"].offenders
    index = tables.frame(tables.read(roots, _ASSET, split))
    if not (len(boxes) and (boxes["what"] == inspection.PAST_EDGE).any()):
        # Few enough to be no offence are worth a look all the same.
        boxes = pd.concat([boxes, inspection.furthest_past_edge(index, _CLAMPED_SHOWN)])
    if len(labels):
        drawn = index[["image_id", "item_idx", "x1", "y1", "x2", "y2"]]
        labels = labels.merge(drawn, on=["image_id", "item_idx"])
    return {
        "boxes": pictures.boxes_on_originals(roots, boxes, "doubtful boxes on their images"),
        "labels": pictures.boxes_on_originals(roots, labels, "boxes with doubtful labels"),
    }


def find_blocking(roots: Roots, split: str, max_refused: float) -> Finding:
    """How much of the index as it is was refused, held against today's limit."""
    index = tables.frame(tables.read(roots, _ASSET, split))
    files = tables.frame(read_files(roots, split))
    return inspection.refusals_within_limit(split, index, files, max_refused)


raw_annotation_index_checks = split_checks(
    _ASSET,
    {
        "pairing": "Every image has an annotation, every annotation an image.",
        "boxes": "Boxes have an area, lie in the image, and few had to be clamped.",
        "labels": "Labels are in range, names match ids, scales suit the boxes.",
        "known_answers": "A full train split has as many pairs as is known of it.",
    },
    find,
    show,
)
