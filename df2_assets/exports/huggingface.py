"""Hugging Face: Parquet with an `Image` feature, and an `imagefolder` with `metadata.jsonl`.

The metadata `huggingface` of the Parquet schema has the types, as `datasets` writes them
(datasets/arrow_writer.py).
"""

import json
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from df2_assets.dataset.skus import CROP_PATH
from df2_assets.dataset.taxonomy import CATEGORIES, DOMAINS, LABELS, SPLIT_NAME
from df2_assets.exports.folder import CROP_FILES, ExportFolder, crop_file_name
from df2_assets.exports.format import Export
from df2_assets.exports.shapes import encode_png
from df2_assets.exports.source import Row, Source
from df2_assets.exports.streams import group_rows

_SHARDS: Final = "3"
"""Raise this when the Parquet files of the same rows change."""

_STEM: Final = CROP_PATH.removesuffix(r"\.jpg")

_ROW_GROUP: Final = 100
"""Rows per row group, as `datasets` has them for tables with images."""

_CLASSES: Final[dict[str, list[str]]] = {
    "category_name": list(CATEGORIES.values()),
    "domain": list(DOMAINS.values()),
    **{label: list(meanings.values()) for label, meanings in LABELS.items()},
}
"""The columns of type `ClassLabel`, which counts from 0."""

_IMAGES: Final = ("image", "mask")
_IMAGE: Final = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
_POINT: Final = pa.list_(pa.float64(), 3)


def write(folder: ExportFolder) -> None:
    """Write shards of Parquet, then the crops as files with one line of metadata each."""
    import PIL

    source = folder.source
    schema = _schema(source.schema)
    # Other versions of pyarrow, and of the encoder of masks, write other bytes.
    version = f"{_SHARDS} {pa.__version__} {PIL.__version__} {source.captions}"
    form = f"parquet/{source.split}-{{:06d}}.parquet"
    folder.shards(form, version, partial(_write_parquet, source, schema), "parquet")
    folder.add_crop_files()
    rows = folder.count_rows(source.rows(), "imagefolder")
    folder.publish(
        f"{CROP_FILES}/metadata.jsonl", (msgspec.json.encode(_line(r)) + b"\n" for r in rows)
    )


def _schema(columns: pa.Schema) -> pa.Schema:
    """Return the schema of the Parquet files, images first, with the types for `datasets`."""
    features: dict[str, Any] = {name: {"_type": "Image"} for name in _IMAGES}
    fields = [pa.field(name, _IMAGE) for name in _IMAGES]
    for name, kind in zip(columns.names, columns.types, strict=True):
        if name in _CLASSES:
            features[name] = {"names": _CLASSES[name], "_type": "ClassLabel"}
            kind = pa.int64()
        elif pa.types.is_fixed_size_list(kind):
            value = {"dtype": str(kind.value_type), "_type": "Value"}
            features[name] = {"feature": value, "length": kind.list_size, "_type": "List"}
        else:
            features[name] = {"dtype": str(kind), "_type": "Value"}
        fields.append(pa.field(name, kind))
    value = {"dtype": "float64", "_type": "Value"}
    point = {"feature": value, "length": _POINT.list_size, "_type": "List"}
    features["landmarks"] = {"feature": point, "_type": "List"}
    fields.append(pa.field("landmarks", pa.list_(_POINT)))
    return pa.schema(fields, {"huggingface": json.dumps({"info": {"features": features}})})


def _write_parquet(source: Source, schema: pa.Schema, path: Path, rows: Iterator[Row]) -> None:
    plain = [name for name in schema.names if name not in _IMAGES]
    with pq.ParquetWriter(
        path, schema, compression="zstd", use_dictionary=plain, write_statistics=plain
    ) as writer:
        for group in group_rows(source.with_bytes(rows), _ROW_GROUP):
            records = [_record(row, data) for row, data in group]
            table = pa.Table.from_pylist(records, schema=schema)
            writer.write_table(table, row_group_size=_ROW_GROUP)


def _record(row: Row, data: bytes) -> dict[str, Any]:
    """Return a row of the Parquet files, with classes as numbers."""
    numbers = {
        name: None if value is None else _CLASSES[name].index(value)
        for name, value in _classes(row).items()
    }
    path = Path(row.path)
    assert row.shapes is not None
    mask = row.shapes.draw_mask()
    png = None if mask is None else {"bytes": encode_png(mask), "path": f"{path.stem}.png"}
    images = {"image": {"bytes": data, "path": path.name}, "mask": png}
    return {**images, **row.fields, **numbers, "landmarks": _landmarks(row)}


def _landmarks(row: Row) -> list[list[float]] | None:
    """Return x, y, v of each landmark in pixels of the image; None if they are refused."""
    assert row.shapes is not None
    numbers = row.shapes.in_file().landmarks
    if numbers is None:
        return None
    return [numbers[start : start + 3] for start in range(0, len(numbers), 3)]


def _line(row: Row) -> dict[str, Any]:
    """Return a line of the metadata: the path of the image, and classes by name."""
    name = crop_file_name(row.path).removeprefix(f"{CROP_FILES}/")
    return {"file_name": name, **row.fields, **_classes(row), "landmarks": _landmarks(row)}


def _classes(row: Row) -> dict[str, str | None]:
    """Return the names of the classes of a row. A missing label is None."""
    values = {name: row.fields[name] for name in _CLASSES}
    return {name: LABELS.get(name, {}).get(value, value) for name, value in values.items()}


EXPORT: Final = Export(
    name="huggingface",
    title="Hugging Face",
    description="""
    Parquet with an `Image` feature under `parquet/`, and an `imagefolder` whose images are hard
    links to the crops where the file system has links, and copies elsewhere: do not edit them.
    Category, domain and labels are `ClassLabel`s, which count from 0. `category_id` is the number
    in DeepFashion2. `mask` is an image of one bit per pixel, white where the garment is, and
    `landmarks` has `[x, y, v]` in pixels of the image; both are null where the annotation is
    refused. The `imagefolder` has no masks. Shards are split like those of `webdataset`.
    """,
    loading_code="""
from datasets import load_dataset

folder = "data/DeepFashion2_SKU/_df2_assets/exports/huggingface/SPLIT"
rows = load_dataset(folder, split="SPLIT")
crops = load_dataset(
    "imagefolder", data_dir=f"{folder}/imagefolder", features=rows.features, split="train"
)
""",
    # load_dataset raises ValueError for a split without rows (datasets 5.2, arrow_reader.py).
    empty_loading_code="""
from datasets import Dataset
from pyarrow import parquet

folder = "data/DeepFashion2_SKU/_df2_assets/exports/huggingface/SPLIT"
rows = Dataset(parquet.read_table(f"{folder}/parquet/SPLIT-000000.parquet"))
""",
    kinds=("huggingface", "parquet", "jpeg"),
    own_paths=re.compile(
        rf"parquet/{SPLIT_NAME}-\d{{6}}\.parquet"
        rf"|{CROP_FILES}/(metadata\.jsonl|{_STEM}\.(jpg|png|webp))",
        re.ASCII,
    ),
    tables={"parquet": "crops", "imagefolder": "crops"},
    write=write,
    has_shapes=True,
    code_version="4",
    front_matter="""\
---
pretty_name: DeepFashion2 visual SKUs, SPLIT
license: other
license_name: deepfashion2
task_categories: [image-to-text, text-to-image, image-feature-extraction]
configs:
- config_name: default
  data_files: [{split: SPLIT, path: parquet/*.parquet}]
---

""",
)
