"""The records of the two contract files: `{split}_sku_metadata.json`, `{split}_image_text.jsonl`.

The names and the order of their fields are part of the contract (`docs/contract.md`). A test
compares them with `dataset.record`.
"""

from functools import cache
from typing import Annotated, Any, Final, cast

import msgspec
from msgspec import Meta

from df2_assets.dataset.boxes import Box
from df2_assets.dataset.record import SKU_METADATA, Field


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
    """A garment with its crops. A domain may be empty if SKUs with one domain are kept."""

    pair_id: int
    style: int
    category_id: int
    category_name: str
    catalog: list[Crop]
    query: list[Crop]


class SkuMetadata(msgspec.Struct):
    """The document of a split, with SKUs sorted by id."""

    split: str
    df2_root: str
    out_root: str
    num_skus: int
    skus: dict[str, Sku]


class RawSkuMetadata(msgspec.Struct, forbid_unknown_fields=True):
    """The document of a split with SKUs that are not decoded yet, to decode one at a time."""

    split: str
    df2_root: str
    out_root: str
    num_skus: int
    skus: dict[str, msgspec.Raw]


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


def _strict_type(field: Field) -> Any:
    """Return the type of a field, with the limits of its values."""
    if field.kind == "box":
        edge = Annotated[int, Meta(ge=0)]
        return tuple[edge, edge, edge, edge]
    if field.limits is None:
        return Annotated[str, Meta(pattern=field.pattern)]
    return Annotated[int, Meta(ge=field.limits.low, le=field.limits.high)]


_STRICT: Final = {field.name: _strict_type(field) for field in SKU_METADATA.fields}

StrictCrop: Final = msgspec.defstruct(
    "StrictCrop",
    [(name, _STRICT[name]) for name in Crop.__struct_fields__],
    bases=(Crop,),
    forbid_unknown_fields=True,
)
_crops: Any = list[StrictCrop]  # type: ignore[valid-type]
StrictSku = cast(
    type[Sku],
    msgspec.defstruct(
        "StrictSku",
        [(name, _STRICT.get(name, _crops)) for name in Sku.__struct_fields__],
        bases=(Sku,),
        forbid_unknown_fields=True,
    ),
)
"""A SKU from a file that somebody may have edited: decoding raises if a value is impossible."""


@cache
def line_type(*keys: str) -> type[ImageText]:
    """Return a type like `ImageText` with further texts under `keys`, after `text`."""
    texts = [(key, str) for key in keys]
    line = msgspec.defstruct("ImageText", texts, bases=(ImageText,), gc=False)
    return cast(type[ImageText], line)


def further_keys(line: ImageText) -> tuple[str, ...]:
    """Return the keys of the further texts of a line: those that its `line_type` was given."""
    return line.__struct_fields__[len(ImageText.__struct_fields__) :]
