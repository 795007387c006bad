"""Retrieval: `oml.csv` for open-metric-learning, `retrieval.csv` for everything else.

`oml.csv` follows OML 4.0 (oml/utils/dataframe_format.py, oml/datasets/images.py): its boxes are in
the image of `path` and are cut out of it, and may not be left empty. Our `path` is the crop, so the
box is all of it. In rows of `train` OML wants `is_query` and `is_gallery` empty.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from df2_assets.exports.delimited import delimited, read_delimited
from df2_assets.exports.folder import Folder
from df2_assets.exports.form import Form, Format, Record
from df2_assets.exports.source import Source

_Line = dict[str, Any]


def write(folder: Folder) -> None:
    """Both files, a line a crop, in the order of the JSONL."""
    for name, make in _FILES.items():
        folder.publish(name, delimited(_with_header(folder.source, make)))


def _with_header(source: Source, make: Callable[[_Line, int], _Line]) -> Iterator[tuple[Any, ...]]:
    columns: tuple[str, ...] = ()
    for line in _lines(source, make):
        if not columns:
            columns = tuple(line)
            yield columns
        yield tuple(line.values())
    if not columns:
        yield tuple(make(_EXAMPLE, 0))


def _lines(source: Source, make: Callable[[_Line, int], _Line]) -> Iterator[_Line]:
    """SKUs are numbered from 0 in the order of their ids."""
    label, last = -1, None
    for row in source.rows():
        if row.fields["sku_id"] != last:
            label, last = label + 1, row.fields["sku_id"]
        yield make(row.fields, label)


def _oml(fields: _Line, label: int) -> _Line:
    x1, y1, x2, y2 = fields["bbox"]
    training = fields["split"] == "train"
    return {
        "label": label,
        "path": fields["image_path"],
        "split": fields["split"],
        "is_query": None if training else fields["domain"] == "query",
        "is_gallery": None if training else fields["domain"] == "catalog",
        "category": fields["category_name"],
        "x_1": 0,
        "x_2": x2 - x1,
        "y_1": 0,
        "y_2": y2 - y1,
    }


def _retrieval(fields: _Line, label: int) -> _Line:
    x1, y1, x2, y2 = fields["bbox"]
    return {
        "label": label,
        "sku_id": fields["sku_id"],
        "path": fields["image_path"],
        "split": fields["split"],
        "is_query": fields["domain"] == "query",
        "is_gallery": fields["domain"] == "catalog",
        "category": fields["category_name"],
        "category_id": fields["category_id"],
        "occlusion": fields["occlusion"],
        "viewpoint": fields["viewpoint"],
        "orig_image_path": fields["orig_image_path"],
        "x1": x1,
        "y1": y1,
        "x2": x2,
        "y2": y2,
    }


_FILES: Final = {"oml.csv": _oml, "retrieval.csv": _retrieval}
_EXAMPLE: Final[_Line] = {
    "sku_id": "",
    "image_path": "",
    "split": "",
    "domain": "",
    "category_name": "",
    "category_id": 0,
    "occlusion": 0,
    "viewpoint": 0,
    "orig_image_path": "",
    "bbox": (0, 0, 0, 0),
}
"""Stands for a row where there is none: only its names are used."""


def _form(name: str) -> Form:
    def expected(source: Source) -> Iterator[Record]:
        for line in _lines(source, _FILES[name]):
            values = {key: "" if value is None else str(value) for key, value in line.items()}
            yield values.pop("path"), values

    def found(folder: Path, split: str) -> Iterator[Record]:
        for line in read_delimited(folder / name):
            yield line.pop("path"), line

    return Form(expected, found)


FORMAT: Final = Format(
    name="retrieval",
    title="Retrieval tables",
    says="""
    `retrieval.csv`: a line a crop with an integer `label` a SKU, `is_query`, `is_gallery`, split,
    category, the path of the crop (relative to `SKU_ROOT`), and its box `x1, y1, x2, y2` in
    `orig_image_path` (relative to `DF2_ROOT`). `oml.csv` has the columns of open-metric-learning;
    its box is the whole crop, since OML cuts the box out of `path`. Labels count from 0 in each
    split: add the number of one split's SKUs to the other's before joining two. No image is copied.
    """,
    loads="""
import pandas
from pytorch_metric_learning.samplers import MPerClassSampler

rows = pandas.read_csv("data/DeepFashion2_SKU/_df2_assets/exports/retrieval/SPLIT/retrieval.csv")
sampler = MPerClassSampler(rows["label"], m=2, batch_size=8, length_before_new_iter=len(rows))
batch = rows.iloc[list(sampler)[:8]]
""",
    kinds=("csv",),
    code_version="1",
    own=re.compile(r"(oml|retrieval)\.csv|README\.md", re.ASCII),
    write=write,
    forms={name: _form(name) for name in _FILES},
)
