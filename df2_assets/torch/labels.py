"""Masks and landmarks of crops as tensors, in the pixels of the image that is returned."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from df2_assets.dataset.masks import fill
from df2_assets.dataset.record import AFFINE
from df2_assets.dataset.shapes import Shapes, carry
from df2_assets.dataset.taxonomy import LANDMARK_STARTS, LANDMARKS, LANDMARKS_IN_ALL
from df2_assets.dataset.variants import Affine


def make_labels(
    row: Mapping[str, Any],
    line: Mapping[str, Any],
    form: Mapping[str, Any] | None,
    size: tuple[int, int],
) -> dict[str, Any]:
    """Return the labels of a crop: `mask`, `landmarks` and `labels_refused`.

    `row` is its line of the JSONL, `line` that of the table `labels`, and `form` that of the
    variant, None for the contract's crop. `size` is the width and height of the picture.
    """
    width, height = size
    left, top, *_ = row["bbox"]
    affine = Affine(*(form[name] for name in AFFINE)) if form else Affine(1, 1, -left, -top)
    polygons, numbers = carry(
        Shapes(line["polygons"], line["landmarks"]), (left, top), affine.apply
    )
    mask = torch.zeros((height, width), dtype=torch.bool)
    if polygons:
        mask = torch.from_numpy(fill(polygons, width, height).copy())
    landmarks = torch.zeros((LANDMARKS_IN_ALL, 3))
    if numbers:
        points = torch.tensor(numbers).reshape(-1, 3)
        start = LANDMARK_STARTS[row["category_id"]]
        landmarks[start : start + len(points)] = points
    return {"mask": mask, "landmarks": landmarks, "labels_refused": line["reason"] or ""}


def select_landmarks(landmarks: Tensor, category_id: int) -> Tensor:
    """Return the landmarks of a category, (…, n, 3), out of those of all, (…, 294, 3)."""
    start = LANDMARK_STARTS[category_id]
    return landmarks[..., start : start + LANDMARKS[category_id], :]
