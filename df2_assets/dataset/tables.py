"""The tables as pyarrow schemas, derived from `dataset.record`."""

from typing import Final

import pyarrow as pa

from df2_assets.dataset.record import DOCUMENTS, TABLES, Asset, Field

_NUMBERS: Final = pa.list_(pa.float64())
_LISTS: Final = {
    "box": pa.list_(pa.int32(), 4),
    "numbers": _NUMBERS,
    "polygons": pa.list_(_NUMBERS),
}
"""The kinds of fields that pyarrow has no name for."""


def schema(asset: Asset) -> pa.Schema:
    """Return the fields as a schema. Metadata of the columns has descriptions and sources."""
    return pa.schema([_column(asset.inputs, field) for field in asset.fields])


def _column(inputs: tuple[str, ...], field: Field) -> pa.Field:
    metadata = {"description": field.description}
    names = (field.sources or field.name).split()
    sources = [
        f"{asset}.{source.name}"
        for asset in inputs
        for source in (TABLES | DOCUMENTS)[asset].fields
        if source.name in names
    ]
    if sources:
        metadata["sources"] = " ".join(sources)
    if field.volatile:
        metadata["volatile"] = "yes"
    kind = _LISTS.get(field.kind) or pa.type_for_alias(field.kind)
    return pa.field(field.name, kind, metadata=metadata)


SCHEMAS: Final[dict[str, pa.Schema]] = {name: schema(asset) for name, asset in TABLES.items()}
RAW_ANNOTATION_INDEX: Final = SCHEMAS["raw_annotation_index"]
FILES: Final = SCHEMAS["files"]
SKU_GROUPS: Final = SCHEMAS["sku_groups"]
CROPS: Final = SCHEMAS["crops"]
CROP_VARIANTS: Final = SCHEMAS["crop_variants"]
BENCHMARK_CROPS: Final = SCHEMAS["benchmark_crops"]
REFUSALS: Final = SCHEMAS["refusals"]
CROP_QUALITY: Final = SCHEMAS["crop_quality"]
COLOURS: Final = SCHEMAS["colours"]
LABELS: Final = SCHEMAS["labels"]
EVALUATION: Final = SCHEMAS["evaluation"]
EVALUATION_QUERIES: Final = SCHEMAS["evaluation_queries"]
SIMILAR_SKUS: Final = SCHEMAS["similar_skus"]

INPUTS: Final = {name: asset.inputs for name, asset in TABLES.items() if name != "files"}
"""The input tables of each table. A table is stale when the digest of an input has changed."""
