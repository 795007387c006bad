"""COCO: boxes on the original images, with the SKU of each.

Only garments of a kept SKU are annotated: an image may show others, so this is for retrieval and
for reading, not for training a detector without looking.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import pyarrow.compute as pc

from df2_assets.dataset.taxonomy import CATEGORIES
from df2_assets.exports.folder import Folder
from df2_assets.exports.form import Form, Format, Record
from df2_assets.exports.source import Source
from df2_assets.store import tables

_KEPT: Final = ("sku_id", "pair_id", "style", "domain", "occlusion", "viewpoint")
_ITEMS: Final = 1_000_000
"""More than an item's number can be: six digits."""


def _annotation(fields: dict[str, Any], captions: Sequence[str]) -> dict[str, Any]:
    """Ids are those of the annotation files, so that they stay where other crops come or go."""
    x1, y1, x2, y2 = fields["bbox"]
    text, *more = captions
    image = int(fields["image_id"])
    return {
        "id": image * _ITEMS + fields["item_idx"],
        "image_id": image,
        "category_id": fields["category_id"],
        "bbox": [x1, y1, x2 - x1, y2 - y1],
        "area": (x2 - x1) * (y2 - y1),
        "iscrowd": 0,
        **{name: fields[name] for name in _KEPT},
        "crop_path": fields["image_path"],
        "caption": fields[text],
        **({"captions": {key: fields[key] for key in more}} if more else {}),
    }


def _images(source: Source) -> Iterator[dict[str, Any]]:
    """The original images, by id; `file_name` is relative to DF2_ROOT."""
    names = {row.fields["image_id"]: row.fields["orig_image_path"] for row in source.rows()}
    index = tables.read(source.roots, "raw_annotation_index", source.split)
    index = index.select(["image_id", "width", "height"]).filter(pc.field("width").is_valid())
    sizes = dict(
        zip(
            index["image_id"].to_pylist(),
            zip(index["width"].to_pylist(), index["height"].to_pylist(), strict=True),
            strict=True,
        )
    )
    for image_id in sorted(names):
        width, height = sizes[image_id]
        name = names[image_id]
        yield {"id": int(image_id), "file_name": name, "width": width, "height": height}


def write(folder: Folder) -> None:
    """One document, an entry a line."""
    source = folder.source
    info = {
        "description": f"DeepFashion2 visual SKUs, {source.split}",
        "version": FORMAT.code_version,
    }
    categories = [
        {"id": i, "name": name, "supercategory": "clothes"} for i, name in CATEGORIES.items()
    ]
    annotations = (_annotation(row.fields, source.captions) for row in source.rows())

    def chunks() -> Iterator[bytes]:
        yield b'{"info":' + msgspec.json.encode(info)
        for name, entries in (
            ("categories", iter(categories)),
            ("images", _images(source)),
            ("annotations", annotations),
        ):
            yield b',\n"%s":[' % name.encode()
            before = b"\n"
            for entry in entries:
                yield before + msgspec.json.encode(entry)
                before = b",\n"
            yield b"\n]"
        yield b"}\n"

    folder.publish(f"instances_{source.split}.json", chunks())


class _Document(msgspec.Struct):
    """What the file has; annotations are read one by one."""

    images: list[dict[str, Any]]
    annotations: list[msgspec.Raw]
    categories: list[dict[str, Any]]


def _expected(source: Source) -> Iterator[Record]:
    files = {image["id"]: image for image in _images(source)}
    for row in source.rows():
        annotation = _annotation(row.fields, source.captions)
        image = files[annotation["image_id"]]
        yield row.path, annotation | {"category": row.fields["category_name"], "image": image}


def _found(folder: Path, split: str) -> Iterator[Record]:
    data = (folder / f"instances_{split}.json").read_bytes()
    document = msgspec.json.decode(data, type=_Document)
    files = {image["id"]: image for image in document.images}
    names = {category["id"]: category["name"] for category in document.categories}
    for raw in document.annotations:
        one = msgspec.json.decode(raw, type=dict[str, Any])
        more = {"category": names[one["category_id"]], "image": files[one["image_id"]]}
        yield one["crop_path"], one | more


FORMAT: Final = Format(
    name="coco",
    title="COCO",
    says="""
    `instances_{split}.json`: boxes `[x, y, width, height]` on the original images (`file_name` is
    relative to `DF2_ROOT`), categories 1 to 13, and of each annotation its SKU, domain, occlusion,
    viewpoint, crop and prompt (`captions` are further ones, by key). Only garments of a kept SKU
    are annotated, so an image may show others. No image is copied.
    """,
    loads="""
from pycocotools.coco import COCO

coco = COCO("data/DeepFashion2_SKU/_df2_assets/exports/coco/SPLIT/instances_SPLIT.json")
annotation = coco.loadAnns(coco.getAnnIds())[0]
image = coco.loadImgs(annotation["image_id"])[0]
""",
    kinds=("json",),
    code_version="1",
    own=re.compile(r"instances_[a-z]+\.json|README\.md", re.ASCII),
    write=write,
    forms={"instances": Form(_expected, _found)},
)
