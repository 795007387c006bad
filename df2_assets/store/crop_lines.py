"""Tables of crops as JSON lines beside their Parquet files, for machines that only train.

Such a machine has no pyarrow. The first line describes the table, and each other line is a crop.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from df2_assets.dataset.record import AFFINE
from df2_assets.dataset.variants import CropVariant
from df2_assets.errors import IncompleteSplitError, MissingTableError
from df2_assets.store.crop_sets import DECLARATION, is_half_built
from df2_assets.store.layout import CROP_VARIANTS, Roots

if TYPE_CHECKING:
    import pyarrow as pa

COLUMNS: Final = {
    "labels": ("crop_path", "polygons", "landmarks", "reason"),
    CROP_VARIANTS: ("crop_path", "variant_path", *AFFINE, "reason"),
}
"""The columns that are written, by asset."""

SOURCES: Final = ("sku_groups", "crops")
"""The tables that the metadata of a split is made from."""

_BATCH: Final = 1000


class Header(msgspec.Struct):
    """The first line: a digest of the table, and the data that it was made from.

    `source` is that of the metadata of the same build (`State.sku_metadata_of`). `variant` is the
    declaration that a manifest was made with.
    """

    digest: str
    source: str
    variant: CropVariant | None = None


def describe_source(digests: Mapping[str, str]) -> str:
    """Return the digests of groups and manifest as text, out of those of any tables."""
    return " ".join(f"{asset} {digests[asset]}" for asset in SOURCES if asset in digests)


def write_lines(
    roots: Roots, name: str, split: str, table: "pa.Table", digest: str, inputs: Mapping[str, str]
) -> None:
    """Write the columns `COLUMNS` of a table as JSON lines, if its asset has any.

    A file that was written from the same table and the same inputs is not touched.
    """
    if name.partition("/")[0] not in COLUMNS:
        return
    header, path = _describe(table, digest, inputs), roots.lines(name, split)
    if path.exists():
        with path.open("rb") as file, suppress(msgspec.DecodeError):
            if msgspec.json.decode(file.readline(), type=Header) == header:
                return
    roots.sku.publish(path, _encode(name, table, header), lambda: None)


def lines_match(
    roots: Roots, name: str, split: str, table: "pa.Table", digest: str, inputs: Mapping[str, str]
) -> bool:
    """Return whether the JSON lines on disk are those that `write_lines` would write."""
    with roots.lines(name, split).open("rb") as file:
        chunks = _encode(name, table, _describe(table, digest, inputs))
        return all(file.read(len(chunk)) == chunk for chunk in chunks) and not file.read(1)


def find_label_lines(roots: Roots, split: str) -> Path:
    """Return the path of the labels of a split. Raises MissingTableError if it does not exist."""
    path = roots.lines("labels", split)
    if not path.exists():
        raise MissingTableError(
            f"{path} is not there: copy it as well or, where the build is, run "
            f"df2-assets labels --split {split}"
        )
    return path


def find_variant_lines(roots: Roots, split: str, name: str) -> Path:
    """Return the path of the manifest of a crop variant.

    Raises MissingTableError, which names the variants that the split has, if it does not exist, and
    IncompleteSplitError if it is half-built.
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
    if is_half_built(roots, split, f"{CROP_VARIANTS}/{name}"):
        raise IncompleteSplitError(
            f"The crop variant {name} of {split} is half-built: when no run is making it, run "
            f"df2-assets variants --split {split}"
        )
    return roots.lines(f"{CROP_VARIANTS}/{name}", split)


def _describe(table: "pa.Table", digest: str, inputs: Mapping[str, str]) -> Header:
    declared = (table.schema.metadata or {}).get(DECLARATION, b"null")
    variant = msgspec.json.decode(declared, type=CropVariant | None)
    return Header(digest, describe_source(inputs), variant)


def _encode(name: str, table: "pa.Table", header: Header) -> Iterator[bytes]:
    yield msgspec.json.encode(header) + b"\n"
    columns = COLUMNS[name.partition("/")[0]]
    for batch in table.select(columns).to_batches(max_chunksize=_BATCH):
        yield msgspec.json.Encoder().encode_lines(batch.to_pylist())
