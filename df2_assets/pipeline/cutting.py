"""A shard of crops: each image decoded once, its crops written. Runs in worker processes."""

import hashlib
import io
import os
import time
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from PIL.Image import Image as Pixels

from df2_assets.dataset.annotations import Refused
from df2_assets.dataset.boxes import Box
from df2_assets.dataset.cropping import decode, encode_crop, image_size
from df2_assets.dataset.reasons import Reason
from df2_assets.store.access import Access, access
from df2_assets.store.journal import CropRow


class Cut(NamedTuple):
    """A crop to make: its path relative to SKU_ROOT, its clamped box, its fingerprint."""

    crop_path: str
    box: Box
    fingerprint: str


class Image(NamedTuple):
    """An image with the size and time that the index saw, and the crops wanted of it."""

    path: str
    size: int
    mtime_ns: int
    cuts: list[Cut]

    def __str__(self) -> str:
        return self.path


class Shard(NamedTuple):
    sku_root: str
    images: list[Image]


def cut_shard(shard: Shard) -> list[CropRow]:
    """Make the shard's crops; one that cannot be made is a row with a reason.

    Raises OutputError where a crop cannot be written, StorageError where a store fails.
    """
    rows: list[CropRow] = []
    fingerprints = {c.crop_path: c.fingerprint for image in shard.images for c in image.cuts}
    written = access(shard.sku_root).write_each(shard.sku_root, _encoded(shard, rows))
    for path, data, (size, time_ns) in written:
        # As the file says, so that a check can compare it with the box.
        width, height = image_size(io.BytesIO(data))
        digest = hashlib.sha256(data).hexdigest()
        rows.append(CropRow(path, size, time_ns, digest, width, height, fingerprints[path]))
    return rows


def refuse(image: Image, reason: Reason, detail: str, *, again: bool) -> list[CropRow]:
    """The rows of an image's crops when none can be made; `again`: the next build tries anew."""
    return [
        CropRow(
            cut.crop_path,
            fingerprint=None if again else cut.fingerprint,
            reason=reason.value,
            detail=detail,
        )
        for cut in image.cuts
    ]


class Probe(NamedTuple):
    """What making some crops took: processor seconds, images decoded, pixels and bytes of crops."""

    seconds: float
    images: int
    pixels: int
    bytes: int


def probe(images: list[Image]) -> Probe:
    """Make the images' crops in memory only. An image that cannot be used counts for nothing."""
    start, decoded, pixels, size = time.process_time(), 0, 0, 0
    files = access(images[0].path).open_each(image.path for image in images)
    for image, file in zip(images, files, strict=True):
        if isinstance(file, OSError):
            continue
        try:
            whole = decode(file)
        except (OSError, Refused):
            continue
        decoded += 1
        for cut in image.cuts:
            pixels += (cut.box[2] - cut.box[0]) * (cut.box[3] - cut.box[1])
            size += len(encode_crop(whole, cut.box))
    return Probe(time.process_time() - start, decoded, pixels, size)


def _encoded(shard: Shard, refused: list[CropRow]) -> Iterator[tuple[str, bytes]]:
    """The crops of the shard, in turn; the rows of those that cannot be made go to `refused`."""
    source = access(shard.images[0].path)
    files = source.open_each(image.path for image in shard.images)
    for image, file in zip(shard.images, files, strict=True):
        pixels = _decoded(source, image, file)
        if isinstance(pixels, list):
            refused += pixels
            continue
        for cut in image.cuts:
            yield cut.crop_path, encode_crop(pixels, cut.box)
        del pixels  # so that the next image is decoded into the same memory


def _decoded(source: Access, image: Image, file: BinaryIO | OSError) -> Pixels | list[CropRow]:
    """The image's pixels, or the rows of its crops where they cannot be had."""
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
