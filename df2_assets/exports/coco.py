"""COCO: boxes on the original images, with their SKUs.

Only garments of a SKU are annotated, and an image may show others. The export is meant for
retrieval: a detector that is trained on it would learn to miss garments.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from df2_assets.dataset.taxonomy import CATEGORIES, LABELS, SPLIT_NAME
from df2_assets.exports.folder import ExportFolder
from df2_assets.exports.format import Export
from df2_assets.exports.source import Row, Source, iterate_rows
from df2_assets.store import tables

_KEPT: Final = ("sku_id", "sku_uid", "pair_id", "style", "domain", *LABELS)
_ITEMS: Final = 1_000_000
"""More than the largest item number, which has six digits."""


def write(folder: ExportFolder) -> None:
    """Write one document with one line per entry."""
    source = folder.source
    info = {
        "description": f"DeepFashion2 visual SKUs, {source.split}",
        "version": EXPORT.code_version,
    }
    parts: dict[str, Iterator[dict[str, Any]]] = {
        "categories": (
            {"id": number, "name": name, "supercategory": "clothes"}
            for number, name in CATEGORIES.items()
        ),
        "images": _images(source),
        "annotations": (
            _annotation(row, source.captions) for row in folder.count_rows(source.rows())
        ),
    }

    def chunks() -> Iterator[bytes]:
        yield b'{"info":' + msgspec.json.encode(info)
        for name, entries in parts.items():
            yield b',\n"%s":[' % name.encode()
            separator = b"\n"
            for entry in entries:
                yield separator + msgspec.json.encode(entry)
                separator = b",\n"
            yield b"\n]"
        yield b"}\n"

    folder.publish(f"instances_{source.split}.json", chunks())


def _annotation(row: Row, captions: tuple[str, ...]) -> dict[str, Any]:
    """Return the entry of a crop, with the annotated box.

    Its ids come from the annotation files, so that they do not depend on other crops.
    """
    fields, (x1, y1, x2, y2) = row.fields, row.annotated
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
        "crop_path": row.path,
        "caption": fields[text],
        **({"captions": {key: fields[key] for key in more}} if more else {}),
    }


def _images(source: Source) -> Iterator[dict[str, Any]]:
    """Yield the original images, sorted by id. `file_name` is relative to DF2_ROOT."""
    names = source.crops.group_by(["image_id", "orig_image_path"]).aggregate([])
    names = names.sort_by("image_id")
    index = tables.read(source.roots, "raw_annotation_index", source.split)
    index = index.select(["image_id", "width", "height"]).filter(pc.field("width").is_valid())
    sizes = index.take(pc.index_in(names["image_id"], index["image_id"].combine_chunks()))
    images = pa.table([*names.columns, *sizes.drop_columns("image_id").columns], list("nfwh"))
    for image_id, file_name, width, height in iterate_rows(images):
        yield {"id": int(image_id), "file_name": file_name, "width": width, "height": height}


EXPORT: Final = Export(
    name="coco",
    title="COCO",
    description=f"""
    `instances_{{split}}.json`: annotated boxes `[x, y, width, height]` on the original images
    (`file_name` is relative to `DF2_ROOT`), categories 1 to {len(CATEGORIES)}, and for each
    annotation its SKU, `sku_uid`, domain, labels, crop and prompt (`captions` has further prompts,
    by key). Ids of images and annotations are those of the split. Only garments of a SKU are
    annotated, and an image may show others. No image is copied.
    """,
    loading_code="""
from pycocotools.coco import COCO

coco = COCO("data/DeepFashion2_SKU/_df2_assets/exports/coco/SPLIT/instances_SPLIT.json")
annotation = coco.loadAnns(coco.getAnnIds())[0]
image = coco.loadImgs(annotation["image_id"])[0]
""",
    kinds=("json",),
    own_paths=re.compile(rf"instances_{SPLIT_NAME}\.json", re.ASCII),
    write=write,
    code_version="3",
)
