"""Hugging Face: Parquet with an `Image` feature, and an `imagefolder` with `metadata.jsonl`.

The types are said in the Parquet schema's `huggingface` metadata, as `datasets` writes it
(datasets/arrow_writer.py), and once more in the data card's YAML header.
"""

import hashlib
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
from df2_assets.dataset.taxonomy import CATEGORIES, DOMAINS, OCCLUSIONS, VIEWPOINTS
from df2_assets.exports import record as records
from df2_assets.exports.folder import Folder
from df2_assets.exports.form import Form, Format, Record
from df2_assets.exports.loose import LOOSE, loose_name
from df2_assets.exports.parquet import groups_of, read_rows
from df2_assets.exports.source import Row, Source
from df2_assets.exports.tally import Tally
from df2_assets.store.checksums import digest_as_left

_VERSION: Final = "1"

_ROW_GROUP: Final = 100
"""What `datasets` takes for tables with images."""

_LABELS: Final[dict[str, list[str]]] = {
    "category_name": list(CATEGORIES.values()),
    "domain": list(DOMAINS.values()),
    "occlusion": list(OCCLUSIONS.values()),
    "viewpoint": list(VIEWPOINTS.values()),
}
_NUMBERED: Final = ("occlusion", "viewpoint")
"""Numbers from 1 in the JSONL."""

_IMAGE: Final = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def schema(columns: list[pa.Field]) -> pa.Schema:
    """The columns of the Parquet files, `image` first, with what they are to `datasets`.

    `columns` are the fields of the JSONL.
    """
    features: dict[str, Any] = {"image": {"_type": "Image"}}
    fields = [pa.field("image", _IMAGE)]
    for name, kind in ((column.name, column.type) for column in columns):
        if name in _LABELS:
            features[name] = {"names": _LABELS[name], "_type": "ClassLabel"}
            kind = pa.int64()
        elif pa.types.is_fixed_size_list(kind):
            value = {"dtype": str(kind.value_type), "_type": "Value"}
            features[name] = {"feature": value, "length": kind.list_size, "_type": "List"}
        else:
            features[name] = {"dtype": str(kind), "_type": "Value"}
        fields.append(pa.field(name, kind))
    return pa.schema(fields, {"huggingface": json.dumps({"info": {"features": features}})})


def header(source: Source, counts: Tally) -> str:
    """The YAML that a data card begins with."""
    split = source.split
    lines = [
        "---",
        f"pretty_name: DeepFashion2 visual SKUs, {split}",
        "license: other",
        "license_name: deepfashion2",
        "task_categories: [image-to-text, text-to-image, image-feature-extraction]",
        "configs:",
        "- config_name: default",
        f"  data_files: [{{split: {split}, path: parquet/*.parquet}}]",
        "dataset_info:",
        "  features:",
        "  - {name: image, dtype: image}",
    ]
    for name, kind in ((column.name, column.type) for column in source.columns()):
        if name in _LABELS:
            names = ", ".join(f"'{at}': {label}" for at, label in enumerate(_LABELS[name]))
            lines.append(f"  - {{name: {name}, dtype: {{class_label: {{names: {{{names}}}}}}}}}")
        elif pa.types.is_fixed_size_list(kind):
            lines.append(f"  - {{name: {name}, list: {kind.value_type}, length: {kind.list_size}}}")
        else:
            lines.append(f"  - {{name: {name}, dtype: {kind}}}")
    lines += [
        f"  splits: [{{name: {split}, num_bytes: {counts.bytes}, num_examples: {counts.crops}}}]",
        "---",
    ]
    return "\n".join(lines) + "\n\n"


def write(folder: Folder) -> None:
    """Shards of Parquet, then the crops as files with a line of metadata each."""
    source = folder.source
    form = f"parquet/{source.split}-{{:06d}}.parquet"
    kinds = schema(source.columns())
    # Parquet of another pyarrow has other bytes.
    version = f"{_VERSION} {pa.__version__} {source.captions}"
    folder.shards(form, version, partial(_write_parquet, source, kinds))
    folder.loose()
    lines = (msgspec.json.encode(_line(row)) + b"\n" for row in source.rows())
    folder.publish(f"{LOOSE}/metadata.jsonl", lines)


