"""Updating the crops of a split: cut, keep or remove them, and list them in the manifest."""

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Final, TypeVar

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from df2_assets.dataset.reasons import Reason
from df2_assets.dataset.skus import add_sku_uids, find_paired
from df2_assets.dataset.tables import CROPS
from df2_assets.engines.base import Engine, Lost
from df2_assets.engines.progress import Progress
from df2_assets.engines.shards import map_shards
from df2_assets.pipeline.changes import Changes, count_changes
from df2_assets.pipeline.cutting import CropFiles, CropShard, SourceImage, cut_shard, refuse
from df2_assets.pipeline.planning import TEXT, CropPlan, as_unpaired, crop_table, without
from df2_assets.store import tables
from df2_assets.store.crop_sets import CropRow, contract_crops
from df2_assets.store.journal import journal
from df2_assets.store.layout import Roots
from df2_assets.store.state import mark_incomplete

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
    split: str,
    plan: CropPlan,
    groups: pd.DataFrame,
    engine: Engine,
    progress: Progress,
) -> Built:
    """Carry out `plan`. The caller writes the manifest; until then the journal has its rows.

    Raises OutputError where a crop cannot be written. Finished crops stay and are not made again.
    """
    if not plan.nothing_to_do:
        mark_incomplete(roots, split)
    new = _cut(roots, split, plan.images, engine, progress)
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
        add_sku_uids(manifest.sort_by("crop_path"), CROPS),
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
    crop_paths: list[str],
    engine: Engine,
    read: Callable[[CropFiles], list[R | None]],
    size: int,
) -> Generator[tuple[str, R | None], None, None]:
    """Yield each crop with what `read` returns for it; None where reading it ended its worker."""
    whole = CropFiles(str(roots.sku_root), crop_paths)
    with closing(map_shards(engine, read, whole, size)) as results:
        for shard, result in results:
            each = [None] if isinstance(result, Lost) else result
            yield from zip(shard.crop_paths, each, strict=True)


def _cut(
    roots: Roots, split: str, images: Sequence[SourceImage], engine: Engine, progress: Progress
) -> pa.Table:
    """Make crops on the engine; each finished shard goes into the journal immediately.

    The rows of a shard become columns immediately: as objects they take many times the memory.
    """
    if not images:
        return crop_table(())
    parts = []
    whole = CropShard(str(roots.sku_root), images)
    with (
        journal(roots, contract_crops(split)) as finished,
        progress(f"cutting crops of {split}", len(images), "images") as advance,
        closing(map_shards(engine, cut_shard, whole, _SHARD)) as results,
    ):
        for shard, result in results:
            rows = _refuse_crashing_image(shard.images[0]) if isinstance(result, Lost) else result
            finished.add(rows)
            parts.append(crop_table(rows))
            advance(len(shard.images))
    return pa.concat_tables(parts).combine_chunks()


def _refuse_crashing_image(image: SourceImage) -> list[CropRow]:
    detail = "ended the process that decoded it, each time"
    return refuse(image, Reason.UNREADABLE_IMAGE, detail, again=True)


def _is_in_whole_sku(groups: pd.DataFrame, on_disk: pa.ChunkedArray) -> pa.Array:
    """Return for each crop on disk whether its SKU has crops of both domains there."""
    place = pc.index_in(on_disk, pa.array(groups["crop_path"]))
    sku_id, domain = (pa.array(groups[name]).take(place) for name in ("sku_id", "domain"))
    crops = tables.frame(pa.table({"sku_id": sku_id, "domain": domain}))
    return pa.array(find_paired(crops[["sku_id"]], crops["domain"]).to_numpy(bool))
