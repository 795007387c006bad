"""The raw annotation index of a split. An annotation is read again only when it changes."""

from contextlib import closing
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from df2_assets.dataset.annotations import CODE_VERSION
from df2_assets.dataset.tables import FILES, RAW_ANNOTATION_INDEX
from df2_assets.engines.base import Engine, Lost
from df2_assets.engines.progress import Progress
from df2_assets.engines.shards import map_shards
from df2_assets.errors import AnotherDataSetError, MissingTableError, ProvenanceError
from df2_assets.pipeline.reading import (
    FileTask,
    IndexRow,
    IndexShard,
    read_shard,
    refuse_crashing_image,
)
from df2_assets.pipeline.scanning import list_input
from df2_assets.store import tables
from df2_assets.store.layout import Roots
from df2_assets.store.listing import Listing

_SHARD: Final = 2000
_ENOUGH: Final = 10
"""Images from which on their sizes tell whether two folders hold the same data set."""

STAMPS: Final = ["anno_size", "anno_mtime_ns", "image_size", "image_mtime_ns"]
_READ: Final = pa.schema([FILES.field(name) for name in ("image_id", "items", "needs_retry")])
"""What reading a file tells about it, in the order of `FileResult`."""


@dataclass(frozen=True)
class Indexed:
    """The index, with its listing and its side table.

    `annotations_read` says how many were read in this build. `rebuild_reason` says why all of them
    were, although an earlier index exists.
    """

    table: pa.Table
    listing: Listing
    files: pa.Table
    annotations_read: int
    rebuild_reason: str | None


class EarlierIndex(NamedTuple):
    """The index of an earlier build, and its side table: one row per file."""

    table: pa.Table
    files: pa.Table


def build_index(roots: Roots, split: str, engine: Engine, progress: Progress) -> Indexed:
    """Read the index and write its side table. The caller writes the index itself.

    Raises what `read_index` does.
    """
    indexed = read_index(roots, split, engine, progress)
    inputs = _inputs(tables.digest(indexed.table)) | {"df2_root": place_now(roots)}
    tables.write(roots, "files", split, indexed.files, inputs)
    return indexed


def read_index(roots: Roots, split: str, engine: Engine, progress: Progress) -> Indexed:
    """List the split and read what changed since the last build. Write nothing.

    Raises LayoutError where a folder is missing, AnotherDataSetError, NewerReleaseError.
    """
    listing = list_input(roots, split, engine)
    _require_same_data_set(roots, split, listing)
    earlier = _find_earlier(roots, split)
    files = listing.files
    is_unchanged = _is_unchanged(files, earlier)
    is_annotated = files["anno_size"].notna().to_numpy()
    read, rows = _read(roots, split, files[is_annotated & ~is_unchanged], engine, progress)
    # What was read now comes first: of two equal ids `index_in` finds the first.
    known = read if earlier is None else pa.concat_tables([read, earlier.files.select(_READ.names)])
    image_ids = pa.array(files["image_id"])
    items = known["items"].take(pc.index_in(image_ids, known["image_id"]))
    items = pc.if_else(pa.array(is_annotated), items, pa.scalar(None, items.type))
    needs_retry = pc.is_in(image_ids, read.filter(read["needs_retry"])["image_id"])
    listed = [pa.array(column) for _, column in files.items()]
    side_table = pa.table([*listed, items, needs_retry], schema=FILES)
    table = _merge(earlier, files["image_id"][is_unchanged], rows)
    rebuild_reason = None if earlier else _find_rebuild_reason(roots, split)
    return Indexed(table, listing, side_table, read.num_rows, rebuild_reason)


def read_files(roots: Roots, split: str) -> pa.Table:
    """Return the side table of the index.

    Raises MissingTableError, or ProvenanceError where the index was read from another DF2_ROOT.
    """
    before = place_before(roots, split)
    if before not in (None, place_now(roots)):
        raise ProvenanceError(
            f"The index of {split} was read from {before}, and DF2_ROOT is {roots.df2_root}: "
            f"rerun raw_annotation_index, or build_dataset, for {split}."
        )
    files = tables.find(roots, "files", split)
    if files is None:
        raise MissingTableError(
            f"{roots.own} does not record which files the index of {split} was read from: "
            "materialize raw_annotation_index first."
        )
    return files


def place_now(roots: Roots) -> str:
    """Return DF2_ROOT as the side table of the index records it, with links resolved."""
    return str(roots.df2_root.resolve())


def place_before(roots: Roots, split: str) -> str | None:
    """Return where the split's index was read from; None where that is not recorded."""
    files = tables.origin(roots, "files", split)
    return files.inputs.get("df2_root") if files else None


