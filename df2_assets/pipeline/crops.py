"""Updating sets of crops: cut, keep or remove them, and list them in their manifests."""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Final, TypeVar

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from df2_assets.dataset.skus import find_paired
from df2_assets.engines.base import Engine, Lost
from df2_assets.engines.progress import Progress
from df2_assets.engines.shards import map_shards
from df2_assets.pipeline.changes import Changes, count_changes
from df2_assets.pipeline.cutting import (
    CropFiles,
    SourceImage,
    cut_shard,
    refuse_crashing_image,
)
from df2_assets.pipeline.planning import (
    TEXT,
    CropPlan,
    as_unpaired,
    crop_shard,
    crop_table,
    join_images,
    make_manifest,
    mark_incomplete,
    without,
)
from df2_assets.store import tables
from df2_assets.store.journal import journal
from df2_assets.store.layout import Roots

R = TypeVar("R")

_SHARD: Final = 256
"""Images per shard, at most: about half a second of work, which a killed worker loses."""


@dataclass(frozen=True)
class Built:
    """The manifest, and what this build did to the crops on disk. `made` has paths of new crops."""

    manifest: pa.Table
    made: list[str]
    images_decoded: int
    changes: Changes


def build_crops(
    roots: Roots,
    plans: Sequence[CropPlan],
    groups: pd.DataFrame,
    engine: Engine,
    progress: Progress,
) -> Iterator[Built]:
    """Carry out plans for sets of one split, and yield what was built of each, in their order.

    Every image is decoded once for all plans. The caller writes each manifest as it is yielded;
    until then the journal of the set has its rows.
    Raises OutputError where a crop cannot be written. Finished crops stay and are not made again.
    """
    for plan in plans:
        if not plan.nothing_to_do:
            mark_incomplete(roots, plan.crops)
    images = join_images(roots, plans)
    new = _cut(roots, plans, images, engine, progress)
    for plan in plans:
        yield _finish(roots, plan, new.pop(0), groups)


def _finish(roots: Roots, plan: CropPlan, new: pa.Table, groups: pd.DataFrame) -> Built:
    """Remove what a plan does not keep, and return what it has built. `new` are its new rows."""
    is_made, new_paths = pc.is_null(new["reason"]), new["crop_path"]
    on_disk, failed = new.filter(is_made), new.filter(pc.invert(is_made))
    del new  # Memory is highest here: each of these tables is as large as the manifest.
    on_disk = pa.concat_tables([plan.keep, on_disk])
    kept, unpaired = on_disk, on_disk.slice(0, 0)
    if plan.only_pairs:
        is_paired = _is_in_whole_sku(groups, on_disk["crop_path"])
        unpaired = on_disk.filter(pc.invert(is_paired))
        kept = on_disk.filter(is_paired) if unpaired.num_rows else on_disk
    del on_disk
    before = pa.array(list(plan.tree.crops), TEXT)
    lost = without(before, kept["crop_path"]).to_pylist()
    roots.sku.remove(
        roots.sku_root, sorted({*lost, *unpaired["crop_path"].to_pylist()}) + plan.tree.temporary
    )
    roots.sku.remove_empty(roots.sku_root, plan.tree.empty)
    manifest = pa.concat_tables([kept, plan.skip, as_unpaired(unpaired), failed])
    made = kept["crop_path"].filter(pc.is_in(kept["crop_path"], new_paths)).sort()
    known = plan.known.filter(pc.is_null(plan.known["reason"]))["crop_path"]
    return Built(
        make_manifest(plan.crops, manifest),
        made.to_pylist(),
        len(plan.images),
        count_changes(
            without(made, known).to_pylist(),
            sorted(lost),
            made.filter(pc.is_in(made, known)).to_pylist(),
            kept.num_rows - len(made),
        ),
    )


def read_crops(
    roots: Roots,
    crops: list[tuple[str, str | None]],
    engine: Engine,
    read: Callable[[CropFiles], list[R | None]],
    size: int,
) -> Generator[tuple[str, R | None], None, None]:
    """Yield the path of each crop with what `read` returns; None where that ended its worker."""
    whole = CropFiles(str(roots.sku_root), crops)
    with closing(map_shards(engine, read, whole, size)) as results:
        for shard, result in results:
            each = [None] if isinstance(result, Lost) else result
            yield from zip((path for path, _ in shard.crops), each, strict=True)


def _cut(
    roots: Roots,
    plans: Sequence[CropPlan],
    images: Sequence[SourceImage],
    engine: Engine,
    progress: Progress,
) -> list[pa.Table]:
    """Make the crops of plans on the engine, and return the rows of each plan.

    Each finished shard goes into the journals immediately. Its rows become columns immediately: as
    objects they take many times the memory.
    """
    parts = [[crop_table(plan.crops.row, ())] for plan in plans]
    if not images:
        return [part for (part,) in parts]
    whole = crop_shard(roots, plans, images)
    with ExitStack() as stack:
        journals = [
            stack.enter_context(journal(roots, plan.crops)) if len(plan.make) else None
            for plan in plans
        ]
        title = f"cutting crops of {plans[0].crops.split}"
        advance = stack.enter_context(progress(title, len(images), "images"))
        results = stack.enter_context(closing(map_shards(engine, cut_shard, whole, _SHARD)))
        for shard, result in results:
            rows_of_sets = refuse_crashing_image(shard) if isinstance(result, Lost) else result
            for plan, finished, part, rows in zip(
                plans, journals, parts, rows_of_sets, strict=True
            ):
                if finished and rows:
                    finished.add(rows)
                    part.append(crop_table(plan.crops.row, rows))
            advance(len(shard.images))
    return [pa.concat_tables(part).combine_chunks() for part in parts]


def _is_in_whole_sku(groups: pd.DataFrame, on_disk: pa.ChunkedArray) -> pa.Array:
    """Return for each crop on disk whether its SKU has crops of both domains there."""
    place = pc.index_in(on_disk, pa.array(groups["crop_path"]))
    sku_id, domain = (pa.array(groups[name]).take(place) for name in ("sku_id", "domain"))
    crops = tables.frame(pa.table({"sku_id": sku_id, "domain": domain}))
    return pa.array(find_paired(crops[["sku_id"]], crops["domain"]).to_numpy(bool))
