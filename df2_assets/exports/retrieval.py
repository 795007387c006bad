"""Retrieval: `oml.csv` for open-metric-learning, `retrieval.csv` for everything else.

`oml.csv` follows OML 4.0 (oml/utils/dataframe_format.py, oml/datasets/images.py), which requires a
box and cuts it out of the image `path`. Here `path` is the crop, so the box is the whole crop. In
rows of `train`, OML requires `is_query` and `is_gallery` to be empty.
"""

import re
from collections.abc import Callable, Iterator
from typing import Final

from df2_assets.dataset.record import EDGES
from df2_assets.dataset.taxonomy import LABELS
from df2_assets.exports.folder import ExportFolder
from df2_assets.exports.format import Export
from df2_assets.exports.source import Row
from df2_assets.exports.streams import encode_delimited

_Line = tuple[object, ...]


def write(folder: ExportFolder) -> None:
    """Write both files, with one line per crop in the order of the JSONL."""
    for name, (columns, line) in _FILES.items():
        folder.publish(f"{name}.csv", encode_delimited(_lines(folder, name, columns, line)))


def _lines(
    folder: ExportFolder, name: str, columns: tuple[str, ...], line: Callable[[Row, int], _Line]
) -> Iterator[_Line]:
    """Yield the header, then the lines."""
    yield columns
    for label, row in folder.count_rows(folder.source.labelled_rows(), name):
        yield line(row, label)


_OML: Final = (
    *("label", "path", "split", "is_query", "is_gallery", "category"),
    *("x_1", "x_2", "y_1", "y_2"),
)
_RETRIEVAL: Final = (
    *("label", "sku_id", "sku_uid", "path", "split", "is_query", "is_gallery"),
    *("category", "category_id"),
    *LABELS,
    "orig_image_path",
    *EDGES,
)


def _oml(row: Row, label: int) -> _Line:
    split, domain = row.fields["split"], row.fields["domain"]
    roles = (None, None) if split == "train" else (domain == "query", domain == "catalog")
    category = row.fields["category_name"]
    return label, row.path, split, *roles, category, 0, row.width, 0, row.height


def _retrieval(row: Row, label: int) -> _Line:
    fields = row.fields
    return (
        label,
        fields["sku_id"],
        fields["sku_uid"],
        row.path,
        fields["split"],
        fields["domain"] == "query",
        fields["domain"] == "catalog",
        fields["category_name"],
        fields["category_id"],
        *(fields[name] for name in LABELS),
        fields["orig_image_path"],
        *fields["bbox"],
    )


_FILES: Final = {"oml": (_OML, _oml), "retrieval": (_RETRIEVAL, _retrieval)}

EXPORT: Final = Export(
    name="retrieval",
    title="Retrieval tables",
    description="""
    `retrieval.csv`: one line per crop with an integer `label` per SKU, `sku_id`, `sku_uid`,
    `is_query`, `is_gallery`, split, category, labels, the path of the crop (relative to
    `SKU_ROOT`), and its box `x1, y1, x2, y2` in `orig_image_path` (relative to `DF2_ROOT`).
    `oml.csv` has the columns of open-metric-learning. Its box is the whole crop, since OML cuts the
    box out of `path`. Labels count from 0 in each split: when you join two splits, number their
    `sku_uid` again. No image is copied.
    """,
    loading_code="""
import pandas
from pytorch_metric_learning.samplers import MPerClassSampler

rows = pandas.read_csv("data/DeepFashion2_SKU/_df2_assets/exports/retrieval/SPLIT/retrieval.csv")
sampler = MPerClassSampler(rows["label"], m=2, batch_size=8, length_before_new_iter=len(rows))
batch = rows.iloc[list(sampler)[:8]]
""",
    kinds=("csv",),
    own_paths=re.compile(r"(oml|retrieval)\.csv", re.ASCII),
    tables=dict.fromkeys(_FILES, "crops"),
    write=write,
    code_version="2",
)
