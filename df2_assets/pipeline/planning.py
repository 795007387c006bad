"""What a build would do to the crops of a split, without doing it."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import cast

import msgspec
import pandas as pd

from df2_assets.dataset.boxes import Box
from df2_assets.dataset.cropping import encoder
from df2_assets.dataset.frames import rows
from df2_assets.dataset.reasons import UNPAIRED
from df2_assets.dataset.skus import CROP_PATH, paired
from df2_assets.errors import ProvenanceError, inert
from df2_assets.pipeline.cutting import Cut, Image
from df2_assets.settings import Settings
from df2_assets.store import crop_tree, journal, tables
from df2_assets.store.crop_tree import CropTree
from df2_assets.store.journal import CropRow
from df2_assets.store.layout import Roots


@dataclass(frozen=True)
class CropPlan:
    """Every crop that `sku_groups` wants is kept, settled or to be made.

    `keep`: on disk as it should be. `settled`: known not to be on disk, and not tried again: it
    failed, or its SKU has lost its other domain to failures. `make`: columns of `sku_groups`, and
    `fingerprint`, `image_size`, `image_mtime_ns`; `images`: what has to be decoded for it. `tree`:
    what lies there now; `known`: rows of the manifest and journal by path. `anew` says what, other
    than images and boxes, has crops made that are there.
    """

    keep: list[CropRow]
    settled: list[CropRow]
    make: pd.DataFrame
    images: list[Image]
    tree: CropTree
    known: dict[str, CropRow]
    anew: str | None

    @cached_property
    def remove(self) -> list[str]:
        """Files of the project's that no crop that is kept or made replaces."""
        wanted = {row.crop_path for row in self.keep} | set(self.make["crop_path"])
        return sorted(self.tree.crops.keys() - wanted) + self.tree.temporary

    @property
    def nothing_to_do(self) -> bool:
        return self.make.empty and not self.remove and not self.tree.empty


def plan_crops(
    settings: Settings, split: str, groups: pd.DataFrame, files: pd.DataFrame
) -> CropPlan:
    """Hold the crops that `groups` wants against the manifest, the journal and the disk.

    `files` is the index's side table. Opens only crops whose size or time is not the recorded one.
    Raises OutputError where a link leads out of SKU_ROOT.
    """
    roots = settings.roots
    tree = crop_tree.scan(roots, split)
    known = recorded(roots, split)
    wanted = _with_fingerprints(groups, files)
    usable = {
        path: row
        for path, fingerprint in rows(wanted, "crop_path", "fingerprint")
        if (row := known.get(path)) is not None and row.fingerprint == fingerprint
    }
    failed = [row for row in usable.values() if row.reason not in (None, UNPAIRED)]
    possible = wanted[~wanted["crop_path"].isin([row.crop_path for row in failed])]
    keep, settled, make = [], failed, set()
    pairs = possible.assign(paired=paired(possible[["sku_id"]], possible["domain"]))
    for path, is_paired in rows(pairs, "crop_path", "paired"):
        row = usable.get(path)
        # One of a SKU that cannot be kept is still tried once: whether it fails must not depend
        # on which of the SKU's crops failed first.
        found = _still_there(roots, row, tree.crops.get(path)) if is_paired else row
        if found is None:
            make.add(path)
        elif is_paired:
            keep.append(found)
        else:
            settled.append(left_out(found))
    to_make = possible[possible["crop_path"].isin(make)]
    _refuse_foreign(split, to_make)
    anew = _why_anew(make, tree, known)
    return CropPlan(keep, settled, to_make, _images(roots, to_make), tree, known, anew)


def _refuse_foreign(split: str, make: pd.DataFrame) -> None:
    """Groups that somebody edited could name any file: it would be written over."""
    ours = make["crop_path"].str.fullmatch(f"{split}/{CROP_PATH}")
    if not ours.all():
        path = inert(make["crop_path"][~ours].iloc[0])
        raise ProvenanceError(
            f"sku_groups of {split} names {path}, which is no crop of {split}: rerun sku_groups, "
            f"or build_dataset, for {split}."
        )


def left_out(row: CropRow) -> CropRow:
    """The row of a crop that can be made, and is not kept since its SKU lost its other domain."""
    detail = "its SKU has no crop left of the other domain"
    return CropRow(row.crop_path, fingerprint=row.fingerprint, reason=UNPAIRED, detail=detail)


def recorded(roots: Roots, split: str) -> dict[str, CropRow]:
    """Rows of the manifest by path, those of the journal over them."""
    manifest = tables.find(roots, "crops", split)
    columns = {} if manifest is None else manifest.to_pydict()
    known = {row[0]: CropRow(*row) for row in zip(*columns.values(), strict=True)}
    known.update((row.crop_path, row) for row in journal.read(roots, split))
    return known


def _why_anew(make: set[str], tree: CropTree, known: dict[str, CropRow]) -> str | None:
    """What has crops made that are there, besides a change of their image or box."""
    there = make & tree.crops.keys()
    if there and not known:
        return "no manifest says what the crops there were made from"
    now = encoder()
    prints = (row.fingerprint for path in there if (row := known.get(path)))
    before = {made_with for text in prints if text and (made_with := text.split(" ", 3)[3]) != now}
    return f"{', '.join(sorted(before))} -> {now}" if before else None


def _images(roots: Roots, make: pd.DataFrame) -> list[Image]:
    """The images to decode, by path, each with its crops."""
    images: dict[str, Image] = {}
    sources = rows(make, "orig_image_path", "image_size", "image_mtime_ns")
    boxes = rows(make, "x1", "y1", "x2", "y2")
    for (path, size, mtime_ns), box, (crop_path, fingerprint) in zip(
        sources, boxes, rows(make, "crop_path", "fingerprint"), strict=True
    ):
        image = images.get(path)
        if image is None:
            image = images[path] = Image(str(roots.df2_root / path), size, mtime_ns, [])
        image.cuts.append(Cut(crop_path, cast(Box, box), fingerprint))
    return [images[path] for path in sorted(images)]


def _with_fingerprints(groups: pd.DataFrame, files: pd.DataFrame) -> pd.DataFrame:
    stamps = files[["image_id", "image_size", "image_mtime_ns"]]
    wanted = groups.merge(stamps, on="image_id", how="left", validate="many_to_one")
    made_with = encoder()
    columns = ["image_size", "image_mtime_ns", "x1", "y1", "x2", "y2"]
    return wanted.assign(
        fingerprint=[
            f"{size} {mtime} {x1},{y1},{x2},{y2} {made_with}"
            for size, mtime, x1, y1, x2, y2 in rows(wanted, *columns)
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
    digest = hashlib.sha256(roots.crop(row.crop_path).read_bytes()).hexdigest()
    return msgspec.structs.replace(row, mtime_ns=on_disk[1]) if digest == row.sha256 else None
