"""COCO: boxes, masks and landmarks on the original images, with their SKUs.

Only garments of a SKU are annotated, and an image may show others. The export is meant for
retrieval: a detector that is trained on it would learn to miss garments. With a crop variant, its
files are the images.

Landmarks are keypoints as in `evaluation/deepfashion2_to_coco.py` of DeepFashion2: every annotation
has those of all categories, and those of other categories are 0, 0, 0.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from df2_assets.dataset.masks import fill
from df2_assets.dataset.shapes import Shapes
from df2_assets.dataset.taxonomy import (
    CATEGORIES,
    LABELS,
    LANDMARK_STARTS,
    LANDMARKS,
    LANDMARKS_IN_ALL,
    NOT_LABELLED,
    SPLIT_NAME,
)
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
    sizes = {} if source.variant else {image["id"]: image for image in _originals(source)}
    parts: dict[str, Iterable[dict[str, Any]]] = {
        "categories": map(_category, CATEGORIES),
        "images": _files(source) if source.variant else sizes.values(),
        "annotations": (
            _annotation(row, source.captions, sizes.get(int(row.fields["image_id"])))
            for row in folder.count_rows(source.rows())
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


def _category(number: int) -> dict[str, Any]:
    """Return a category. Its own keypoints are `num_keypoints` of the names, from a place on."""
    return {
        "id": number,
        "name": CATEGORIES[number],
        "supercategory": "clothes",
        "keypoints": [
            f"{CATEGORIES[category]} {landmark}"
            for category, count in LANDMARKS.items()
            for landmark in range(1, count + 1)
        ],
        "skeleton": [],
        "first_keypoint": LANDMARK_STARTS[number],
        "num_keypoints": LANDMARKS[number],
    }


def _annotation(
    row: Row, captions: tuple[str, ...], original: dict[str, Any] | None
) -> dict[str, Any]:
    """Return the entry of a crop, on its `original` image or, if that is None, on its own file.

    The box is the annotated one. Ids come from the annotation files, so that they do not depend on
    other crops. The area is that of the mask or, if that is refused, of the box.
    """
    fields, (x1, y1, x2, y2), own = row.fields, row.annotated, row.shapes
    assert own is not None
    if original is not None:
        image, shapes = original, own.in_image()
    else:
        image, shapes = _file(row), own.in_file()
        assert own.affine is not None
        (x1, y1), (x2, y2) = own.affine.apply(x1, y1), own.affine.apply(x2, y2)
        shapes = Shapes(
            shapes.polygons and [*map(_round, shapes.polygons)],
            shapes.landmarks and _round(shapes.landmarks),
        )
    text, *more = captions
    return {
        "id": _annotation_id(row),
        "image_id": image["id"],
        "category_id": fields["category_id"],
        "bbox": _round([x1, y1, x2 - x1, y2 - y1]),
        **_mask(shapes, image, (x2 - x1) * (y2 - y1)),
        **_keypoints(shapes, fields["category_id"]),
        "iscrowd": 0,
        **{name: fields[name] for name in _KEPT},
        "crop_path": row.path,
        "caption": fields[text],
        **({"captions": {key: fields[key] for key in more}} if more else {}),
    }


def _annotation_id(row: Row) -> int:
    return int(row.fields["image_id"]) * _ITEMS + int(row.fields["item_idx"])


def _mask(shapes: Shapes, image: dict[str, Any], area_of_box: float) -> dict[str, Any]:
    """Return the polygons and the area. A refused mask has no polygons."""
    if shapes.polygons is None:
        return {"area": area_of_box}
    area = int(fill(shapes.polygons, image["width"], image["height"]).sum())
    return {"segmentation": [_shorten(polygon) for polygon in shapes.polygons], "area": area}


def _keypoints(shapes: Shapes, category: int) -> dict[str, Any]:
    """Return x, y, v of all landmarks of all categories. Refused ones are not labelled."""
    keypoints: list[float] = [0] * (3 * LANDMARKS_IN_ALL)
    own = _shorten(shapes.landmarks or [])
    start = 3 * LANDMARK_STARTS[category]
    keypoints[start : start + len(own)] = own
    labelled = sum(visibility != NOT_LABELLED for visibility in own[2::3])
    return {"keypoints": keypoints, "num_keypoints": labelled}


def _round(numbers: list[float]) -> list[float]:
    """Return coordinates in thousandths of a pixel, which is finer than any annotation."""
    return [round(number, 3) for number in numbers]


def _shorten(numbers: list[float]) -> list[float]:
    """Return whole numbers as integers, which JSON writes without `.0`."""
    return [int(number) if number.is_integer() else number for number in numbers]


def _originals(source: Source) -> Iterator[dict[str, Any]]:
    """Yield the original images, sorted by id. `file_name` is relative to DF2_ROOT."""
    names = source.crops.group_by(["image_id", "orig_image_path"]).aggregate([])
    names = names.sort_by("image_id")
    index = tables.read(source.roots, "raw_annotation_index", source.split)
    index = index.select(["image_id", "width", "height"]).filter(pc.field("width").is_valid())
    sizes = index.take(pc.index_in(names["image_id"], index["image_id"].combine_chunks()))
    images = pa.table([*names.columns, *sizes.drop_columns("image_id").columns], list("nfwh"))
    for image_id, file_name, width, height in iterate_rows(images):
        yield {"id": int(image_id), "file_name": file_name, "width": width, "height": height}


def _files(source: Source) -> Iterator[dict[str, Any]]:
    """Yield the files of a crop variant, one per annotation and with its id."""
    return map(_file, source.rows())


def _file(row: Row) -> dict[str, Any]:
    """Return a file of a crop variant as an image. `file_name` is relative to SKU_ROOT."""
    size = {"width": row.width, "height": row.height}
    return {"id": _annotation_id(row), "file_name": row.path, **size}


EXPORT: Final = Export(
    name="coco",
    title="COCO",
    description=f"""
    `instances_{{split}}.json`: annotated boxes `[x, y, width, height]`, polygons and
    {LANDMARKS_IN_ALL} keypoints on the original images (`file_name` is relative to `DF2_ROOT`) or
    on the files of a crop variant (`file_name` is relative to `SKU_ROOT`), categories 1 to
    {len(CATEGORIES)}, and for each annotation its SKU, `sku_uid`, domain, labels, crop and prompt
    (`captions` has further prompts, by key). An item whose mask is refused has no `segmentation`.
    Ids of images and annotations are those of the split. Only garments of a SKU are annotated, and
    an image may show others. No image is copied.
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
    has_shapes=True,
    code_version="4",
)
