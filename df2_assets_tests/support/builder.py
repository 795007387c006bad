"""A small writer of data in DeepFashion2's layout, with real JPEGs.

Every byte follows from the arguments: the same calls write the same data set.
"""

import io
import json
import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

Item = dict[str, Any]

CATEGORY_NAMES = (
    "short sleeve top",
    "long sleeve top",
    "short sleeve outwear",
    "long sleeve outwear",
    "vest",
    "sling",
    "shorts",
    "trousers",
    "skirt",
    "short sleeve dress",
    "long sleeve dress",
    "vest dress",
    "sling dress",
)

KINDS = ("rgb", "grey", "cmyk", "progressive", "exif", "comment", "mpo")
"""Every way of being a good JPEG that `jpeg` can write."""

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
    """An item with every field of DeepFashion2, the category's name by its id.

    `override` replaces or adds fields, with values of any kind.
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
    """A copy of an item that lacks some fields."""
    return {name: value for name, value in fields.items() if name not in names}


def annotation_text(source: Any, pair_id: Any, items: Mapping[int | str, Any]) -> str:
    """One annotation file's text; an item's key is its index, or any text that is written as is."""
    keyed = {
        f"item{index}" if isinstance(index, int) else index: value for index, value in items.items()
    }
    return json.dumps({"source": source, "pair_id": pair_id, **keyed})


def jpeg(size: tuple[int, int] = (160, 120), kind: str = "rgb", seed: object = 0) -> bytes:
    """A JPEG of a few KB, textured so that no two regions are alike."""
    rng = random.Random(f"{seed}/{size}/{kind}")
    width, height = size
    grain = (max(2, width // 8), max(2, height // 8))
    noise = Image.frombytes("RGB", grain, rng.randbytes(grain[0] * grain[1] * 3))
    picture = noise.resize(size, Image.Resampling.BICUBIC)
    options: dict[str, Any] = {"format": "JPEG", "quality": 85}
    if kind == "grey":
        picture = picture.convert("L")
    elif kind == "cmyk":
        picture = picture.convert("CMYK")
    elif kind == "progressive":
        options["progressive"] = True
    elif kind == "exif":
        exif = Image.Exif()
        exif[ORIENTATION] = 6
        options["exif"] = exif
    elif kind == "comment":
        options["comment"] = b"taken in a shop"
    elif kind == "mpo":
        options |= {"format": "MPO", "save_all": True, "append_images": [noise.resize((16, 16))]}
    elif kind != "rgb":
        raise ValueError(f"no such kind of image: {kind}")
    out = io.BytesIO()
    picture.save(out, **options)
    return out.getvalue()


def _size_offset(data: bytes) -> int:
    """Where the height and width of a baseline JPEG stand."""
    return data.index(b"\xff\xc0") + 5


def truncated(data: bytes) -> bytes:
    """A JPEG whose header is whole and whose pixels stop soon after they begin."""
    return data[: data.index(b"\xff\xda") + 60]


def headless(data: bytes) -> bytes:
    """A baseline JPEG that stops before its size is told."""
    return data[: _size_offset(data) - 1]


def claiming(data: bytes, width: int, height: int) -> bytes:
    """A baseline JPEG whose header claims another size."""
    at = _size_offset(data)
    return data[:at] + height.to_bytes(2, "big") + width.to_bytes(2, "big") + data[at + 4 :]


def png(size: tuple[int, int] = (40, 40)) -> bytes:
    """An image that is no JPEG."""
    out = io.BytesIO()
    Image.new("RGB", size, (90, 20, 160)).save(out, format="PNG")
    return out.getvalue()


class DataSet:
    """A data set under `root`: `{split}/image/NNNNNN.jpg` and `{split}/annos/NNNNNN.json`.

    An image id may be a number, or a text that is used as the file's stem as it is.
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
        """Draw an image; each split and id has its own texture unless `seed` is given."""
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
        """Describe an image; the items are written in the order given."""
        text = annotation_text(source, pair_id, items)
        return self.raw_annotation(split, image_id, text.encode())

    def raw_image(self, split: str, image_id: int | str, data: bytes) -> Path:
        """Put any bytes where an image belongs."""
        return self._write(split, "image", f"{_stem(image_id)}.jpg", data)

    def raw_annotation(self, split: str, image_id: int | str, data: bytes) -> Path:
        """Put any bytes where an annotation belongs."""
        return self._write(split, "annos", f"{_stem(image_id)}.json", data)

    def _write(self, split: str, folder: str, name: str, data: bytes) -> Path:
        path = self.root / split / folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path


def _stem(image_id: int | str) -> str:
    return f"{image_id:06d}" if isinstance(image_id, int) else image_id


