"""Cutting, measuring and probing crops. All of it runs in worker processes."""

import hashlib
import io
import os
import time
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from functools import partial
from typing import Any, BinaryIO, Final, NamedTuple, TypeVar

import msgspec
from PIL.Image import Image

from df2_assets.dataset.annotations import Refused
from df2_assets.dataset.boxes import Box, size
from df2_assets.dataset.colours import CropColour, read_colour
from df2_assets.dataset.cropping import decode, encode_crop, image_size
from df2_assets.dataset.perceptual import Measures, measure
from df2_assets.dataset.reasons import Reason
from df2_assets.dataset.rendering import Polygons, encode
from df2_assets.dataset.shapes import Items, RefusedShape, read_polygons, read_shape_fields
from df2_assets.dataset.variants import FORMATS, CropVariant, plan_cut
from df2_assets.errors import Df2Error
from df2_assets.store.crop_sets import CropRow, VariantRow
from df2_assets.store.location import store_at
from df2_assets.store.store import Store

R = TypeVar("R")

_FORMATS: Final = tuple(form.pillow for form in FORMATS.values())
_CHANGED: Final = "changed since its annotation was read: build again"
_CHANGED_ANNOTATION: Final = "the annotation has changed since it was read: build again"


Recipe = CropVariant | None
"""How a crop is rendered: as a variant, or as the crops of the contract."""

Geometry = tuple[Any, ...]
"""The box that was cut and the affine map, as `VariantRow` has them; nothing for the contract."""

Rows = list[list[CropRow]]
"""Rows of the manifests of several sets of crops, in the order of the recipes of a shard."""


class _ChangedError(Exception):
    """An annotation is not the one that was read for the index."""


class Cut(NamedTuple):
    """A crop to make: its path relative to SKU_ROOT, the box that is cut, its fingerprint.

    `recipe` is the position of its recipe in the shard.
    """

    crop_path: str
    box: Box
    fingerprint: str
    recipe: int = 0


class SourceImage(NamedTuple):
    """An image with the size and time that the index recorded, and the crops to cut from it.

    `anno_size` is the size of its annotation, which cut-outs need.
    """

    path: str
    size: int
    mtime_ns: int
    cuts: list[Cut]
    anno_size: int = 0

    def __str__(self) -> str:
        return self.path


class CropShard(NamedTuple):
    """Images, the SKU_ROOT to which their crops are written, and how these are rendered."""

    sku_root: str
    recipes: tuple[Recipe, ...]
    images: Sequence[SourceImage]

    def __reduce__(self) -> tuple[Any, ...]:
        """Pass the images on as bytes: pickle takes many times as long for named tuples."""
        return partial(msgspec.msgpack.decode, type=CropShard), (msgspec.msgpack.encode(self),)


class CropFiles(NamedTuple):
    """Crops on disk that are to be read: the path of each, and its mask if that is needed."""

    sku_root: str
    crops: list[tuple[str, str | None]]


class Probe(NamedTuple):
    """The cost of some crops: processor seconds, images decoded, pixels and bytes of crops."""

    seconds: float
    images: int
    pixels: int
    bytes: int


def cut_shard(shard: CropShard) -> Rows:
    """Make the crops of a shard, and return a row for each; one that cannot be made has a reason.

    Every image is decoded once, whatever the number of recipes. Raises OutputError where a crop
    cannot be written, StorageError where a store fails.
    """
    rows: Rows = [[] for _ in shard.recipes]
    rendered: dict[str, tuple[Cut, Geometry]] = {}
    written = store_at(shard.sku_root).write_each(shard.sku_root, _encoded(shard, rows, rendered))
    for path, data, (length, time_ns) in written:
        cut, geometry = rendered.pop(path)
        # The size is read from the file, so that a check can compare it with the box.
        width, height = image_size(io.BytesIO(data), _FORMATS if geometry else ("JPEG",))
        digest = hashlib.sha256(data).hexdigest()
        common = (path, length, time_ns, digest, width, height, cut.fingerprint)
        row = VariantRow(*common, None, None, *geometry) if geometry else CropRow(*common)
        rows[cut.recipe].append(row)
    return rows


def refuse_crashing_image(shard: CropShard) -> Rows:
    """Return the rows of the crops of a shard of one image that ends the process each time."""
    rows: Rows = [[] for _ in shard.recipes]
    detail = "ended the process that decoded it, each time"
    for cut in shard.images[0].cuts:
        _refuse(shard, rows, cut, Reason.UNREADABLE_IMAGE, detail, again=True)
    return rows


def _refuse(
    shard: CropShard, rows: Rows, cut: Cut, reason: StrEnum, detail: str, *, again: bool
) -> None:
    """Add the row of a crop that cannot be made. With `again` the next build tries it again."""
    kind = VariantRow if shard.recipes[cut.recipe] else CropRow
    row = kind(
        cut.crop_path,
        fingerprint=None if again else cut.fingerprint,
        reason=reason.value,
        detail=detail,
    )
    rows[cut.recipe].append(row)


