"""ReID: the list of crops that re-identification code reads, one JSON object per line.

It has the file name and the fields of the original recipe's `build_df2_reid_splits.py`, so that
loaders of its list read this one unchanged. For that reason it has no `sku_uid`.
"""

import re
from collections.abc import Iterator
from typing import Final

import msgspec

from df2_assets.dataset.taxonomy import SPLIT_NAME
from df2_assets.exports.folder import ExportFolder
from df2_assets.exports.format import Export


def write(folder: ExportFolder) -> None:
    """Write one line per crop, in the order of the JSONL."""
    source = folder.source

    def lines() -> Iterator[bytes]:
        for label, row in folder.count_rows(source.labelled_rows()):
            line = {
                "split": source.split,
                "sku_id": row.fields["sku_id"],
                "label": label,
                "domain": row.fields["domain"],
                "crop_path": row.path,
            }
            yield msgspec.json.encode(line) + b"\n"

    folder.publish(f"df2_reid_{source.split}.jsonl", lines())


EXPORT: Final = Export(
    name="reid",
    title="ReID list",
    description="""
    `df2_reid_{split}.jsonl`: one line per crop with `split`, `sku_id`, `label`, `domain` and
    `crop_path` (relative to `SKU_ROOT`), as the original recipe's list for re-identification.
    Labels count from 0 in each split, in the order of the SKU ids. A label or `sku_id` identifies a
    garment only together with `split`. The list of a split without SKUs is an empty file. No image
    is copied.
    """,
    loading_code="""
import json

path = "data/DeepFashion2_SKU/_df2_assets/exports/reid/SPLIT/df2_reid_SPLIT.jsonl"
with open(path) as lines:
    rows = [json.loads(line) for line in lines]
queries = [row for row in rows if row["domain"] == "query"]
""",
    kinds=("json",),
    own_paths=re.compile(rf"df2_reid_{SPLIT_NAME}\.jsonl", re.ASCII),
    write=write,
)
