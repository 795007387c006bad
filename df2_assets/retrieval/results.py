"""A file of retrieval results in DeepFashion2's own format, and its official score.

A file has one entry per detected consumer item, with the retrieved shop items, best first
(evaluation.md of DeepFashion2, "Result Format"):

    [{"query_image_id": 1, "query_bbox": [x1, y1, x2, y2], "query_cls": 1, "query_score": 0.9,
      "gallery_image_id": [3, 8, …], "gallery_bbox": [[x1, y1, x2, y2], …]}, …]

The score follows `deepfashion2_retrieval_test.py`, also where evaluation.md leaves something open.
"""

import json
import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from df2_assets.dataset.record import EDGES
from df2_assets.dataset.taxonomy import CATEGORIES
from df2_assets.errors import ResultsError, quote_json
from df2_assets.retrieval.protocol import KS, Protocol, Score, item_keys
from df2_assets.store.layout import Roots

IOU: Final = 0.5
"""The overlap from which on a retrieved box is a shop item."""

_SHOWN: Final = 3
"""How many malformed entries a message names."""

Box = Sequence[float]
"""`[x1, y1, x2, y2]` in pixels of the stored image; may have fractions."""


_Check = Callable[[Any, Protocol], str | None]
"""Returns what is wrong with a value; None if nothing is."""


class Detection(NamedTuple):
    """An entry: a detected consumer item, and the shop items retrieved for it, best first."""

    image_id: str
    box: Box
    category_id: int
    score: float
    retrieved: list[tuple[str, Box]]


def read_results(path: Path, protocol: Protocol, roots: Roots) -> list[Detection]:
    """Return the entries of a file of results.

    Raises ResultsError, which names the first malformed entries and a file that lists all of them:
    one line per entry, with what is wrong and what is expected.
    """
    try:
        entries = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise ResultsError(f"{path} is not JSON: {error or 'nested too deeply'}") from None
    if not isinstance(entries, list):
        raise ResultsError(
            f"{path} holds {quote_json(entries)}: expected a list with one object per detected "
            "consumer item, as DeepFashion2's evaluation.md describes it."
        )
    checked = ((number, find_error(entry, protocol)) for number, entry in enumerate(entries, 1))
    errors = [f"entry {number}: {error}" for number, error in checked if error is not None]
    if errors:
        listing = roots.malformed_results(protocol.split)
        with roots.sku.atomic(listing) as temporary:
            temporary.write_text("".join(f"{line}\n" for line in errors), encoding="utf-8")
        first = "; ".join(errors[:_SHOWN])
        raise ResultsError(
            f"{len(errors):,} of the {len(entries):,} entries of {path} are malformed, so there "
            f"is no score. All are listed in {listing}\nThe first: {first}"
        )
    return [_detection(entry) for entry in entries]


def find_error(entry: Any, protocol: Protocol) -> str | None:
    """Return what is wrong with an entry of a file of results; None if nothing is."""
    return next(_errors(entry, protocol), None)


def _errors(entry: Any, protocol: Protocol) -> Iterator[str]:
    if not isinstance(entry, dict):
        yield f"it is {quote_json(entry)}; expected an object"
        return
    for key in _CHECKS:
        if key not in entry:
            yield f"{key} is missing"
    for key, check in _CHECKS.items():
        expected = check(entry[key], protocol)
        if expected:
            yield f"{key} {expected}"
    images, boxes = entry["gallery_image_id"], entry["gallery_bbox"]
    if len(images) != len(boxes):
        yield (
            f"gallery_image_id has {len(images)} images and gallery_bbox has {len(boxes)} boxes; "
            "expected one box per image"
        )


def _check_consumer_image(value: Any, protocol: Protocol) -> str | None:
    images = (protocol.consumer_images, protocol.shop_images)
    return _check_image(value, *images, "a shop image", "a consumer image", protocol.split)


def _check_shop_image(value: Any, protocol: Protocol) -> str | None:
    images = (protocol.shop_images, protocol.consumer_images)
    return _check_image(value, *images, "a consumer image", "a shop image", protocol.split)


def _check_image(
    value: Any,
    images: frozenset[str],
    others: frozenset[str],
    other_kind: str,
    kind: str,
    split: str,
) -> str | None:
    if type(value) is not int:
        return f"is {quote_json(value)}; expected the number of {kind}, such as 1 for 000001.jpg"
    image_id = f"{value:06d}"
    if image_id in images:
        return None
    actual = other_kind if image_id in others else f"no image of {split}"
    return f"is {quote_json(value)}, which is {actual}; expected {kind}"


def _check_box(value: Any, _protocol: Protocol) -> str | None:
    if not (isinstance(value, list) and len(value) == 4 and all(map(_is_finite, value))):
        return f"is {quote_json(value)}; expected four finite numbers [x1, y1, x2, y2]"
    x1, y1, x2, y2 = value
    if x2 < x1 or y2 < y1:
        return f"is {quote_json(value)}; expected [x1, y1, x2, y2], not a width and a height"
    return None


def _check_category(value: Any, _protocol: Protocol) -> str | None:
    if type(value) is int and value in CATEGORIES:
        return None
    return f"is {quote_json(value)}; expected a category_id, 1 to {len(CATEGORIES)}"


