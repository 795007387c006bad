"""A small writer of data sets in the layout of DeepFashion2, with real JPEGs.

The arguments decide every byte: the same calls write the same data set.
"""

import io
import json
import os
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from df2_assets_tests.support.oracle import CATEGORIES

Item = dict[str, Any]

CATEGORY_NAMES = tuple(CATEGORIES.values())

KINDS = ("rgb", "grey", "cmyk", "progressive", "exif", "comment", "mpo")
"""The kinds of valid JPEG that `jpeg` can write."""

ORIENTATION = 0x0112


def item(
    category_id: int,
    style: float,
    box: Sequence[float],
    occlusion: float = 1,
    viewpoint: float = 2,
    scale: float = 2,
    **override: Any,
) -> Item:
    """Return an item with every field of DeepFashion2.

    `override` replaces or adds fields, with values of any type.
    """
    return {
        "category_id": category_id,
        "category_name": CATEGORY_NAMES[category_id - 1],
        "style": style,
        "bounding_box": list(box),
        "occlusion": occlusion,
        "viewpoint": viewpoint,
        "scale": scale,
        "zoom_in": 1,
        "segmentation": [[10, 10, 30, 10, 30, 40, 10, 40]],
        "landmarks": [12, 14, 2, 28, 14, 1, 0, 0, 0],
    } | override


def without(fields: Item, *names: str) -> Item:
    """Return a copy of an item without some fields."""
    return {name: value for name, value in fields.items() if name not in names}


def annotation_text(source: Any, pair_id: Any, items: Mapping[int | str, Any]) -> str:
    """Return the text of an annotation file. The key of an item is its number, or any text."""
    keyed = {
        f"item{index}" if isinstance(index, int) else index: value for index, value in items.items()
    }
    return json.dumps({"source": source, "pair_id": pair_id, **keyed})


def jpeg(size: tuple[int, int] = (160, 120), kind: str = "rgb", seed: object = 0) -> bytes:
    """Return a JPEG of a few KB, with a texture that differs in every region."""
    rng = random.Random(f"{seed}/{size}/{kind}")
    width, height = size
    grain = (max(2, width // 8), max(2, height // 8))
    noise = Image.frombytes("RGB", grain, rng.randbytes(grain[0] * grain[1] * 3))
    picture = noise.resize(size, Image.Resampling.BICUBIC)
    picture = picture.convert({"grey": "L", "cmyk": "CMYK"}.get(kind, "RGB"))
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    special: dict[str, dict[str, Any]] = {
        "progressive": {"progressive": True},
        "exif": {"exif": exif},
        "comment": {"comment": b"taken in a shop"},
        "mpo": {"format": "MPO", "save_all": True, "append_images": [noise.resize((16, 16))]},
    }
    assert kind in KINDS, f"no such kind of image: {kind}"
    options: dict[str, Any] = {"format": "JPEG", "quality": 85} | special.get(kind, {})
    out = io.BytesIO()
    picture.save(out, **options)
    return out.getvalue()


def _size_offset(data: bytes) -> int:
    """Return the offset of height and width in a baseline JPEG."""
    return data.index(b"\xff\xc0") + 5


def truncated(data: bytes) -> bytes:
    """Return a JPEG with an intact header whose pixels end soon after they begin."""
    return data[: data.index(b"\xff\xda") + 60]


def headless(data: bytes) -> bytes:
    """Return a baseline JPEG that ends before its size."""
    return data[: _size_offset(data) - 1]


def claiming(data: bytes, width: int, height: int) -> bytes:
    """Return a baseline JPEG whose header claims another size."""
    at = _size_offset(data)
    return data[:at] + height.to_bytes(2, "big") + width.to_bytes(2, "big") + data[at + 4 :]


def png(size: tuple[int, int] = (40, 40)) -> bytes:
    """Return an image that is not a JPEG."""
    out = io.BytesIO()
    Image.new("RGB", size, (90, 20, 160)).save(out, format="PNG")
    return out.getvalue()


class DataSet:
    """A data set under `root`: `{split}/image/NNNNNN.jpg` and `{split}/annos/NNNNNN.json`.

    An image id may be a number, or a text that is used as the file's stem.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def image(
        self,
        split: str,
        image_id: int | str,
        size: tuple[int, int] = (160, 120),
        kind: str = "rgb",
        seed: object = None,
    ) -> Path:
        """Draw an image. Each split and id has its own texture, unless `seed` is set."""
        seed = f"{split}/{image_id}" if seed is None else seed
        return self.raw_image(split, image_id, jpeg(size, kind, seed))

    def annotation(
        self,
        split: str,
        image_id: int | str,
        source: Any,
        pair_id: Any,
        items: Mapping[int | str, Any],
    ) -> Path:
        """Write the annotation of an image, with its items in the order of the arguments."""
        text = annotation_text(source, pair_id, items)
        return self.raw_annotation(split, image_id, text.encode())

    def raw_image(self, split: str, image_id: int | str, data: bytes) -> Path:
        """Write any bytes in the place of an image."""
        return self._write(split, "image", f"{_stem(image_id)}.jpg", data)

    def raw_annotation(self, split: str, image_id: int | str, data: bytes) -> Path:
        """Write any bytes in the place of an annotation."""
        return self._write(split, "annos", f"{_stem(image_id)}.json", data)

    def _write(self, split: str, folder: str, name: str, data: bytes) -> Path:
        path = self.root / split / folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path


def _stem(image_id: int | str) -> str:
    return f"{image_id:06d}" if isinstance(image_id, int) else image_id


def write_pairs(
    root: Path,
    images: int,
    splits: Sequence[str] = ("train",),
    size: tuple[int, int] = (800, 600),
) -> DataSet:
    """Write pairs of a shop and a user image with two items each, of style 1 and of style 2.

    There are sixteen pictures, to which all images are linked.
    """
    data = DataSet(root)
    width, height = size
    for split in splits:
        pictures = [data.raw_image(split, n, jpeg(size, seed=n)) for n in range(1, 17)]
        for image in range(1, images + 1):
            if image > len(pictures):
                name = data.root / split / "image" / f"{image:06d}.jpg"
                os.link(pictures[image % len(pictures)], name)
            items: dict[int | str, Any] = {
                1: item(1, 1, [image % 50, 5, width * 5 // 8, height * 5 // 6]),
                2: item(8, 2, [width // 4, image % 50, width - 10, height - 10]),
            }
            data.annotation(split, image, ("shop", "user")[image % 2], (image + 1) // 2, items)
        for unused in pictures[images:]:
            unused.unlink()
    return data
