"""What a build would do to the crops of a split, without doing it."""

import hashlib
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pandas as pd

from df2_assets.dataset.cropping import encoder
from df2_assets.dataset.skus import paired
from df2_assets.store import crop_tree, journal, tables
from df2_assets.store.journal import CropRow
from df2_assets.store.layout import Roots


@dataclass
class CropPlan:
    """Every crop of `sku_groups` is kept, made, failed (as before, not tried again) or dropped.

    `make` has the columns of `sku_groups`, and `fingerprint`, `image_size`, `image_mtime_ns`.
    Dropped crops belong to SKUs that lose their last catalog or query crop to a failure.
    `remove` are paths on disk that nothing wants any more, `foreign` those that are not ours.
    """

    keep: list[CropRow]
    failed: list[CropRow]
    make: pd.DataFrame
    remove: list[str]
    foreign: list[str] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    previous: dict[str, CropRow] = field(default_factory=dict)


def plan_crops(roots: Roots, split: str, groups: pd.DataFrame, files: pd.DataFrame) -> CropPlan:
    """Hold the crops that `groups` wants against the manifest, the journal and the disk.

    `files` is the index's side table. Opens only crops whose size or time is not the recorded one.
    Raises OutputError where a link leads out of SKU_ROOT.
    """
    tree = crop_tree.scan(roots, split)
    known = recorded(roots, split)
    wanted = _with_fingerprints(groups, files)
    rows = [known.get(path) for path in wanted["crop_path"]]
    usable = {
        row.crop_path: row
        for row, fingerprint in zip(rows, wanted["fingerprint"], strict=True)
        if row is not None and row.fingerprint == fingerprint
    }
    failed = [row for row in usable.values() if row.reason is not None]
    possible = wanted[~wanted["crop_path"].isin([row.crop_path for row in failed])]
    possible = possible[paired(possible[["sku_id"]], possible["domain"])]
    keep, missing = [], []
    for path in possible["crop_path"]:
        row = _still_there(roots, usable.get(path), tree.crops.get(path))
        if row is None:
            missing.append(path)
        else:
            keep.append(row)
    return CropPlan(
        keep,
        failed,
        possible[possible["crop_path"].isin(missing)],
        sorted(tree.crops.keys() - set(possible["crop_path"])) + tree.temporary,
        tree.foreign,
        tree.empty,
        known,
    )


def recorded(roots: Roots, split: str) -> dict[str, CropRow]:
    """Rows of the manifest by path, those of the journal over them."""
    manifest = tables.find(roots, "crops", split)
    rows = {row.crop_path: row for row in rows_of(manifest.to_pydict())} if manifest else {}
    rows.update((row.crop_path, row) for row in journal.read(roots, split))
    return rows


def rows_of(columns: dict[str, list[Any]]) -> list[CropRow]:
    """Columns of the manifest as rows."""
    return [CropRow(*row) for row in zip(*columns.values(), strict=True)]


def _with_fingerprints(groups: pd.DataFrame, files: pd.DataFrame) -> pd.DataFrame:
    stamps = files[["image_id", "image_size", "image_mtime_ns"]]
    wanted = groups.merge(stamps, on="image_id", how="left", validate="many_to_one")
    made_with = encoder()
    columns = ["image_size", "image_mtime_ns", "x1", "y1", "x2", "y2"]
    return wanted.assign(
        fingerprint=[
            f"{size} {mtime} {x1},{y1},{x2},{y2} {made_with}"
            for size, mtime, x1, y1, x2, y2 in zip(*(wanted[c] for c in columns), strict=True)
        ]
    )


def _still_there(
    roots: Roots, row: CropRow | None, on_disk: tuple[int, int] | None
) -> CropRow | None:
    """The row of a crop that need not be made; one with another time is compared by digest."""
    if row is None or on_disk is None or row.size != on_disk[0]:
        return None
    if row.mtime_ns == on_disk[1]:
        return row
    digest = hashlib.sha256((roots.sku_root / row.crop_path).read_bytes()).hexdigest()
    return msgspec.structs.replace(row, mtime_ns=on_disk[1]) if digest == row.sha256 else None
