"""Reading a shard of the index: annotation files and the sizes of images.

Runs in worker processes.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from typing import Any, BinaryIO, Final, NamedTuple

import msgspec

from df2_assets.dataset.annotations import MAX_BYTES, Annotation, Item, Refused, parse
from df2_assets.dataset.boxes import clamp, is_reversed
from df2_assets.dataset.cropping import image_size
from df2_assets.dataset.reasons import Reason
from df2_assets.dataset.record import EDGES, INDEX
from df2_assets.store.location import store_at
from df2_assets.store.store import NOT_A_FILE


class FileTask(NamedTuple):
    """The id of an image whose annotation is to be read; sizes in bytes, from the listing."""

    image_id: str
    anno_size: int
    image_size: int | None

    def __str__(self) -> str:
        return self.image_id


class IndexShard(NamedTuple):
    """Annotations to read, and the folders in which they and their images lie."""

    split: str
    annotations: str
    images: str
    tasks: Sequence[FileTask]

    def __reduce__(self) -> tuple[Any, ...]:
        """Pass the tasks on as bytes: pickle takes many times as long for named tuples."""
        return partial(msgspec.msgpack.decode, type=IndexShard), (msgspec.msgpack.encode(self),)


IndexRow = tuple[Any, ...]
"""A row of `raw_annotation_index`, in the order of its columns."""

Columns = list[tuple[Any, ...]]
"""Rows turned into columns, which processes pass on many times faster."""

_COLUMNS: Final = [field.name for field in INDEX.fields]


def index_row(values: Mapping[str, Any]) -> IndexRow:
    """Return a row of the index from values by column; a missing value is None."""
    return tuple(map(values.get, _COLUMNS))


class FileResult(NamedTuple):
    """A file that was read: how many `items` it has, None if it is unreadable, and its rows.

    Where `needs_retry` is true, the next build reads it again.
    """

    image_id: str
    items: int | None
    needs_retry: bool
    rows: list[IndexRow]


class ShardResult(NamedTuple):
    """The files of a shard as columns, in the order of `FileResult` and without `rows`; all rows.

    Both are empty lists where there is nothing.
    """

    files: Columns
    rows: Columns


class _CannotOpen(Refused):
    """A file could not be opened, or changed while it was read: its size and time say nothing."""


def read_shard(shard: IndexShard) -> ShardResult:
    """Read every file of the shard; a file or item that cannot be used is a row with a reason."""
    annotations = _annotations(shard)
    sizes = _image_sizes(shard, annotations)
    files = zip(shard.tasks, annotations, sizes, strict=True)
    return _as_columns([_read(shard.split, *file) for file in files])


def refuse_crashing_image(split: str, task: FileTask) -> ShardResult:
    """Return the refusal of a file that ended its reader; the next build reads it again."""
    reason = Reason.UNREADABLE_JSON if task.image_size is None else Reason.UNREADABLE_IMAGE
    detail = "ended the process that read it and its annotation, each time"
    return _as_columns([_refuse(split, task, None, _CannotOpen(reason, detail))])


def _as_columns(results: list[FileResult]) -> ShardResult:
    files = zip(*(result[:-1] for result in results), strict=True)
    return ShardResult([*files], [*zip(*chain(*(result.rows for result in results)), strict=True)])


def _refuse(split: str, task: FileTask, items: int | None, refused: Refused) -> FileResult:
    values = {
        "split": split,
        "image_id": task.image_id,
        "reason": refused.reason.value,
        "detail": refused.detail,
    }
    needs_retry = isinstance(refused, _CannotOpen)
    return FileResult(task.image_id, items, needs_retry, [index_row(values)])


def _read(
    split: str, task: FileTask, annotation: Annotation | Refused, size: tuple[int, int] | Refused
) -> FileResult:
    if isinstance(annotation, Refused):
        return _refuse(split, task, None, annotation)
    if isinstance(size, Refused):
        return _refuse(split, task, len(annotation.items), size)
    rows = [_item_row(split, task.image_id, annotation, item, size) for item in annotation.items]
    return FileResult(task.image_id, len(rows), False, rows)


def _annotations(shard: IndexShard) -> list[Annotation | Refused]:
    """Return the annotation of each task, or why there is none. Open only regular, small files."""
    folder = shard.annotations
    read = store_at(folder).read_each(
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
    shard: IndexShard, annotations: list[Annotation | Refused]
) -> Iterator[tuple[int, int] | Refused]:
    """Yield width and height of the image of each task. Open none whose annotation is refused."""
    folder = shard.images
    both = list(zip(shard.tasks, annotations, strict=True))
    files = store_at(folder).peek_each(
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


def _item_row(
    split: str, image_id: str, annotation: Annotation, item: Item, size: tuple[int, int]
) -> IndexRow:
    reason, detail = item.reason, item.detail
    if reason is None and item.box is not None and is_reversed(clamp(item.box, *size)):
        reason = Reason.BOX_OUTSIDE
        detail = f"bounding_box is {list(item.box)}, the image {size[0]} x {size[1]}"
    return index_row(
        {
            **item.labels,
            **dict(zip(EDGES, item.box or (None,) * 4, strict=True)),
            "split": split,
            "image_id": image_id,
            "item_idx": item.item_idx,
            "is_fractional": item.is_fractional,
            "source": annotation.source,
            "pair_id": annotation.pair_id,
            "width": size[0],
            "height": size[1],
            "reason": None if reason is None else reason.value,
            "detail": detail,
        }
    )