def _check_score(value: Any, _protocol: Protocol) -> str | None:
    return None if _is_finite(value) else f"is {quote_json(value)}; expected a finite number"


def _check_gallery_images(value: Any, protocol: Protocol) -> str | None:
    if not isinstance(value, list) or len(value) < KS[-1]:
        has = f"has {len(value)} images" if isinstance(value, list) else f"is {quote_json(value)}"
        return f"{has}; expected the numbers of {KS[-1]} shop images, best first"
    return _first_error(value, _check_shop_image, protocol)


def _check_gallery_boxes(value: Any, protocol: Protocol) -> str | None:
    if not isinstance(value, list):
        return f"is {quote_json(value)}; expected one box per retrieved shop image"
    return _first_error(value, _check_box, protocol)


def _first_error(values: list[Any], check: _Check, protocol: Protocol) -> str | None:
    errors = ((place, check(value, protocol)) for place, value in enumerate(values, 1))
    return next((f"at place {place} {error}" for place, error in errors if error), None)


_CHECKS: Final[dict[str, _Check]] = {
    "query_image_id": _check_consumer_image,
    "query_bbox": _check_box,
    "query_cls": _check_category,
    "query_score": _check_score,
    "gallery_image_id": _check_gallery_images,
    "gallery_bbox": _check_gallery_boxes,
}
"""The fields of an entry, in the order in which they are checked."""


def _is_finite(value: Any) -> bool:
    """Return whether a value is a number that a float can hold."""
    try:
        return type(value) in (int, float) and math.isfinite(value)
    except OverflowError:
        return False


def _detection(entry: dict[str, Any]) -> Detection:
    images = (f"{image:06d}" for image in entry["gallery_image_id"])
    return Detection(
        f"{entry['query_image_id']:06d}",
        entry["query_bbox"],
        entry["query_cls"],
        entry["query_score"],
        list(zip(images, entry["gallery_bbox"], strict=True)),
    )


def score_results(protocol: Protocol, detections: Sequence[Detection]) -> Score:
    """Return the official score of a file of results.

    Each detection is assigned to the consumer item of its image with the largest IoU: the first
    one where several are equal, so a box that overlaps none is assigned to the first item. Of the
    detections of a query with the right category, the one with the highest score stands for it:
    the first one in the file where several are equal. A retrieved box is a hit if its IoU with a
    positive of the query in the same image is at least `IOU`.
    """
    items = protocol.consumer_items
    boxes = dict(enumerate(_boxes(items)))
    by_image = {image: [*rows] for image, rows in items.groupby("image_id").indices.items()}
    categories = items["category_id"].tolist()
    selected: dict[int, Detection] = {}
    for detection in detections:
        rows = by_image.get(detection.image_id, [])
        if not rows:
            continue
        row = max(rows, key=lambda row: iou(detection.box, boxes[row]))  # the first of equal ones
        before = selected.get(row)
        if detection.category_id == categories[row] and (
            before is None or detection.score > before.score
        ):
            selected[row] = detection
    positives: dict[tuple[int, str], list[Box]] = {}
    shop = zip(item_keys(protocol.gallery), protocol.gallery["image_id"], strict=True)
    for (key, image), box in zip(shop, _boxes(protocol.gallery), strict=True):
        positives.setdefault((key, image), []).append(box)
    is_query = items["style"].to_numpy() > 0
    queries = np.flatnonzero(is_query).tolist()
    keys = item_keys(items)
    ranks = [
        _first_hit(selected[row].retrieved, keys[row], positives) if row in selected else 0
        for row in queries
    ]
    missed = sum(row not in selected for row in queries)
    return Score(np.array(ranks, np.int64), missed, len(protocol.gallery))


def _first_hit(
    retrieved: list[tuple[str, Box]], key: int, positives: dict[tuple[int, str], list[Box]]
) -> int:
    """Return the rank of the first retrieved box that is a positive, from 1; 0 without one."""
    for rank, (image, box) in enumerate(retrieved[: KS[-1]], 1):
        if any(iou(box, positive) >= IOU for positive in positives.get((key, image), ())):
            return rank
    return 0


def _boxes(items: Any) -> Iterator[Box]:
    return zip(*(items[edge].astype(int).tolist() for edge in EDGES), strict=True)


def iou(box: Box, other: Box) -> float:
    """Return the intersection of two boxes over their union, 0 if they do not overlap.

    The operations and their order are those of pycocotools (`bbIou` in maskApi.c), which the
    official script calls with widths and heights. A box at the threshold falls on the same side.
    """
    (x, y, width, height), (x2, y2, width2, height2) = _with_size(box), _with_size(other)
    across = min(width + x, width2 + x2) - max(x, x2)
    down = min(height + y, height2 + y2) - max(y, y2)
    if across <= 0 or down <= 0:
        return 0.0
    shared = across * down
    return shared / (width * height + width2 * height2 - shared)


def _with_size(box: Box) -> tuple[float, float, float, float]:
    x1, y1, x2, y2 = box
    return x1, y1, x2 - x1, y2 - y1