def _require_same_data_set(roots: Roots, split: str, listing: Listing) -> None:
    """Raise AnotherDataSetError where most images differ from those that the split was built from.

    In the folder that it was built from, a data set may change freely. In another folder it counts
    as the same one if at least half of the images of the earlier build have the same size.
    """
    before = place_before(roots, split)
    files = tables.find(roots, "files", split) if before != place_now(roots) else None
    if files is None:
        return
    known = tables.frame(files).set_index("image_id")["image_size"].dropna()
    now = listing.files.set_index("image_id")["image_size"].reindex(known.index)
    same = int((now.astype("Int64") == known.astype("Int64")).sum())
    if len(known) >= _ENOUGH and 2 * same < len(known):
        where = f"from {before}" if before else "from another folder"
        raise AnotherDataSetError(
            f"{split} under {roots.sku_root} was built {where}, and of the {len(known):,} images "
            f"of that build, {same:,} have the same size in {roots.df2_root}: this is another "
            f"data set. Set SKU_ROOT to another folder, or remove "
            f"{roots.table('files', split)} to replace the earlier build."
        )


def _find_earlier(roots: Roots, split: str) -> EarlierIndex | None:
    """Return the index and the side table of an earlier build; None unless they belong together."""
    index = tables.find(roots, "raw_annotation_index", split)
    files = tables.find(roots, "files", split)
    origin = tables.origin(roots, "files", split)
    if index is None or files is None or origin is None:
        return None
    own = tables.origin(roots, "raw_annotation_index", split)
    if own is None or not _inputs(own.digest).items() <= origin.inputs.items():
        return None
    return EarlierIndex(index, files)


def _find_rebuild_reason(roots: Roots, split: str) -> str | None:
    """Return why an earlier index cannot be used; None where there is no earlier index."""
    earlier = tables.origin(roots, "files", split)
    if earlier is None:
        return None
    code = earlier.inputs.get("code")
    if code != CODE_VERSION:
        return f"code version {code} -> {CODE_VERSION}"
    return "the earlier index is damaged, has other columns, or does not belong to its side table"


def _inputs(index_digest: str) -> dict[str, str]:
    """Return what ties a side table to the index that it was written with."""
    return {"raw_annotation_index": index_digest, "code": CODE_VERSION}


def _is_unchanged(files: pd.DataFrame, earlier: EarlierIndex | None) -> "npt.NDArray[np.bool_]":
    """Return for each file whether it was read before with the same sizes and times."""
    if earlier is None:
        return np.zeros(len(files), bool)
    place = pc.index_in(pa.array(files["image_id"]), earlier.files["image_id"])
    old = tables.frame(earlier.files.select([*STAMPS, "needs_retry"]).take(place))
    was_read = old["needs_retry"].eq(False).fillna(False)
    return (was_read & have_equal_stamps(files, old)).to_numpy(bool)


def have_equal_stamps(files: pd.DataFrame, others: pd.DataFrame) -> "pd.Series[bool]":
    """Return for each row of two frames whether sizes and times are equal. Two nulls are equal."""
    same = pd.Series(True, index=files.index)
    for stamp in STAMPS:
        one, other = (rows[stamp].astype("Int64").fillna(-2) for rows in (files, others))
        same &= (one == other).astype(bool)
    return same


def _read(
    roots: Roots, split: str, todo: pd.DataFrame, engine: Engine, progress: Progress
) -> tuple[pa.Table, pa.Table]:
    """Read files on the engine; return the columns of `_READ` and all rows, both in any order.

    The result of a shard becomes a table immediately: as objects it takes many times the memory.
    """
    columns = (pa.array(todo[name]).to_pylist() for name in ("image_id", "anno_size", "image_size"))
    tasks = [*map(FileTask, *columns)]
    whole = IndexShard(split, str(roots.annotations(split)), str(roots.images(split)), tasks)
    files, rows = [_READ.empty_table()], [RAW_ANNOTATION_INDEX.empty_table()]
    with (
        progress(f"reading annotations of {split}", len(todo), "files") as advance,
        closing(map_shards(engine, read_shard, whole, _SHARD)) as results,
    ):
        for shard, result in results:
            if isinstance(result, Lost):
                result = refuse_crashing_image(split, shard.tasks[0])
            files.append(pa.table(result.files, schema=_READ))
            if result.rows:
                rows.append(pa.table(result.rows, schema=RAW_ANNOTATION_INDEX))
            advance(len(shard.tasks))
    return pa.concat_tables(files), pa.concat_tables(rows).combine_chunks()


def _merge(earlier: EarlierIndex | None, kept: pd.Series, new: pa.Table) -> pa.Table:
    """Return the rows of unchanged files and the new rows, sorted; usable items before refused."""
    if earlier is None:
        table = new
    elif not new.num_rows and len(kept) == len(earlier.files):
        return earlier.table
    else:
        is_kept = pc.is_in(earlier.table["image_id"], pa.array(kept))
        table = pa.concat_tables([earlier.table.filter(is_kept).cast(RAW_ANNOTATION_INDEX), new])
    keys = {
        "image_id": table["image_id"],
        "item_idx": pc.fill_null(table["item_idx"], -1),  # a row for the whole file comes first
        "reason": pc.fill_null(table["reason"], ""),
    }
    return table.take(pc.sort_indices(pa.table(keys), [(name, "ascending") for name in keys]))


def table_of(rows: list[IndexRow]) -> pa.Table:
    """Return rows of the index as a table."""
    columns = zip(*rows, strict=True) if rows else ([] for _ in RAW_ANNOTATION_INDEX.names)
    return pa.table(list(map(list, columns)), schema=RAW_ANNOTATION_INDEX)
