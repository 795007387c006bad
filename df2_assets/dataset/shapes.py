"""Shapes: the polygons and landmarks of an item, why some are refused, and their labels of a crop.

The rules come from the README of DeepFashion2. How polygons become pixels is in `dataset.masks`.
A shape that cannot be used is refused in the table `labels` only: the crop stays. Coordinates are
pixels with the origin top left, in an image as annotated, in a crop from the corner of its box.
"""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, NamedTuple

from df2_assets.dataset.annotations import read_items
from df2_assets.dataset.boxes import Box, size
from df2_assets.dataset.masks import Mask, OutlineTooLongError, encode_mask, fill
from df2_assets.dataset.taxonomy import LANDMARKS, NOT_LABELLED, OCCLUDED, VISIBLE
from df2_assets.errors import quote_json

LABELS_VERSION: Final = 1
"""Raise this with each change to what `labels` has of a shape, or to what is refused."""

FIELDS: Final = ("category_id", "segmentation", "landmarks")
"""The fields of an item that its shapes are read from."""

_MOST: Final = 1_000_000
"""The largest coordinate. No image is that large."""


_DECIMALS: Final = 6
"""The decimals of coordinates in a crop: more than annotations have."""


class ShapeReason(StrEnum):
    """The code of a refused shape, in the column `reason` of `labels`."""

    UNREADABLE = "unreadable"
    MISSING_FIELD = "missing_field"
    WRONG_FIELD = "wrong_field"
    ODD_COORDINATES = "odd_coordinates"
    TOO_FEW_POINTS = "too_few_points"
    NO_AREA = "no_area"
    WRONG_LANDMARKS = "wrong_landmarks"
    WRONG_VISIBILITY = "wrong_visibility"


SHAPE_MEANINGS: Final[dict[ShapeReason, str]] = {
    ShapeReason.UNREADABLE: "the annotation cannot be read, or has changed since the build",
    ShapeReason.MISSING_FIELD: "segmentation or landmarks are absent",
    ShapeReason.WRONG_FIELD: "segmentation or landmarks are not lists of numbers",
    ShapeReason.ODD_COORDINATES: "a polygon has an odd number of coordinates",
    ShapeReason.TOO_FEW_POINTS: "a polygon has fewer than three points",
    ShapeReason.NO_AREA: "the polygons cover no pixel of the crop",
    ShapeReason.WRONG_LANDMARKS: "the number of landmarks is not that of the category",
    ShapeReason.WRONG_VISIBILITY: "the visibility of a landmark is not 0, 1 or 2",
}


