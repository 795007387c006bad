"""The raw annotation index of a split: every annotation read once, and again when it changed."""

from contextlib import closing
from dataclasses import dataclass
from typing import Final, NamedTuple

import pandas as pd
import pyarrow as pa

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
    Read,
    read_shard,
    refuse_crashing_image,
)
from df2_assets.store import tables
from df2_assets.store.layout import Roots
from df2_assets.store.listing import Listing, scan

_SHARD: Final = 500
_ENOUGH: Final = 10
"""Images that an earlier build has to have seen for their sizes to tell one data set."""

STAMPS: Final = ["anno_size", "anno_mtime_ns", "image_size", "image_mtime_ns"]
_READ: Final = pa.schema([FILES.field(name) for name in ("image_id", "items", "settled")])


@dataclass(frozen=True)
class Indexed:
    """The index, the listing and side table it goes with, and how many annotations were read.

    `rebuild_reason` says why all of them were, although an earlier index exists.
    """

    table: pa.Table
    listing: Listing
    files: pa.Table
    annotations_read: int
    rebuild_reason: str | None


class Known(NamedTuple):
    """What an earlier build left: its index and, one row per file, what that was read from."""

    index: pa.Table
    files: pd.DataFrame


def build_index(roots: Roots, split: str, engine: Engine, progress: Progress) -> Indexed:
    """Read the index and write its side table; the index itself is for the caller to write.

    Raises what `read_index` does.
    """
    indexed = read_index(roots, split, engine, progress)
    inputs = _inputs(tables.digest(indexed.table)) | {"df2_root": place_now(roots)}
    tables.write(roots, "files", split, indexed.files, inputs)
    return indexed


def read_index(roots: Roots, split: str, engine: Engine, progress: Progress) -> Indexed:
    """Scan the split and read what changed since the last build; writes nothing.

    Raises LayoutError where a folder is missing, AnotherDataSetError, NewerReleaseError.
    """
    listing = scan(roots, split)
    _require_same_data_set(roots, split, listing)
    known = _known(roots, split)
    files = listing.files
    unchanged = _unchanged(files, known)
    todo = files[files["anno_size"].notna() & ~unchanged]
    read, rows = _read(roots, split, todo, engine, progress)
    counted = pd.concat([read, known.files[_READ.names]]) if known else read
    items = counted.drop_duplicates("image_id").set_index("image_id")["items"]
    files = files.assign(
        items=files["image_id"].map(items).where(files["anno_size"].notna()).astype("Int32"),
        settled=~files["image_id"].isin(read["image_id"][~read["settled"]]),
    )
    table = _merged(known, files["image_id"][unchanged], rows)
    rebuild_reason = None if known else _find_rebuild_reason(roots, split)
    return Indexed(table, listing, tables.from_frame(files, FILES), len(read), rebuild_reason)


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
            f"What the index of {split} was read from is not recorded under {roots.own}: "
            "materialize raw_annotation_index first."
        )
    return files


def place_now(roots: Roots) -> str:
    """Return DF2_ROOT as the side table of the index records it, links followed."""
    return str(roots.df2_root.resolve())


def place_before(roots: Roots, split: str) -> str | None:
    """Return where the split's index was read from; None where that is not recorded."""
    files = tables.origin(roots, "files", split)
    return files.inputs.get("df2_root") if files else None


