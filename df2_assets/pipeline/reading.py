"""A shard of the index: annotation files parsed, image sizes read. Runs in worker processes."""

import os
from typing import Final, NamedTuple

from df2_assets.dataset.annotations import MAX_BYTES, Annotation, Item, Refused, parse
from df2_assets.dataset.boxes import clamp, is_reversed
from df2_assets.dataset.cropping import image_size
from df2_assets.dataset.reasons import Reason
from df2_assets.store.files import NOT_A_FILE

CODE_VERSION: Final = "1"
"""To be raised with each change to what is read from a file, or refused in it."""


class FileTask(NamedTuple):
    """An annotation to read and its image, by id; sizes in bytes as the listing has them."""

    image_id: str
    anno_size: int
    image_size: int | None


class Shard(NamedTuple):
    split: str
    annotations: str
    images: str
    tasks: list[FileTask]


class IndexRow(NamedTuple):
    """A row of `raw_annotation_index`, in the order of its columns."""

    split: str
    image_id: str
    item_idx: int | None = None
    source: str | None = None
    pair_id: int | None = None
    style: int | None = None
    category_id: int | None = None
    category_name: str | None = None
    x1: int | None = None
    y1: int | None = None
    x2: int | None = None
    y2: int | None = None
    occlusion: int | None = None
    viewpoint: int | None = None
    scale: int | None = None
    width: int | None = None
    height: int | None = None
    reason: str | None = None
    detail: str | None = None


class Read(NamedTuple):
    """What came of a file: `items` found (None: unreadable); `settled` false: try again."""

    image_id: str
    items: int | None
    settled: bool
    rows: list[IndexRow]


class _CannotOpen(Refused):
    """The system would not open a file, or it changed: its size and time tell nothing of it."""


def read_shard(shard: Shard) -> list[Read]:
    """Read every file of the shard; what cannot be used is a row with a reason."""
    return [_read(shard, task) for task in shard.tasks]


def _read(shard: Shard, task: FileTask) -> Read:
    annotation: Annotation | None = None
    try:
        annotation = _annotation(f"{shard.annotations}/{task.image_id}.json", task.anno_size)
        if task.image_size is None:
            raise Refused(Reason.MISSING_IMAGE, f"{task.image_id}.jpg is not there")
        size = _image_size(f"{shard.images}/{task.image_id}.jpg", task.image_size)
        rows = [_row(shard.split, task.image_id, annotation, i, size) for i in annotation.items]
    except Refused as refused:
        settled = not isinstance(refused, _CannotOpen)
        row = IndexRow(
            shard.split, task.image_id, reason=refused.reason.value, detail=refused.detail
        )
        return Read(task.image_id, len(annotation.items) if annotation else None, settled, [row])
    return Read(task.image_id, len(annotation.items), True, rows)


def _annotation(path: str, size: int) -> Annotation:
    if size == NOT_A_FILE:
        raise Refused(Reason.UNREADABLE_JSON, "not a regular file")
    if size > MAX_BYTES:
        raise Refused(Reason.UNREADABLE_JSON, f"{size} bytes, more than {MAX_BYTES}")
    try:
        with open(path, "rb", buffering=0) as file:
            data = file.read(size + 1)
    except OSError as error:
        raise _CannotOpen(Reason.UNREADABLE_JSON, os.strerror(error.errno or 0)) from None
    if len(data) != size:
        raise _CannotOpen(Reason.UNREADABLE_JSON, "changed while it was read: build again")
    return parse(data)


def _image_size(path: str, size: int) -> tuple[int, int]:
    if size == NOT_A_FILE:
        raise Refused(Reason.UNREADABLE_IMAGE, "not a regular file")
    try:
        with open(path, "rb") as file:
            return image_size(file)
    except OSError as error:
        raise _CannotOpen(Reason.UNREADABLE_IMAGE, os.strerror(error.errno or 0)) from None


def _row(
    split: str, image_id: str, annotation: Annotation, item: Item, size: tuple[int, int]
) -> IndexRow:
    reason, detail = item.reason, item.detail
    x1, y1, x2, y2 = item.box or (None, None, None, None)
    if reason is None and item.box is not None and is_reversed(clamp(item.box, *size)):
        reason = Reason.BOX_OUTSIDE
        detail = f"bounding_box is {list(item.box)}, the image {size[0]} x {size[1]}"
    return IndexRow(
        split,
        image_id,
        item.item_idx,
        annotation.source,
        annotation.pair_id,
        item.style,
        item.category_id,
        item.category_name,
        x1,
        y1,
        x2,
        y2,
        item.occlusion,
        item.viewpoint,
        item.scale,
        *size,
        None if reason is None else reason.value,
        detail,
    )
