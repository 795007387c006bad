"""The pictures of findings: one function per check that has a picture, by the name of the check."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

import pandas as pd

from df2_assets.checks.finding import Finding
from df2_assets.checks.image_text import COMBINATIONS
from df2_assets.checks.raw_annotation_index import PAST_EDGE, furthest_past_edge
from df2_assets.checks.registry import CheckContext
from df2_assets.report import pictures
from df2_assets.report.tiles import Picture

_CLAMPED_SHOWN: Final = 6

Show = Callable[[CheckContext, Finding], Picture | None]
"""A function from a finding to a picture. It returns None if there is nothing to show."""


def _draw_boxes(c: CheckContext, finding: Finding) -> Picture | None:
    boxes = finding.offenders
    if not (len(boxes) and (boxes["what"] == PAST_EDGE).any()):
        # Show a few boxes past the edge even if they are too few to be offenders.
        boxes = pd.concat([boxes, furthest_past_edge(c.index, _CLAMPED_SHOWN)])
    return pictures.draw_boxes(c.roots, boxes, "doubtful boxes on their images")


def _draw_labels(c: CheckContext, finding: Finding) -> Picture | None:
    labels = finding.offenders
    if len(labels):
        drawn = c.index[["image_id", "item_idx", "x1", "y1", "x2", "y2"]]
        labels = labels.merge(drawn, on=["image_id", "item_idx"])
    return pictures.draw_boxes(c.roots, labels, "boxes with doubtful labels")


def _draw_tiny(c: CheckContext, finding: Finding) -> Picture | None:
    tiny = finding.offenders
    sides = tiny.assign(side=tiny[["width", "height"]].min(axis=1))
    worst = sides.sort_values(["side", "crop_path"])
    return pictures.draw_worst_crops(c.roots, worst, "side", "the smallest crops")


def _draw_worst(value: str, alt: str, c: CheckContext, finding: Finding) -> Picture | None:
    return pictures.draw_worst_crops(c.roots, finding.offenders, value, alt)


def _draw_pairs(alt: str, c: CheckContext, finding: Finding) -> Picture | None:
    offenders = finding.offenders.rename(columns={"same_as": "like"})
    return pictures.draw_pairs(c.roots, offenders, alt)


def _draw_unlike(c: CheckContext, finding: Finding) -> Picture | None:
    paths = c.crops["crop_path"].tolist()
    alt = "SKUs with crops that look different from the others"
    return pictures.draw_skus(c.roots, finding.offenders, paths, alt)


def _draw_coverage(_: CheckContext, finding: Finding) -> Picture | None:
    counts = finding.tables.get(COMBINATIONS, pd.DataFrame())
    return pictures.draw_heat_map(counts, "crops by category, domain, occlusion and viewpoint")


SHOW: Final[Mapping[str, Show]] = {
    "boxes": _draw_boxes,
    "labels": _draw_labels,
    "tiny_crops": _draw_tiny,
    "prompt_coverage": _draw_coverage,
    "duplicate_crops": partial(_draw_pairs, "pairs of crops with the same bytes"),
    "dark_crops": partial(_draw_worst, "brightness", "the darkest crops"),
    "blank_crops": partial(_draw_worst, "contrast", "the crops with the least contrast"),
    "near_duplicate_crops": partial(_draw_pairs, "pairs of crops that look alike"),
    "image_in_two_skus": partial(
        _draw_pairs, "pairs of crops with the same picture, of different SKUs"
    ),
    "unlike_crops": _draw_unlike,
}

DRAWN: Final = (COMBINATIONS,)
"""Tables of findings that a picture shows, so that a page need not repeat them."""
