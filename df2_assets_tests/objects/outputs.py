"""The result of a build, in a folder or in the bucket, in the same form."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from df2_assets.store import tables

TABLES = ("raw_annotation_index", "sku_groups", "crops", "refusals")


def in_folder(sku_root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(sku_root).as_posix(): path.read_bytes()
        for path in sku_root.rglob("*")
        if path.is_file()
    }


def digests(files: dict[str, bytes], split: str = "train") -> dict[str, str]:
    """Return digests of a split's crops, contract files without their roots, list and tables."""
    found = {}
    for name, data in files.items():
        if name.startswith(f"{split}/") or name == f"{split}_image_text.jsonl":
            found[name] = hashlib.sha256(data).hexdigest()
    document = json.loads(files[f"{split}_sku_metadata.json"])
    del document["df2_root"], document["out_root"]
    found["metadata"] = hashlib.sha256(json.dumps(document).encode()).hexdigest()
    for table in TABLES:
        data = files[f"_df2_assets/tables/{table}/{split}.parquet"]
        found[table] = tables.digest(pq.read_table(pa.BufferReader(data)))
    return found


def digest(found: dict[str, str]) -> str:
    """Return one digest of the result of `digests`."""
    return hashlib.sha256(repr(sorted(found.items())).encode()).hexdigest()


def crops(files: Iterable[str], split: str = "train") -> set[str]:
    return {name for name in files if name.startswith(f"{split}/")}