def measure_each(crops: CropFiles) -> list[Measures | None]:
    """Return the measures of each crop; None for one that is missing or cannot be read."""
    return [_unless_damaged(measure, file) for file, _ in _open_each(crops)]


def read_each_colour(crops: CropFiles) -> list[CropColour | None]:
    """Return the colour of each crop; None for one that is missing or cannot be read."""
    return [
        _unless_damaged(partial(read_colour, mask=mask), file) for file, mask in _open_each(crops)
    ]


def probe(shard: CropShard) -> Probe:
    """Make the crops of images in memory, and return the cost. Skip images that cannot be used."""
    start, decoded, pixels, encoded = time.process_time(), 0, 0, 0
    refused: Rows = [[] for _ in shard.recipes]
    files = store_at(shard.images[0].path).open_each(image.path for image in shard.images)
    for image, file in zip(shard.images, files, strict=True):
        whole = _unless_damaged(decode, file)
        if whole is None:
            continue
        decoded += 1
        for cut, _, data in _rendered(shard, image, whole, refused):
            width, height = size(cut.box)
            pixels += width * height
            encoded += len(data)
    return Probe(time.process_time() - start, decoded, pixels, encoded)


def _open_each(crops: CropFiles) -> Iterator[tuple[BinaryIO | OSError, str | None]]:
    """Yield each crop, or why it cannot be opened, with its mask."""
    paths, masks = zip(*crops.crops, strict=True)
    files = store_at(crops.sku_root).open_each(f"{crops.sku_root}/{path}" for path in paths)
    return zip(files, masks, strict=True)


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


def _encoded(
    shard: CropShard, rows: Rows, rendered: dict[str, tuple[Cut, Geometry]]
) -> Iterator[tuple[str, bytes]]:
    """Yield the crops of the shard, and note in `rendered` how each was rendered.

    Rows of crops that cannot be made go to `rows`.
    """
    source = store_at(shard.images[0].path)
    files = source.open_each(image.path for image in shard.images)
    for image, file in zip(shard.images, files, strict=True):
        pixels = _decoded(source, shard, image, file, rows)
        if pixels is None:
            continue
        for cut, geometry, data in _rendered(shard, image, pixels, rows):
            rendered[cut.crop_path] = cut, geometry
            yield cut.crop_path, data
        del pixels  # so that the next image is decoded into the same memory


def _decoded(
    source: Store, shard: CropShard, image: SourceImage, file: BinaryIO | OSError, rows: Rows
) -> Image | None:
    """Return the image's pixels; where it cannot be used, add the rows of its crops to `rows`."""
    again = True
    try:
        if isinstance(file, OSError):
            raise file
        if source.status(file) == (image.size, image.mtime_ns):
            return decode(file)
        reason, detail = Reason.UNREADABLE_IMAGE, _CHANGED
    except Refused as refused:
        reason, detail, again = refused.reason, refused.detail, False
    except FileNotFoundError:
        reason, detail = Reason.MISSING_IMAGE, "removed during the build"
    except OSError as error:
        reason, detail = Reason.UNREADABLE_IMAGE, os.strerror(error.errno or 0)
    for cut in image.cuts:
        _refuse(shard, rows, cut, reason, detail, again=again)
    return None


def _rendered(
    shard: CropShard, image: SourceImage, pixels: Image, rows: Rows
) -> Iterator[tuple[Cut, Geometry, bytes]]:
    """Yield the crops of an image, as bytes; the annotation is read if any of them is a cut-out."""
    items: Items | None = None
    for cut in image.cuts:
        variant = shard.recipes[cut.recipe]
        if variant is None:
            yield cut, (), encode_crop(pixels, cut.box)
            continue
        polygons: Polygons = ()
        try:
            if variant.uses_polygons:
                items = _read_shapes(image) if items is None else items
                polygons = read_polygons(items.get(_item_of(cut), {}))
            place = plan_cut(variant, cut.box, *pixels.size)
            data = encode(pixels, cut.box, variant, polygons)
        except _ChangedError as problem:
            _refuse(shard, rows, cut, Reason.UNREADABLE_JSON, str(problem), again=True)
        except (Refused, RefusedShape) as refused:
            _refuse(shard, rows, cut, refused.reason, refused.detail, again=False)
        else:
            yield cut, (*place.box, *place.affine), data


def _read_shapes(image: SourceImage) -> Items:
    """Return the shapes that the annotation of an image has. Raises _ChangedError or Refused."""
    image_folder, name = os.path.split(image.path)
    path = f"{os.path.dirname(image_folder)}/annos/{name.removesuffix('.jpg')}.json"
    (data,) = store_at(path).read_each([(path, image.anno_size + 1)])
    if isinstance(data, OSError) or len(data) != image.anno_size:
        raise _ChangedError(_CHANGED_ANNOTATION)
    return read_shape_fields(data)


def _item_of(cut: Cut) -> int:
    """Return the number of the item that a crop shows, as its name says."""
    return int(cut.crop_path.rpartition("_item")[2].partition(".")[0])
