"""A shard of crops: each image decoded once, its crops written. Runs in worker processes."""

import hashlib
import os
import time
from typing import NamedTuple

from df2_assets.dataset.annotations import Refused
from df2_assets.dataset.boxes import Box
from df2_assets.dataset.cropping import decode, encode_crop, image_size
from df2_assets.dataset.reasons import Reason
from df2_assets.errors import OutputError
from df2_assets.store.files import temporary_name
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


class Shard(NamedTuple):
    sku_root: str
    images: list[Image]


class Headers(NamedTuple):
    """Crops whose size is to be read from their headers."""

    sku_root: str
    crop_paths: list[str]


def cut_shard(shard: Shard) -> list[CropRow]:
    """Make the shard's crops; one that cannot be made is a row with a reason.

    Raises OutputError where a crop cannot be written.
    """
    return [row for image in shard.images for row in _cut_image(shard.sku_root, image)]


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


def read_headers(headers: Headers) -> list[tuple[int, int] | None]:
    """Width and height of each crop; None for one that is no readable JPEG."""
    sizes: list[tuple[int, int] | None] = []
    for path in headers.crop_paths:
        try:
            with open(f"{headers.sku_root}/{path}", "rb") as file:
                sizes.append(image_size(file))
        except (OSError, Refused):
            sizes.append(None)
    return sizes


class Probe(NamedTuple):
    """What making some crops took: processor seconds, images decoded, pixels and bytes of crops."""

    seconds: float
    images: int
    pixels: int
    bytes: int


def probe(images: list[Image]) -> Probe:
    """Make the images' crops in memory only. An image that cannot be used counts for nothing."""
    start, decoded, pixels, size = time.process_time(), 0, 0, 0
    for image in images:
        try:
            with open(image.path, "rb") as file:
                whole = decode(file)
        except (OSError, Refused):
            continue
        decoded += 1
        for cut in image.cuts:
            pixels += (cut.box[2] - cut.box[0]) * (cut.box[3] - cut.box[1])
            size += len(encode_crop(whole, cut.box))
    return Probe(time.process_time() - start, decoded, pixels, size)


def _cut_image(sku_root: str, image: Image) -> list[CropRow]:
    try:
        with open(image.path, "rb") as file:
            status = os.fstat(file.fileno())
            if (status.st_size, status.st_mtime_ns) != (image.size, image.mtime_ns):
                detail = "changed since its annotation was read: build again"
                return refuse(image, Reason.UNREADABLE_IMAGE, detail, again=True)
            pixels = decode(file)
    except Refused as refused:
        return refuse(image, refused.reason, refused.detail, again=False)
    except FileNotFoundError:
        return refuse(image, Reason.MISSING_IMAGE, "removed during the build", again=True)
    except OSError as error:
        detail = os.strerror(error.errno or 0)
        return refuse(image, Reason.UNREADABLE_IMAGE, detail, again=True)
    return [_write(sku_root, cut, encode_crop(pixels, cut.box)) for cut in image.cuts]


def _write(sku_root: str, cut: Cut, data: bytes) -> CropRow:
    """Write the crop under a temporary name, then rename it: it is there whole or not at all."""
    folder, name = os.path.split(f"{sku_root}/{cut.crop_path}")
    temporary = f"{folder}/{temporary_name(name)}"
    try:
        if not os.path.isdir(folder):
            os.makedirs(folder, exist_ok=True)
        if os.path.lexists(temporary):  # of a killed build, or a link to anything
            os.unlink(temporary)
        with open(temporary, "xb") as file:
            file.write(data)
            file.flush()
            status = os.fstat(file.fileno())
        os.replace(temporary, f"{folder}/{name}")
    except OSError as error:
        if os.path.exists(temporary):
            os.unlink(temporary)
        reason = os.strerror(error.errno or 0)
        raise OutputError(
            f"Cannot write {cut.crop_path} under {sku_root}: {reason}. "
            "Finished crops are kept; mend this and build again."
        ) from None
    x1, y1, x2, y2 = cut.box
    return CropRow(
        cut.crop_path,
        status.st_size,
        status.st_mtime_ns,
        hashlib.sha256(data).hexdigest(),
        x2 - x1,
        y2 - y1,
        cut.fingerprint,
    )