def large_pairs(root: Path, images: int) -> DataSet:
    """Pairs of a shop and a user image with two items each, which take a worker a while to cut."""
    data = DataSet(root)
    pictures = [jpeg((800, 600), seed=seed) for seed in range(16)]
    for image in range(1, images + 1):
        source, shift = ("shop", "user")[image % 2], image % 50
        items: dict[int | str, Any] = {
            1: item(1, 1, [shift, 5, 500, 500]),
            2: item(8, 2, [200, shift, 790, 590]),
        }
        data.raw_image("train", image, pictures[image % len(pictures)])
        data.annotation("train", image, source, (image + 1) // 2, items)
    return data


def random_dataset(
    root: Path,
    seed: int,
    splits: Sequence[str] = ("train",),
    images: int = 60,
    *,
    bad: float = 0.0,
) -> DataSet:
    """A valid and messy data set; `bad` is the share of files and of items that cannot be used.

    Pair ids and image ids recur from split to split with other meanings, and `test` has images
    only, as in the released data.
    """
    data = DataSet(root)
    for split in splits:
        rng = random.Random(f"{seed}/{split}")
        for image_id in sorted(rng.sample(range(1, 4 * images), images)):
            _random_image(data, split, image_id, images, rng, bad)
    return data


def _random_image(
    data: DataSet, split: str, image_id: int, images: int, rng: random.Random, bad: float
) -> None:
    size = (rng.randint(30, 180), rng.randint(30, 180))
    picture = jpeg(size, rng.choice((*KINDS, *["rgb"] * 5)), rng.random())
    annotated = split != "test" and rng.random() > 0.08
    if not annotated:
        data.raw_image(split, image_id, picture)
        return
    spoil_file = rng.choice(_SPOILED_FILES) if rng.random() < bad else _leave
    items: dict[int | str, Any] = {
        index: _random_item(rng, size) for index in rng.sample(range(1, 12), rng.randint(0, 5))
    }
    for fields in items.values():
        if rng.random() < bad:
            rng.choice(_SPOILED_ITEMS)(fields, size)
    pair_id = rng.choice((rng.randint(1, max(1, images // 8)), 999_999))
    text = annotation_text(rng.choice(("shop", "user")), pair_id, items)
    new_picture, new_text = spoil_file(picture, text.encode())
    data.raw_annotation(split, image_id, new_text)
    if new_picture is not None:
        data.raw_image(split, image_id, new_picture)


def _random_item(rng: random.Random, size: tuple[int, int]) -> Item:
    x1, x2 = _random_span(rng, size[0])
    y1, y2 = _random_span(rng, size[1])
    box: list[float] = [x1, y1, x2, y2]
    fields = item(
        rng.choice((1, 1, 8, 13)),
        rng.choice((0, 1, 1, 1, 2, 3, 99)),
        box if rng.random() < 0.9 else [float(edge) for edge in box],
        rng.randint(1, 3),
        rng.randint(1, 3),
        rng.randint(1, 3),
    )
    names = list(fields)
    rng.shuffle(names)
    return {name: fields[name] for name in names}


def _random_span(rng: random.Random, length: int) -> tuple[int, int]:
    """A side of a box that reaches into the image: inside, on an edge, past it, or all of it."""
    if rng.random() < 0.1:
        return rng.choice(((0, length), (-7, length + 9), (0, 1), (length - 1, length)))
    start = rng.randint(-4, length - 1)
    return start, rng.randint(max(start, 0) + 1, length + 4)


Spoiled = tuple[bytes | None, bytes]


def _leave(picture: bytes, text: bytes) -> Spoiled:
    return picture, text


_SPOILED_FILES: tuple[Callable[[bytes, bytes], Spoiled], ...] = (
    lambda picture, text: (None, text),
    lambda picture, text: (png(), text),
    lambda picture, text: (truncated(picture), text),
    lambda picture, text: (picture, text[:-3]),
    lambda picture, text: (picture, b"[" + text + b"]"),
    lambda picture, text: (picture, text.replace(b'"source"', b'"origin"')),
    lambda picture, text: (picture, text.replace(b'"pair_id": ', b'"pair_id": -')),
    lambda picture, text: (picture, text.replace(b'"shop"', b'"web"').replace(b'"user"', b'"web"')),
)

_SPOILED_ITEMS: tuple[Callable[[Item, tuple[int, int]], object], ...] = (
    lambda fields, size: fields.pop("style"),
    lambda fields, size: fields.pop("bounding_box"),
    lambda fields, size: fields.update(occlusion=4),
    lambda fields, size: fields.update(viewpoint=True),
    lambda fields, size: fields.update(style=100),
    lambda fields, size: fields.update(category_id=14),
    lambda fields, size: fields.update(category_name="sock"),
    lambda fields, size: fields.update(bounding_box=[20, 5, 5, 20]),
    lambda fields, size: fields.update(bounding_box=[size[0], 0, size[0] + 5, 9]),
    lambda fields, size: fields.update(bounding_box=[0, 0, 10.5, 10]),
)
