"""Structs agree with the record, and a new label or category is one entry."""

import subprocess
import sys
from typing import Any, get_type_hints

import pytest

from df2_assets.dataset import record
from df2_assets.dataset.metadata import Crop, ImageText, Sku
from df2_assets.dataset.perceptual import Measures
from df2_assets.store.crop_sets import CropRow, VariantRow

TYPES = {
    "string": str,
    "binary": bytes,
    "float32": float,
    "float64": float,
    "box": tuple[int, int, int, int],
}
LISTS = ("catalog", "query")


def types(asset: record.Asset) -> dict[str, Any]:
    """Return the Python type of each field."""
    return {field.name: TYPES.get(field.kind, int) for field in asset.fields}


def hints(struct: type) -> dict[str, Any]:
    """Return the type of each field of a struct, without None."""
    return {
        name: next((kind for kind in (str, int, float) if hint == kind | None), hint)
        for name, hint in get_type_hints(struct).items()
    }


@pytest.mark.parametrize(
    ("struct", "asset"), [(CropRow, record.CROPS), (ImageText, record.IMAGE_TEXT)]
)
def test_rows_have_the_fields_of_the_record_in_its_order(struct: type, asset: record.Asset) -> None:
    fields = {name: kind for name, kind in types(asset).items() if name != "sku_uid"}
    assert list(hints(struct).items()) == list(fields.items())


def test_rows_of_a_variant_have_the_fields_of_the_record_with_its_own_path_as_the_path() -> None:
    """While a set of crops is made, `crop_path` is the path of its own files."""
    fields = types(record.CROP_VARIANTS)
    left_out = {"crop_path", "sku_uid"}
    names = {"variant_path": "crop_path"}
    expected = {names.get(name, name): fields[name] for name in fields.keys() - left_out}
    assert hints(VariantRow) == expected
    assert [*hints(VariantRow)] == [names.get(n, n) for n in fields if n not in left_out]


def test_skus_and_crops_have_the_fields_of_the_metadata() -> None:
    of_sku = {name: kind for name, kind in hints(Sku).items() if name not in LISTS}
    implied = {"sku_id": str, "domain": str}
    assert of_sku | hints(Crop) | implied == types(record.SKU_METADATA)
    assert Crop.__struct_fields__ == tuple(
        name for name in types(record.SKU_METADATA) if name not in of_sku.keys() | implied.keys()
    )


def test_measures_are_columns_of_crop_quality() -> None:
    assert hints(Measures).items() <= types(record.CROP_QUALITY).items()


PROGRAM = """
import json
import msgspec
from df2_assets.dataset import taxonomy

taxonomy.LABELS["fit"] = {1: "loose", 2: "tight"}
taxonomy.CATEGORIES[14] = "cap"

from df2_assets.dataset import annotations, tables
from df2_assets.dataset.documents import DOCUMENTS
from df2_assets.dataset.metadata import Crop, Sku, StrictSku

def parse(**fields):
    item = {"style": 1, "category_id": 1, "category_name": "short sleeve top", "occlusion": 1,
            "viewpoint": 2, "bounding_box": [0, 0, 9, 9], **fields}
    text = json.dumps({"source": "shop", "pair_id": 1, "item1": item})
    return annotations.parse(text.encode()).items[0]

assert parse(fit=2).labels["fit"] == 2
assert parse(fit=3).detail == "fit is 3, not 1 to 2"
assert "fit" not in parse().labels
assert parse().reason is None
for asset in ("raw_annotation_index", "sku_groups"):
    field = tables.SCHEMAS[asset].field("fit")
    assert field.metadata[b"description"] == b"1 loose, 2 tight"
assert not any("fit" in schema.names for schema in DOCUMENTS.values())

assert parse(fit=1, category_id=14, category_name="cap").reason is None
assert parse(fit=1, category_id=15).detail == "category_id is 15, not 1 to 14"
crop = Crop("a.jpg", "b.jpg", "000001", 1, (0, 0, 9, 9), 1, 2)
data = msgspec.json.encode(Sku(1, 1, 14, "cap", [crop], [crop]))
assert msgspec.json.decode(data, type=StrictSku).category_id == 14
"""


def test_a_new_label_or_category_is_one_entry_of_the_taxonomy() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
