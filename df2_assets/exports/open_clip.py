"""open_clip's CSV: tab-separated `filepath` and `title` (open_clip_train/data.py, `CsvDataset`).

`CsvDataset` opens a path as it stands, so paths are relative to where training starts: SKU_ROOT.
Further prompts have columns of their own, for open_clip to be pointed at.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from df2_assets.exports.delimited import delimited, read_delimited
from df2_assets.exports.folder import Folder
from df2_assets.exports.form import Form, Format, Record
from df2_assets.exports.source import Source


def write(folder: Folder) -> None:
    """One line a crop, in the order of the JSONL."""
    source = folder.source

    def lines() -> Iterator[tuple[str, ...]]:
        yield "filepath", "title", *source.captions[1:]
        for row in source.rows():
            yield row.path, *(row.fields[key] for key in source.captions)

    folder.publish(f"{source.split}.tsv", delimited(lines(), "\t"))


def _expected(source: Source) -> Iterator[Record]:
    for row in source.rows():
        text, *more = source.captions
        yield row.path, {"title": row.fields[text], **{key: row.fields[key] for key in more}}


def _found(folder: Path, split: str) -> Iterator[Record]:
    for row in read_delimited(folder / f"{split}.tsv", "\t"):
        yield row.pop("filepath"), row


FORMAT: Final = Format(
    name="open_clip",
    title="open_clip CSV",
    says="""
    A tab-separated file with the columns `filepath` and `title`, which are open_clip's defaults:
    `--dataset-type csv --train-data _df2_assets/exports/open_clip/{split}/{split}.tsv`. Paths are
    relative to `SKU_ROOT`: start training there. Further prompts are columns by their own names:
    `--csv-caption-key`. No image is copied.
    """,
    loads="""
from contextlib import chdir
from open_clip_train.data import CsvDataset

with chdir("data/DeepFashion2_SKU"):
    table = "_df2_assets/exports/open_clip/SPLIT/SPLIT.tsv"
    dataset = CsvDataset(table, lambda image: image.size, "filepath", "title", tokenizer=list)
    size, title = dataset[0]
""",
    kinds=("csv",),
    code_version="1",
    own=re.compile(r"[a-z]+\.tsv|README\.md", re.ASCII),
    write=write,
    forms={"table": Form(_expected, _found)},
)
