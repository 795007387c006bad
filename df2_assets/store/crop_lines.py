"""Tables of crops as JSON lines beside their Parquet files, for machines that only train.

Such a machine has no pyarrow. The first line describes the table, and each other line is a crop.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from df2_assets.errors import MissingTableError
from df2_assets.store import state
from df2_assets.store.layout import CROP_VARIANTS, Roots

if TYPE_CHECKING:
    import pyarrow as pa

LABELS: Final = ("crop_path", "polygons", "landmarks", "reason")
"""The columns of the table `labels` that are written."""

VARIANT: Final = (
    *("crop_path", "variant_path", "scale_x", "scale_y", "shift_x", "shift_y"),
    "reason",
)
"""The columns of the manifest of a crop variant that are written."""

_BATCH: Final = 1000


class Header(msgspec.Struct):
    """The first line: a digest of the table, and the data that it was made from.

    `source` is that of the metadata of the same build (`State.sku_metadata_of`).
    """

    digest: str
    source: str


def write_lines(roots: Roots, table_name: str, split: str, columns: Sequence[str]) -> bool:
    """Write the current table of a name as JSON lines, and return whether the file has changed.

    A file that was written from the same table is not read or written in full.
    """
    from df2_assets.store import tables

    table = tables.read(roots, table_name, split)
    header = Header(tables.digest(table), state.source_of_metadata(roots, split))
    path = roots.lines(table_name, split)
    if path.exists():
        with path.open("rb") as file, suppress(msgspec.DecodeError):
            if msgspec.json.decode(file.readline(), type=Header) == header:
                return False
    return roots.sku.publish(path, _encode(header, table.select(columns)), lambda: None)


def find_label_lines(roots: Roots, split: str) -> Path:
    """Return the path of the labels of a split. Raises MissingTableError if it does not exist."""
    path = roots.lines("labels", split)
    if not path.exists():
        raise MissingTableError(
            f"{path} is not there: run df2-assets labels --split {split} or, on another machine, "
            "copy that file as well"
        )
    return path


def find_variant_lines(roots: Roots, split: str, name: str) -> Path:
    """Return the path of the manifest of a crop variant.

    Raises MissingTableError, which names the variants that the split has, if it does not exist.
    """
    folder = roots.tables(CROP_VARIANTS)
    files = (path.partition("/") for path, _ in roots.sku.walk(folder))
    names = sorted(each for each, _, file in files if file == f"{split}.jsonl")
    if name not in names:
        has = f"it has {', '.join(names)}" if names else "it has none"
        raise MissingTableError(
            f"{split} under {roots.sku_root} has no crop variant {name!r}, {has}: declare it in "
            f"the file of DF2_VARIANTS, and run df2-assets variants --split {split}"
        )
    return roots.lines(f"{CROP_VARIANTS}/{name}", split)


def _encode(header: Header, table: "pa.Table") -> Iterator[bytes]:
    yield msgspec.json.encode(header) + b"\n"
    for batch in table.to_batches(max_chunksize=_BATCH):
        yield msgspec.json.Encoder().encode_lines(batch.to_pylist())
