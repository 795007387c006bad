"""The tables as pyarrow schemas, derived from `dataset.record`."""

from collections.abc import Iterable
from typing import Final

import pyarrow as pa

from df2_assets.dataset import record
from df2_assets.dataset.record import Field

_BOX: Final = pa.list_(pa.int32(), 4)


def schema(fields: Iterable[Field]) -> pa.Schema:
    """Return fields as a schema; description and sources become metadata of its columns."""
    return pa.schema([_column(field) for field in fields])


def _column(field: Field) -> pa.Field:
    metadata = {"description": field.description}
    if field.sources:
        metadata["sources"] = " ".join(field.sources)
    if field.volatile:
        metadata["volatile"] = "yes"
    kind = _BOX if field.kind == "box" else pa.type_for_alias(field.kind)
    return pa.field(field.name, kind, metadata=metadata)


SCHEMAS: Final[dict[str, pa.Schema]] = {
    asset: schema(fields) for asset, fields in record.TABLES.items()
}
RAW_ANNOTATION_INDEX: Final = SCHEMAS["raw_annotation_index"]
FILES: Final = SCHEMAS["files"]
SKU_GROUPS: Final = SCHEMAS["sku_groups"]
CROPS: Final = SCHEMAS["crops"]
REFUSALS: Final = SCHEMAS["refusals"]
CROP_QUALITY: Final = SCHEMAS["crop_quality"]

MADE_FROM: Final[dict[str, tuple[str, ...]]] = {
    "raw_annotation_index": (),
    "sku_groups": ("raw_annotation_index",),
    "crops": ("sku_groups",),
    "refusals": ("raw_annotation_index", "sku_groups", "crops"),
    "crop_quality": ("crops",),
}
"""Which tables a table is made from: it is stale when one of them has another digest."""
