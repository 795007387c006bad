"""Cutting, measuring and probing crops. All of it runs in worker processes."""

import hashlib
import io
import os
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, BinaryIO, NamedTuple, TypeVar

import msgspec
from PIL.Image import Image

from df2_assets.dataset.annotations import Refused
from df2_assets.dataset.boxes import Box, size
from df2_assets.dataset.colours import CropColour, read_colour
from df2_assets.dataset.cropping import decode, encode_crop, image_size
from df2_assets.dataset.perceptual import Measures, measure
from df2_assets.dataset.reasons import Reason
from df2_assets.errors import Df2Error
from df2_assets.store.crop_sets import CropRow
from df2_assets.store.location import store_at
from df2_assets.store.store import Store

R = TypeVar("R")


class Cut(NamedTuple):
    """A crop to make: its path relative to SKU_ROOT, the box that is cut, its fingerprint."""

    crop_path: str
    box: Box
    fingerprint: str


class SourceImage(NamedTuple):
    """An image with the size and time that the index recorded, and the crops to cut from it."""

    path: str
    size: int
    mtime_ns: int
    cuts: list[Cut]

    def __str__(self) -> str:
        return self.path


class CropShard(NamedTuple):
    """Images, and the SKU_ROOT to which their crops are written."""

    sku_root: str
    images: Sequence[SourceImage]

    def __reduce__(self) -> tuple[Any, ...]:
        """Pass the images on as bytes: pickle takes many times as long for named tuples."""
        return partial(msgspec.msgpack.decode, type=CropShard), (msgspec.msgpack.encode(self),)


class CropFiles(NamedTuple):
    """Crops on disk that are to be read."""

    sku_root: str
    crop_paths: list[str]


class Probe(NamedTuple):
    """The cost of some crops: processor seconds, images decoded, pixels and bytes of crops."""

    seconds: float
    images: int
    pixels: int
    bytes: int


def cut_shard(shard: CropShard) -> list[CropRow]:
    """Make the crops of a shard, and return a row for each; one that cannot be made has a reason.

    Raises OutputError where a crop cannot be written, StorageError where a store fails.
    """
    rows: list[CropRow] = []
    fingerprints = {c.crop_path: c.fingerprint for image in shard.images for c in image.cuts}
    written = store_at(shard.sku_root).write_each(shard.sku_root, _encoded(shard, rows))
    for path, data, (length, time_ns) in written:
        # The size is read from the file, so that a check can compare it with the box.
        width, height = image_size(io.BytesIO(data))
        digest = hashlib.sha256(data).hexdigest()
        rows.append(CropRow(path, length, time_ns, digest, width, height, fingerprints[path]))
    return rows


def refuse(image: SourceImage, reason: Reason, detail: str, *, again: bool) -> list[CropRow]:
    """Return the rows of an image's crops when none can be made.

    With `again` the next build tries them again.
    """
    return [
        CropRow(
            cut.crop_path,
            fingerprint=None if again else cut.fingerprint,
            reason=reason.value,
            detail=detail,
        )
        for cut in image.cuts
    ]


def measure_each(crops: CropFiles) -> list[Measures | None]:
    """Return the measures of each crop; None for one that is missing or cannot be read."""
    return _read_each(measure, crops)


def read_each_colour(crops: CropFiles) -> list[CropColour | None]:
    """Return the colour of each crop; None for one that is missing or cannot be read."""
    return _read_each(read_colour, crops)


def _read_each(read: Callable[[BinaryIO], R], crops: CropFiles) -> list[R | None]:
    files = store_at(crops.sku_root).open_each(_paths(crops))
    return [_unless_damaged(read, file) for file in files]


def probe(images: Sequence[SourceImage]) -> Probe:
    """Make the crops of images in memory, and return the cost. Skip images that cannot be used."""
    start, decoded, pixels, encoded = time.process_time(), 0, 0, 0
    files = store_at(images[0].path).open_each(image.path for image in images)
    for image, file in zip(images, files, strict=True):
        whole = _unless_damaged(decode, file)
        if whole is None:
            continue
        decoded += 1
        for cut in image.cuts:
            width, height = size(cut.box)
            pixels += width * height
            encoded += len(encode_crop(whole, cut.box))
    return Probe(time.process_time() - start, decoded, pixels, encoded)


def _paths(crops: CropFiles) -> Iterator[str]:
    return (f"{crops.sku_root}/{path}" for path in crops.crop_paths)


def _unless_damaged(read: Callable[[BinaryIO], R], file: BinaryIO | OSError) -> R | None:
    """Return what `read` makes of a file; None where it is missing or not a whole JPEG."""
    if isinstance(file, OSError):
        return None
    try:
        return read(file)
    except Df2Error:
        raise
    except Exception:  # Pillow raises whatever its decoders meet in a damaged file
        return None


def _encoded(shard: CropShard, refused: list[CropRow]) -> Iterator[tuple[str, bytes]]:
    """Yield the crops of the shard; rows of those that cannot be made go to `refused`."""
    source = store_at(shard.images[0].path)
    files = source.open_each(image.path for image in shard.images)
    for image, file in zip(shard.images, files, strict=True):
        pixels = _decoded(source, image, file)
        if isinstance(pixels, list):
            refused += pixels
            continue
        for cut in image.cuts:
            yield cut.crop_path, encode_crop(pixels, cut.box)
        del pixels  # so that the next image is decoded into the same memory


def _decoded(source: Store, image: SourceImage, file: BinaryIO | OSError) -> Image | list[CropRow]:
    """Return the image's pixels, or the rows of its crops where it cannot be used."""
    try:
        if isinstance(file, OSError):
            raise file
        if source.status(file) != (image.size, image.mtime_ns):
            detail = "changed since its annotation was read: build again"
            return refuse(image, Reason.UNREADABLE_IMAGE, detail, again=True)
        return decode(file)
    except Refused as refused:
        return refuse(image, refused.reason, refused.detail, again=False)
    except FileNotFoundError:
        return refuse(image, Reason.MISSING_IMAGE, "removed during the build", again=True)
    except OSError as error:
        detail = os.strerror(error.errno or 0)
        return refuse(image, Reason.UNREADABLE_IMAGE, detail, again=True)
