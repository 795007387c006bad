"""A shard of the index: annotation files parsed, image sizes read. Runs in worker processes."""

import os
from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple

from df2_assets.dataset.annotations import MAX_BYTES, Annotation, Item, Refused, parse
from df2_assets.dataset.boxes import clamp, is_reversed
from df2_assets.dataset.cropping import image_size
from df2_assets.dataset.reasons import Reason
from df2_assets.store.access import access
from df2_assets.store.files import NOT_A_FILE

CODE_VERSION: Final = "1"
"""To be raised with each change to what is read from a file, or refused in it."""


class FileTask(NamedTuple):
    """An annotation to read and its image, by id; sizes in bytes as the listing has them."""

    image_id: str
    anno_size: int
    image_size: int | None

    def __str__(self) -> str:
        return self.image_id


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
    annotations = _annotations(shard)
    sizes = _image_sizes(shard, annotations)
    found = zip(shard.tasks, annotations, sizes, strict=True)
    return [_read(shard.split, task, annotation, size) for task, annotation, size in found]


def killed(split: str, task: FileTask) -> Read:
    """What is said of a file that ended its reader; the next build tries anew."""
    reason = Reason.UNREADABLE_JSON if task.image_size is None else Reason.UNREADABLE_IMAGE
    detail = "ended the process that read it and its annotation, each time"
    row = IndexRow(split, task.image_id, reason=reason.value, detail=detail)
    return Read(task.image_id, None, False, [row])


def _read(
    split: str, task: FileTask, annotation: Annotation | Refused, size: tuple[int, int] | Refused
) -> Read:
    items = None if isinstance(annotation, Refused) else len(annotation.items)
    for refused in (annotation, size):
        if isinstance(refused, Refused):
            row = IndexRow(split, task.image_id, reason=refused.reason.value, detail=refused.detail)
            return Read(task.image_id, items, not isinstance(refused, _CannotOpen), [row])
    assert not isinstance(annotation, Refused)
    assert not isinstance(size, Refused)
    rows = [_row(split, task.image_id, annotation, item, size) for item in annotation.items]
    return Read(task.image_id, items, True, rows)


def _annotations(shard: Shard) -> list[Annotation | Refused]:
    """The annotation of each task, or why there is none; only what may be opened is."""
    folder = shard.annotations
    read = access(folder).read_each(
        (f"{folder}/{task.image_id}.json", task.anno_size + 1)
        for task in shard.tasks
        if NOT_A_FILE != task.anno_size <= MAX_BYTES
    )
    return [_annotation(task.anno_size, read) for task in shard.tasks]


def _annotation(size: int, read: Iterator[bytes | OSError]) -> Annotation | Refused:
    if size == NOT_A_FILE:
        return Refused(Reason.UNREADABLE_JSON, "not a regular file")
    if size > MAX_BYTES:
        return Refused(Reason.UNREADABLE_JSON, f"{size} bytes, more than {MAX_BYTES}")
    data = next(read)
    if isinstance(data, OSError):
        return _CannotOpen(Reason.UNREADABLE_JSON, os.strerror(data.errno or 0))
    if len(data) != size:
        return _CannotOpen(Reason.UNREADABLE_JSON, "changed while it was read: build again")
    try:
        return parse(data)
    except Refused as refused:
        return refused


def _image_sizes(
    shard: Shard, annotations: list[Annotation | Refused]
) -> Iterator[tuple[int, int] | Refused]:
    """Width and height of each task's image; none is opened where that would be of no use."""
    folder = shard.images
    both = list(zip(shard.tasks, annotations, strict=True))
    files = access(folder).peek_each(
        f"{folder}/{task.image_id}.jpg"
        for task, annotation in both
        if not isinstance(annotation, Refused) and task.image_size not in (None, NOT_A_FILE)
    )
    for task, annotation in both:
        if isinstance(annotation, Refused):
            yield annotation
        elif task.image_size is None:
            yield Refused(Reason.MISSING_IMAGE, f"{task.image_id}.jpg is not there")
        elif task.image_size == NOT_A_FILE:
            yield Refused(Reason.UNREADABLE_IMAGE, "not a regular file")
        else:
            yield _image_size(next(files))


def _image_size(file: BinaryIO | OSError) -> tuple[int, int] | Refused:
    try:
        if isinstance(file, OSError):
            raise file
        return image_size(file)
    except OSError as error:
        return _CannotOpen(Reason.UNREADABLE_IMAGE, os.strerror(error.errno or 0))
    except Refused as refused:
        return refused


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