class RefusedShape(Exception):
    """Polygons or landmarks that cannot be used. `detail` says what is wrong."""

    def __init__(self, reason: ShapeReason, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail


class Shapes(NamedTuple):
    """The polygons of an item, each x1, y1, x2, y2, …, and its landmarks x1, y1, v1, …

    What is refused is None. A landmark that is not labelled is `0, 0, 0` wherever it is carried.
    """

    polygons: list[list[float]] | None
    landmarks: list[float] | None


class CropLabels(NamedTuple):
    """The labels of a crop: columns of the table `labels`, in its coordinates.

    `area` and `box_share` are null where the mask is refused, and the numbers of landmarks where
    those are. A landmark is counted as visible, as occluded, or as outside the box.
    """

    mask: str | None = None
    polygons: list[list[float]] | None = None
    landmarks: list[float] | None = None
    area: int | None = None
    box_share: float | None = None
    landmarks_visible: int | None = None
    landmarks_occluded: int | None = None
    landmarks_outside: int | None = None
    overlap: float | None = None
    reason: str | None = None
    detail: str | None = None


Items = Mapping[int, Mapping[str, Any]]
"""The fields `FIELDS` of the items of an image, by item number, as they are in the file."""


def read_shape_fields(data: bytes) -> Items:
    """Return what an annotation file says about the shapes of its items, not yet checked.

    Raises Refused if the file cannot be read.
    """
    return read_items(data, FIELDS)


def read_polygons(item: Mapping[str, Any]) -> list[list[float]]:
    """Return the polygons of an item, in pixels of the image. Raises RefusedShape."""
    polygons = _require_list(item, "segmentation")
    for polygon in polygons:
        numbers = _require_numbers("segmentation", polygon)
        if len(numbers) % 2:
            detail = f"a polygon of {len(numbers)} coordinates"
            raise RefusedShape(ShapeReason.ODD_COORDINATES, detail)
        if len(numbers) < 6:
            detail = f"a polygon of {len(numbers) // 2} points"
            raise RefusedShape(ShapeReason.TOO_FEW_POINTS, detail)
    return [list(map(float, polygon)) for polygon in polygons]


def read_landmarks(item: Mapping[str, Any]) -> list[float]:
    """Return x, y, v of each landmark of an item, in pixels of the image. Raises RefusedShape."""
    landmarks = _require_numbers("landmarks", _require_list(item, "landmarks"))
    category_id = item.get("category_id")
    expected = next((count for category, count in LANDMARKS.items() if category == category_id), 0)
    if len(landmarks) != 3 * expected:
        category = f"category {quote_json(category_id)} has {expected} landmarks"
        detail = f"{len(landmarks)} numbers, not {3 * expected}: {category}"
        raise RefusedShape(ShapeReason.WRONG_LANDMARKS, detail)
    for visibility in landmarks[2::3]:
        if visibility not in (NOT_LABELLED, OCCLUDED, VISIBLE):
            detail = f"a visibility of {quote_json(visibility)}, not 0, 1 or 2"
            raise RefusedShape(ShapeReason.WRONG_VISIBILITY, detail)
    return list(map(float, landmarks))


def move(shapes: Shapes, to: Callable[[float, float], tuple[float, float]]) -> Shapes:
    """Return shapes with every point where `to` moves it; what is not labelled stays `0, 0, 0`."""
    polygons, landmarks = shapes
    return Shapes(
        None if polygons is None else [_move(polygon, 2, to) for polygon in polygons],
        None if landmarks is None else _move(landmarks, 3, to),
    )


def carry(
    shapes: Shapes, corner: tuple[int, int], to: Callable[[float, float], tuple[float, float]]
) -> Shapes:
    """Return shapes of the table `labels` in the coordinates of a crop variant.

    `corner` is x1, y1 of the box of the crop in its image; `to` moves a point of the image to the
    variant, such as `Affine.apply` of the variant's manifest.
    """
    left, top = corner
    return move(shapes, lambda x, y: to(x + left, y + top))


def label_crop(items: Items, item_idx: int, box: Box) -> CropLabels:
    """Return the labels of the crop of an item, whose `box` was cut from the image.

    The overlap counts every other item of the image that has usable polygons.
    """
    item = items.get(item_idx, {})
    refusals: list[RefusedShape] = []
    values: dict[str, Any] = {}
    for describe in (_describe_mask, _describe_landmarks):
        try:
            values |= describe(item, box)
        except RefusedShape as refused:
            refusals.append(refused)
    mask = values.pop("pixels", None)
    if mask is not None:
        others = (fields for number, fields in items.items() if number != item_idx)
        values["overlap"] = _measure_overlap(mask, others, box)
    if refusals:
        values["reason"] = refusals[0].reason.value
        values["detail"] = "; ".join(refused.detail for refused in refusals)
    return CropLabels(**values)


def refuse_labels(detail: str) -> CropLabels:
    """Return the labels of a crop whose annotation cannot be read."""
    return CropLabels(reason=ShapeReason.UNREADABLE.value, detail=detail)


def _describe_mask(item: Mapping[str, Any], box: Box) -> dict[str, Any]:
    polygons, _ = move(Shapes(read_polygons(item), None), _into(box))
    assert polygons is not None
    try:
        mask = fill(polygons, *size(box))
    except OutlineTooLongError as error:
        raise RefusedShape(ShapeReason.WRONG_FIELD, str(error)) from None
    area = int(mask.sum())
    if not area:
        raise RefusedShape(ShapeReason.NO_AREA, "the polygons cover no pixel of the crop")
    return {
        "pixels": mask,
        "mask": encode_mask(mask),
        "polygons": polygons,
        "area": area,
        "box_share": area / mask.size,
    }


def _describe_landmarks(item: Mapping[str, Any], box: Box) -> dict[str, Any]:
    _, landmarks = move(Shapes(None, read_landmarks(item)), _into(box))
    assert landmarks is not None
    width, height = size(box)
    counts = dict.fromkeys(("visible", "occluded", "outside"), 0)
    for x, y, visibility in zip(landmarks[::3], landmarks[1::3], landmarks[2::3], strict=True):
        if visibility != NOT_LABELLED:
            is_inside = 0 <= x <= width and 0 <= y <= height
            seen = "visible" if visibility == VISIBLE else "occluded"
            counts[seen if is_inside else "outside"] += 1
    numbers = {f"landmarks_{name}": count for name, count in counts.items()}
    return {"landmarks": landmarks, **numbers}


def _measure_overlap(mask: Mask, others: Any, box: Box) -> float:
    """Return the share of a crop's mask that the masks of other items cover."""
    covered = mask & False
    for fields in others:
        try:
            polygons, _ = move(Shapes(read_polygons(fields), None), _into(box))
            if polygons and _touches(polygons, *size(box)):
                covered |= fill(polygons, *size(box))
        except (RefusedShape, OutlineTooLongError):
            continue  # it is refused in its own row, if it has a crop
    return float((mask & covered).sum() / mask.sum())


def _touches(polygons: Sequence[Sequence[float]], width: int, height: int) -> bool:
    """Return whether polygons may cover a pixel of a crop."""
    xs = [x for polygon in polygons for x in polygon[::2]]
    ys = [y for polygon in polygons for y in polygon[1::2]]
    return min(xs) < width and max(xs) > 0 and min(ys) < height and max(ys) > 0


def _into(box: Box) -> Callable[[float, float], tuple[float, float]]:
    """Return the move of points of the image into the crop of a box.

    Coordinates are rounded, so that 300.6 in the image is 216.6 and not 216.60000000000002.
    """
    left, top, _, _ = box
    return lambda x, y: (round(x - left, _DECIMALS), round(y - top, _DECIMALS))


def _move(
    numbers: Sequence[float], step: int, to: Callable[[float, float], tuple[float, float]]
) -> list[float]:
    """Return numbers with every point moved. With a `step` of 3, v comes after x and y."""
    result: list[float] = []
    for start in range(0, len(numbers), step):
        x, y, *visibility = numbers[start : start + step]
        is_nowhere = visibility == [NOT_LABELLED]
        result += (0.0, 0.0, 0.0) if is_nowhere else (*to(x, y), *visibility)
    return result


def _require_list(item: Mapping[str, Any], name: str) -> list[Any]:
    if name not in item:
        raise RefusedShape(ShapeReason.MISSING_FIELD, f"{name} is missing")
    value = item[name]
    if not isinstance(value, list):
        raise RefusedShape(ShapeReason.WRONG_FIELD, f"{name} is {quote_json(value)}, not a list")
    return value


def _require_numbers(name: str, values: object) -> list[float]:
    if not isinstance(values, list):
        detail = f"{name} has {quote_json(values)}, not a list"
        raise RefusedShape(ShapeReason.WRONG_FIELD, detail)
    for value in values:
        if type(value) not in (int, float) or not abs(value) <= _MOST:
            detail = f"{name} has {quote_json(value)}, not a number of pixels"
            raise RefusedShape(ShapeReason.WRONG_FIELD, detail)
    return values
