"""The crops of a split brought up to date: made, kept or removed, and recorded in the manifest."""

from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import pandas as pd
import pyarrow as pa

from df2_assets.dataset.reasons import Reason
from df2_assets.dataset.skus import paired
from df2_assets.dataset.tables import CROPS
from df2_assets.engines.base import Engine, Lost
from df2_assets.engines.progress import Progress
from df2_assets.engines.shards import map_shards
from df2_assets.pipeline.changes import Changes, counted
from df2_assets.pipeline.cutting import CropFiles, CropShard, SourceImage, cut_shard, refuse
from df2_assets.pipeline.planning import CropPlan, left_out
from df2_assets.store.journal import CropRow, journal
from df2_assets.store.layout import Roots
from df2_assets.store.state import mark_incomplete

R = TypeVar("R")

_SHARD: Final = 32


@dataclass(frozen=True)
class Built:
    """The manifest, and what this build did to the crops on disk; `made` are paths."""

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
    """Carry out `plan`. The manifest is for the caller to write; until then the journal holds.

    Raises OutputError where a crop cannot be written; what was finished stays and is not redone.
    """
    if not plan.nothing_to_do:
        mark_incomplete(roots, split)
    new = _cut(roots, split, plan.images, engine, progress)
    on_disk = {row.crop_path: row for row in plan.keep + new if row.reason is None}
    kept = _of_paired_skus(groups, on_disk)
    dropped = [left_out(row) for path, row in on_disk.items() if path not in kept]
    failed = [row for row in new if row.reason is not None]
    removed = sorted((plan.tree.crops.keys() | on_disk.keys()) - kept)
    roots.sku.remove(roots.sku_root, removed + plan.tree.temporary)
    roots.sku.remove_empty(roots.sku_root, plan.tree.empty)
    rows = [on_disk[path] for path in kept] + plan.settled + dropped + failed
    rows.sort(key=lambda row: row.crop_path)
    made = sorted({row.crop_path for row in new} & kept)
    before = {path for path, row in plan.known.items() if row.reason is None}
    return Built(
        pa.table(_columns(rows), schema=CROPS),
        made,
        len(plan.images),
        counted(
            [path for path in made if path not in before],
            [path for path in removed if path in plan.tree.crops],
            [path for path in made if path in before],
            len(kept) - len(made),
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
    roots: Roots, split: str, images: list[SourceImage], engine: Engine, progress: Progress
) -> list[CropRow]:
    """Make crops on the engine; each finished shard goes into the journal immediately."""
    rows: list[CropRow] = []
    if not images:
        return rows
    whole = CropShard(str(roots.sku_root), images)
    size = max(1, min(_SHARD, len(images) // (4 * engine.workers)))
    with (
        journal(roots, split) as finished,
        progress(f"cutting crops of {split}", len(images), "images") as advance,
        closing(map_shards(engine, cut_shard, whole, size)) as results,
    ):
        for shard, result in results:
            new = _refuse_crashing_image(shard.images[0]) if isinstance(result, Lost) else result
            finished.add(new)
            rows += new
            advance(len(shard.images))
    return rows


def _refuse_crashing_image(image: SourceImage) -> list[CropRow]:
    detail = "ended the process that decoded it, each time"
    return refuse(image, Reason.UNREADABLE_IMAGE, detail, again=True)


def _columns(rows: list[CropRow]) -> dict[str, list[Any]]:
    """Return rows of the manifest as its columns."""
    return {name: [getattr(row, name) for row in rows] for name in CROPS.names}


def _of_paired_skus(groups: pd.DataFrame, on_disk: Iterable[str]) -> set[str]:
    """Return those of the crops on disk whose SKU has crops of both domains there."""
    left = groups[groups["crop_path"].isin(list(on_disk))]
    return set(left["crop_path"][paired(left[["sku_id"]], left["domain"])])
