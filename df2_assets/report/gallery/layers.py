"""What the page shows of crops on request: their masks and landmarks, and their variants.

A layer has one value per crop. The values are in files like those of the details, which the page
loads when a viewer turns on the labels or chooses a variant.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from df2_assets.dataset.record import AFFINE
from df2_assets.errors import IncompleteSplitError, MissingTableError, ProvenanceError
from df2_assets.store import tables
from df2_assets.store.layout import Roots
from df2_assets.store.variants import declared_in, list_variants, read_variant

_DECIMALS: Final = 4


@dataclass(frozen=True)
class Layer:
    """Values of crops by their paths. `suffix` is that of the files of a crop variant."""

    name: str
    suffix: str
    paths: pd.Index
    describe: Callable[[NDArray[np.intp]], list[Any]]

    def values(self, paths: Sequence[str]) -> list[Any]:
        """Return a value per crop; None for a crop that the layer does not have."""
        rows = self.paths.get_indexer(pd.Index(paths, dtype=object))
        values = iter(self.describe(rows[rows >= 0]))
        return [next(values) if row >= 0 else None for row in rows.tolist()]


def find_layers(roots: Roots, split: str) -> list[Layer]:
    """Return the layers of what was built of the current crops: labels, and variants by name."""
    layers = []
    with suppress(MissingTableError, ProvenanceError):
        layers.append(layer_of_labels(tables.read(roots, "labels", split)))
    for name in list_variants(roots, split):
        with suppress(MissingTableError, IncompleteSplitError, ProvenanceError):
            manifest = read_variant(roots, split, name)
            layers.append(layer_of_variant(name, declared_in(manifest).suffix, manifest))
    return layers


def layer_of_labels(labels: pa.Table) -> Layer:
    """Return the layer of the table `labels`.

    A value is `[polygons, landmarks]` in pixels of the crop, and the reason if some of it was
    refused. A polygon is `[x, y, dx, dy, …]`: a point, then the step to each next one. Landmarks
    are `[x, y, v, …]` without those that are not labelled.
    """
    shapes = labels.select(["polygons", "landmarks", "reason"]).combine_chunks()

    def describe(rows: NDArray[np.intp]) -> list[Any]:
        part = shapes.take(rows)
        polygons = _to_steps(part["polygons"].combine_chunks())
        landmarks = map(_pick_landmarks, part["landmarks"].to_pylist())
        reasons = part["reason"].to_pylist()
        return [
            [*values, reason] if reason else values
            for *values, reason in zip(polygons, landmarks, reasons, strict=True)
        ]

    return Layer("labels", "", _paths(labels), describe)


def layer_of_variant(name: str, suffix: str, manifest: pa.Table) -> Layer:
    """Return the layer of a crop variant.

    A value is the reason why the crop was refused, or the map from pixels of the image to those of
    the variant: `[scale_x, scale_y, shift_x, shift_y]`.
    """

    def describe(rows: NDArray[np.intp]) -> list[Any]:
        part = manifest.select([*AFFINE, "reason"]).take(rows)
        affine = np.column_stack([part[name].to_numpy() for name in AFFINE]).round(_DECIMALS)
        reasons = part["reason"].to_pylist()
        return [reason or row for row, reason in zip(affine.tolist(), reasons, strict=True)]

    return Layer(name, suffix, _paths(manifest), describe)


def _paths(table: pa.Table) -> pd.Index:
    paths: list[str] = table["crop_path"].to_pylist()
    return pd.Index(paths, dtype=object)


def _to_steps(polygons: pa.ListArray) -> list[list[list[int]]]:
    """Return the polygons of each row in whole pixels, as a point and steps."""
    whole = polygons.fill_null([])
    each = whole.flatten()
    points = np.rint(each.flatten().to_numpy()).astype(np.int32).reshape(-1, 2)
    steps = np.diff(points, axis=0, prepend=np.zeros((1, 2), np.int32))
    ends = np.cumsum(each.value_lengths().to_numpy()) // 2
    starts = np.concatenate([[0], ends[:-1]])[: len(ends)]
    steps[starts] = points[starts]
    numbers = steps.ravel().tolist()
    flat = iter([numbers[2 * a : 2 * b] for a, b in zip(starts, ends, strict=True)])
    counts = whole.value_lengths().to_pylist()
    return [[next(flat) for _ in range(count)] for count in counts]


def _pick_landmarks(landmarks: list[float] | None) -> list[int]:
    """Return the landmarks that are labelled, in whole pixels."""
    if not landmarks:
        return []
    points = np.rint(landmarks).astype(int).reshape(-1, 3)
    picked: list[int] = points[points[:, 2] > 0].ravel().tolist()
    return picked
