"""open_clip's CSV: tab-separated `filepath` and `title` (open_clip_train/data.py, `CsvDataset`).

`CsvDataset` opens paths relative to the current folder, so training must start in SKU_ROOT. It
reads two columns and ignores `sku_uid`. Each further prompt has its own column, which an option of
open_clip selects.
"""

import re
from collections.abc import Iterator
from typing import Final

from df2_assets.dataset.taxonomy import SPLIT_NAME
from df2_assets.exports.folder import ExportFolder
from df2_assets.exports.format import Export
from df2_assets.exports.streams import encode_delimited


def write(folder: ExportFolder) -> None:
    """Write one line per crop, in the order of the JSONL."""
    source = folder.source

    def lines() -> Iterator[tuple[str, ...]]:
        yield "filepath", "title", "sku_uid", *source.captions[1:]
        for row in folder.count_rows(source.rows()):
            text, *more = (row.fields[key] for key in source.captions)
            yield row.path, text, row.fields["sku_uid"], *more

    folder.publish(f"{source.split}.tsv", encode_delimited(lines(), "\t"))


EXPORT: Final = Export(
    name="open_clip",
    title="open_clip CSV",
    description="""
    A tab-separated file with the columns `filepath` and `title`, which are open_clip's defaults:
    `--dataset-type csv --train-data _df2_assets/exports/open_clip/{split}/{split}.tsv`. Paths are
    relative to `SKU_ROOT`: start training there. `sku_uid` says which garment it is; open_clip
    ignores it. Each further prompt is a column with the name of its key: select it with
    `--csv-caption-key`. No image is copied.
    """,
    loading_code="""
from contextlib import chdir
from open_clip_train.data import CsvDataset

with chdir("data/DeepFashion2_SKU"):
    table = "_df2_assets/exports/open_clip/SPLIT/SPLIT.tsv"
    dataset = CsvDataset(table, lambda image: image.size, "filepath", "title", tokenizer=list)
    size, title = dataset[0]
""",
    kinds=("csv",),
    own_paths=re.compile(rf"{SPLIT_NAME}\.tsv", re.ASCII),
    write=write,
    code_version="2",
)