def _write_parquet(source: Source, kinds: pa.Schema, path: Path, rows: Iterator[Row]) -> None:
    plain = [name for name in kinds.names if name != "image"]
    with pq.ParquetWriter(
        path, kinds, compression="zstd", use_dictionary=plain, write_statistics=plain
    ) as writer:
        for group in groups_of(source.with_bytes(rows), _ROW_GROUP):
            made = [_typed(row, data) for row, data in group]
            writer.write_table(pa.Table.from_pylist(made, schema=kinds), row_group_size=_ROW_GROUP)


def _typed(row: Row, data: bytes) -> dict[str, Any]:
    """A row of the table: labels as their numbers, from 0."""
    fields = row.fields
    labels = {name: names.index(_label(name, fields[name])) for name, names in _LABELS.items()}
    return {"image": {"bytes": data, "path": Path(row.path).name}, **fields, **labels}


def _line(row: Row) -> dict[str, Any]:
    """A line of metadata: where the image is, and what is said of it."""
    return {"file_name": loose_name(row.path).removeprefix(f"{LOOSE}/")} | _named(row.fields)


def _named(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields of the JSONL: labels as their names."""
    return fields | {name: _label(name, fields[name]) for name in _LABELS}


def _label(name: str, value: Any) -> str:
    return _LABELS[name][value - 1] if name in _NUMBERED else str(value)


def _expected(source: Source) -> Iterator[Record]:
    for row in source.rows():
        yield row.path, {"image": row.sha256, **_named(row.fields)}


def _in_parquet(folder: Path, split: str) -> Iterator[Record]:
    for path in sorted(folder.glob(f"parquet/{split}-*.parquet")):
        for row in read_rows(path):
            data = row["image"]["bytes"]
            labels = {name: names[row[name]] for name, names in _LABELS.items()}
            found = row | labels | {"image": hashlib.sha256(data).hexdigest()}
            yield row["image_path"], found


def _in_imagefolder(folder: Path, split: str) -> Iterator[Record]:
    written = records.digests(folder)
    with (folder / LOOSE / "metadata.jsonl").open("rb") as lines:
        for line in lines:
            fields = msgspec.json.decode(line, type=dict[str, Any])
            name = f"{LOOSE}/{fields.pop('file_name')}"
            sha256 = digest_as_left(folder / name, written.get(name))
            yield fields["image_path"], {"image": sha256, **fields}


FORMAT: Final = Format(
    name="huggingface",
    title="Hugging Face",
    says="""
    Parquet with an `Image` feature under `parquet/`, and an `imagefolder` whose images are further
    names of the crops (hard links) where the file system has such, copies elsewhere: do not edit
    them. Category, domain, occlusion and viewpoint are `ClassLabel`s, which count from 0;
    `category_id` is DeepFashion2's number. Shards are cut like those of `webdataset`.
    """,
    loads="""
from datasets import load_dataset

folder = "data/DeepFashion2_SKU/_df2_assets/exports/huggingface/SPLIT"
rows = load_dataset(folder, split="SPLIT")
loose = load_dataset(
    "imagefolder", data_dir=f"{folder}/imagefolder", features=rows.features, split="train"
)
""",
    kinds=("huggingface", "parquet", "jpeg"),
    code_version=_VERSION,
    own=re.compile(
        rf"parquet/[a-z]+-\d{{6}}\.parquet|{LOOSE}/(metadata\.jsonl|{CROP_PATH})|README\.md",
        re.ASCII,
    ),
    write=write,
    forms={
        "parquet": Form(_expected, _in_parquet),
        "imagefolder": Form(_expected, _in_imagefolder),
    },
    header=header,
)
