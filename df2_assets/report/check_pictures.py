"""The pictures of what checks find: one function per check that has any, by the check's name."""

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
"""From a finding to a picture; None where there is nothing to see."""


def _boxes(c: CheckContext, finding: Finding) -> Picture | None:
    boxes = finding.offenders
    if not (len(boxes) and (boxes["what"] == PAST_EDGE).any()):
        # Few enough to be no offence are worth a look all the same.
        boxes = pd.concat([boxes, furthest_past_edge(c.index, _CLAMPED_SHOWN)])
    return pictures.draw_boxes(c.roots, boxes, "doubtful boxes on their images")


def _labels(c: CheckContext, finding: Finding) -> Picture | None:
    labels = finding.offenders
    if len(labels):
        drawn = c.index[["image_id", "item_idx", "x1", "y1", "x2", "y2"]]
        labels = labels.merge(drawn, on=["image_id", "item_idx"])
    return pictures.draw_boxes(c.roots, labels, "boxes with doubtful labels")


def _tiny(c: CheckContext, finding: Finding) -> Picture | None:
    tiny = finding.offenders
    sides = tiny.assign(side=tiny[["width", "height"]].min(axis=1))
    worst = sides.sort_values(["side", "crop_path"])
    return pictures.draw_worst_crops(c.roots, worst, "side", "the smallest crops")


def _worst(value: str, alt: str, c: CheckContext, finding: Finding) -> Picture | None:
    return pictures.draw_worst_crops(c.roots, finding.offenders, value, alt)


def _pairs(alt: str, c: CheckContext, finding: Finding) -> Picture | None:
    offenders = finding.offenders.rename(columns={"same_as": "like"})
    return pictures.draw_pairs(c.roots, offenders, alt)


def _unlike(c: CheckContext, finding: Finding) -> Picture | None:
    paths = c.crops["crop_path"].tolist()
    alt = "SKUs with crops that look unlike the others"
    return pictures.draw_skus(c.roots, finding.offenders, paths, alt)


def _coverage(_: CheckContext, finding: Finding) -> Picture | None:
    counts = finding.tables.get(COMBINATIONS, pd.DataFrame())
    return pictures.draw_heat_map(counts, "crops by category, domain, occlusion and viewpoint")


SHOW: Final[Mapping[str, Show]] = {
    "boxes": _boxes,
    "labels": _labels,
    "tiny_crops": _tiny,
    "prompt_coverage": _coverage,
    "duplicate_crops": partial(_pairs, "crops beside those of the same bytes"),
    "dark_crops": partial(_worst, "brightness", "the darkest crops"),
    "blank_crops": partial(_worst, "contrast", "the blankest crops"),
    "near_duplicate_crops": partial(_pairs, "crops beside those they are like"),
    "image_in_two_skus": partial(_pairs, "one picture as a crop of two SKUs"),
    "unlike_crops": _unlike,
}

DRAWN: Final = (COMBINATIONS,)
"""Tables of findings that a picture shows: a page need not have them twice."""
