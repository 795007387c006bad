"""Reading the shapes of a shard of images from their annotation files.

Runs in worker processes.
"""

import os
from collections.abc import Sequence
from functools import partial
from typing import Any, Final, NamedTuple

import msgspec

from df2_assets.dataset.annotations import Refused
from df2_assets.dataset.boxes import Box
from df2_assets.dataset.shapes import (
    CropLabels,
    Items,
    label_crop,
    read_shape_fields,
    refuse_labels,
)
from df2_assets.pipeline.reading import Columns
from df2_assets.store.location import store_at

_CHANGED: Final = "changed since the build: build again"


class LabelledCrop(NamedTuple):
    """A crop whose labels are to be made: its path, its item, and the box that was cut."""

    crop_path: str
    item_idx: int
    box: Box


class LabelTask(NamedTuple):
    """An image with crops. `anno_size` is that of its annotation in bytes, from the index."""

    image_id: str
    anno_size: int
    crops: list[LabelledCrop]

    def __str__(self) -> str:
        return self.image_id


class LabelShard(NamedTuple):
    """Images whose labels are to be made, and the folder with their annotations."""

    annotations: str
    images: Sequence[LabelTask]

    def __reduce__(self) -> tuple[Any, ...]:
        """Pass the images on as bytes: pickle takes many times as long for named tuples."""
        return partial(msgspec.msgpack.decode, type=LabelShard), (msgspec.msgpack.encode(self),)


def label_shard(shard: LabelShard) -> Columns:
    """Return the path of each crop of the shard and its `CropLabels`, as columns."""
    files = store_at(shard.annotations).read_each(
        (f"{shard.annotations}/{image.image_id}.json", image.anno_size + 1)
        for image in shard.images
    )
    rows: list[tuple[Any, ...]] = []
    for image, data in zip(shard.images, files, strict=True):
        rows += _label_image(image, data)
    return [*zip(*rows, strict=True)]


def refuse_crashing_annotation(image: LabelTask) -> Columns:
    """Return the rows of an image whose annotation ended the process that read it."""
    refused = refuse_labels("ended the process that read its annotation, each time")
    return [*zip(*((crop.crop_path, *refused) for crop in image.crops), strict=True)]


def _label_image(image: LabelTask, data: bytes | OSError) -> list[tuple[Any, ...]]:
    items = _read_items(image, data)
    return [
        (
            crop.crop_path,
            *(items if isinstance(items, CropLabels) else label_crop(items, *crop[1:])),
        )
        for crop in image.crops
    ]


def _read_items(image: LabelTask, data: bytes | OSError) -> Items | CropLabels:
    """Return the items of an annotation, or the labels of its crops where it cannot be read."""
    if isinstance(data, OSError):
        return refuse_labels(os.strerror(data.errno or 0))
    if len(data) != image.anno_size:
        return refuse_labels(_CHANGED)
    try:
        return read_shape_fields(data)
    except Refused as refused:
        return refuse_labels(refused.detail)
