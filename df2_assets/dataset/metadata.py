"""The two contract files as records: `{split}_sku_metadata.json`, `{split}_image_text.jsonl`.

Field names and order are the contract of design section 2; others read these files.
"""

from collections.abc import Iterator
from functools import cache
from typing import cast

import msgspec
import pandas as pd

from df2_assets.dataset.boxes import Box
from df2_assets.dataset.frames import rows
from df2_assets.dataset.prompts import Variant, prompt


class Crop(msgspec.Struct, gc=False):
    """A crop of a SKU; `crop_path` is relative to SKU_ROOT, `orig_image_path` to DF2_ROOT."""

    crop_path: str
    orig_image_path: str
    image_id: str
    item_idx: int
    bbox: Box
    occlusion: int
    viewpoint: int


class Sku(msgspec.Struct):
    """A garment, with at least one catalog and one query crop."""

    pair_id: int
    style: int
    category_id: int
    category_name: str
    catalog: list[Crop]
    query: list[Crop]


class SkuMetadata(msgspec.Struct):
    """The whole document of a split, SKUs sorted by id."""

    split: str
    df2_root: str
    out_root: str
    num_skus: int
    skus: dict[str, Sku]


class ImageText(msgspec.Struct, gc=False):
    """A line of the JSONL; `image_path` is relative to SKU_ROOT."""

    split: str
    sku_id: str
    pair_id: int
    style: int
    category_id: int
    category_name: str
    domain: str
    image_path: str
    orig_image_path: str
    image_id: str
    item_idx: int
    bbox: Box
    occlusion: int
    viewpoint: int
    text: str


def skus(crops: pd.DataFrame) -> dict[str, Sku]:
    """SKUs by id, from rows of `sku_groups` in its order."""
    result: dict[str, Sku] = {}
    columns = ("sku_id", "pair_id", "style", "category_id", "category_name", "domain")
    boxes = rows(crops, "x1", "y1", "x2", "y2")
    fields = ("crop_path", "orig_image_path", "image_id", "item_idx", "occlusion", "viewpoint")
    for (sku_id, pair_id, style, category_id, name, domain), box, (*where, occ, view) in zip(
        rows(crops, *columns), boxes, rows(crops, *fields), strict=True
    ):
        sku = result.get(sku_id)
        if sku is None:
            sku = result[sku_id] = Sku(pair_id, style, category_id, name, [], [])
        crop = Crop(where[0], where[1], where[2], where[3], cast(Box, box), occ, view)
        (sku.catalog if domain == "catalog" else sku.query).append(crop)
    return result


@cache
def line_type(*keys: str) -> type[ImageText]:
    """An `ImageText` with further texts under `keys`, after `text`."""
    more = [(key, str) for key in keys]
    return cast(type[ImageText], msgspec.defstruct("ImageText", more, bases=(ImageText,), gc=False))


def image_texts(document: SkuMetadata, variants: tuple[Variant, ...] = ()) -> Iterator[ImageText]:
    """A record a crop: by SKU id, catalog before query, then image id and item."""
    line = line_type(*(variant.key for variant in variants))
    for sku_id, sku in document.skus.items():
        for domain, crops in (("catalog", sku.catalog), ("query", sku.query)):
            for crop in crops:
                labels = domain, sku.category_name, crop.occlusion, crop.viewpoint
                yield line(
                    document.split,
                    sku_id,
                    sku.pair_id,
                    sku.style,
                    sku.category_id,
                    sku.category_name,
                    domain,
                    crop.crop_path,
                    crop.orig_image_path,
                    crop.image_id,
                    crop.item_idx,
                    crop.bbox,
                    crop.occlusion,
                    crop.viewpoint,
                    prompt(*labels),
                    *(variant.prompt(crop.crop_path, *labels) for variant in variants),
                )