def _require_same_data_set(roots: Roots, split: str, listing: Listing) -> None:
    """Raise AnotherDataSetError where most images are not those that the split was built from.

    In the folder that it was built from, a data set may change at will. In another folder it is
    the same one if at least half of the images that the earlier build saw have the same size.
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
            f"that were there, {same:,} have the same size in {roots.df2_root}: this is another "
            f"data set. Set SKU_ROOT to another folder, or remove "
            f"{roots.table('files', split)} to have the earlier build replaced."
        )


def _known(roots: Roots, split: str) -> Known | None:
    """Return index and side table of an earlier build, where they belong together."""
    index = tables.find(roots, "raw_annotation_index", split)
    files = tables.find(roots, "files", split)
    origin = tables.origin(roots, "files", split)
    if index is None or files is None or origin is None:
        return None
    own = tables.origin(roots, "raw_annotation_index", split)
    if own is None or not _inputs(own.digest).items() <= origin.inputs.items():
        return None
    return Known(index, tables.frame(files))


def _find_rebuild_reason(roots: Roots, split: str) -> str | None:
    """Return why an earlier index does not help; None where there is none."""
    earlier = tables.origin(roots, "files", split)
    if earlier is None:
        return None
    code = earlier.inputs.get("code")
    if code != CODE_VERSION:
        return f"code version {code} -> {CODE_VERSION}"
    return "the earlier index is damaged, of another form, or not the one of its side table"


def _inputs(index_digest: str) -> dict[str, str]:
    """Return what ties a side table to the index that it was written with."""
    return {"raw_annotation_index": index_digest, "code": CODE_VERSION}


def _unchanged(files: pd.DataFrame, known: Known | None) -> pd.Series:
    """Return for each file whether it was read before with the same sizes and times."""
    if known is None:
        return pd.Series(False, index=files.index)
    old = known.files.set_index("image_id").reindex(files["image_id"]).set_axis(files.index)
    return old["settled"].astype("boolean").fillna(False).astype(bool) & have_equal_stamps(
        files, old
    )


def have_equal_stamps(files: pd.DataFrame, others: pd.DataFrame) -> "pd.Series[bool]":
    """Return whether rows of the same index have the same sizes and times, or the same none."""
    same = pd.Series(True, index=files.index)
    for stamp in STAMPS:
        one, other = (rows[stamp].astype("Int64").fillna(-2) for rows in (files, others))
        same &= (one == other).astype(bool)
    return same


def _read(
    roots: Roots, split: str, todo: pd.DataFrame, engine: Engine, progress: Progress
) -> tuple[pd.DataFrame, pa.Table]:
    """Return the columns of `_READ` for each file that is read, and all its rows; in no order.

    The result of a shard becomes columns immediately: as objects it takes many times the memory.
    """
    image_sizes = (None if pd.isna(size) else int(size) for size in todo["image_size"])
    tasks = [
        FileTask(image_id, int(anno_size), image_size)
        for image_id, anno_size, image_size in zip(
            todo["image_id"], todo["anno_size"], image_sizes, strict=True
        )
    ]
    whole = IndexShard(split, str(roots.annotations(split)), str(roots.images(split)), tasks)
    read, rows = [_read_of([])], [table_of([])]
    with (
        progress(f"reading annotations of {split}", len(todo), "files") as advance,
        closing(map_shards(engine, read_shard, whole, _SHARD)) as results,
    ):
        for shard, result in results:
            files = (
                [refuse_crashing_image(split, shard.tasks[0])]
                if isinstance(result, Lost)
                else result
            )
            read.append(_read_of(files))
            rows.append(table_of([row for file in files for row in file.rows]))
            advance(len(shard.tasks))
    return tables.frame(pa.concat_tables(read)), pa.concat_tables(rows).combine_chunks()


def _read_of(files: list[Read]) -> pa.Table:
    columns = {name: [getattr(file, name) for file in files] for name in _READ.names}
    return pa.table(columns, schema=_READ)


def _merged(known: Known | None, kept: pd.Series, new: pa.Table) -> pa.Table:
    """Return the rows of unchanged files and the new ones, in order; usable before refused."""
    if known is None:
        table = new
    elif not new.num_rows and len(kept) == len(known.files):
        return known.index
    else:
        mask = pa.array(known.index["image_id"].to_pandas().isin(kept))
        table = pa.concat_tables([known.index.filter(mask).cast(RAW_ANNOTATION_INDEX), new])
    order = (
        table.select(["image_id", "item_idx", "reason"])
        .to_pandas(types_mapper=pd.ArrowDtype)
        .sort_values(["image_id", "item_idx", "reason"], na_position="first", kind="stable")
    )
    return table.take(pa.array(order.index))


def table_of(rows: list[IndexRow]) -> pa.Table:
    """Return rows of the index as a table."""
    columns = zip(*rows, strict=True) if rows else ([] for _ in RAW_ANNOTATION_INDEX.names)
    return pa.table(list(map(list, columns)), schema=RAW_ANNOTATION_INDEX)
