"""What a build would do to the crops of a split, without doing it, and what that would take."""

import hashlib
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from typing import Final, cast

import msgspec
import pandas as pd

from df2_assets.dataset import boxes
from df2_assets.dataset.boxes import Box
from df2_assets.dataset.cropping import encoder
from df2_assets.dataset.frames import rows
from df2_assets.dataset.reasons import UNPAIRED
from df2_assets.dataset.record import EDGES
from df2_assets.dataset.skus import CROP_PATH, paired
from df2_assets.engines.base import Engine, Lost
from df2_assets.errors import ProvenanceError, escape_untrusted
from df2_assets.pipeline.cutting import Cut, Probe, SourceImage, probe
from df2_assets.settings import Settings
from df2_assets.store import checksums, crop_tree, journal, tables
from df2_assets.store.crop_tree import CropTree
from df2_assets.store.journal import CropRow
from df2_assets.store.layout import Roots
from df2_assets.store.state import mark_incomplete

_PROBED: Final = 24
_USUAL: Final = Probe(seconds=0.0027, images=1, pixels=100_000, bytes=25_000)
"""An image of the released data and its crops, where no image of a plan could be read."""

_BYTES_PER_CROP_ELSEWHERE: Final = 1_500
"""Tables, metadata and JSONL together."""


@dataclass(frozen=True)
class CropPlan:
    """Every crop that `sku_groups` wants is kept, settled or to be made.

    `keep`: on disk as it should be. `settled`: known not to be on disk, and not tried again: it
    failed, or its SKU has lost its other domain to failures. `make`: columns of `sku_groups`, and
    `fingerprint`, `image_size`, `image_mtime_ns`; `images`: what has to be decoded for it. `tree`:
    what is on disk now; `known`: rows of the manifest and journal by path.
    `rebuild_reason` says why crops that are on disk are made again, where the reason is not their
    image or box. `taken_over`: how many of `keep` a build finished that was then stopped.
    """

    keep: list[CropRow]
    settled: list[CropRow]
    make: pd.DataFrame
    images: list[SourceImage]
    tree: CropTree
    known: dict[str, CropRow]
    rebuild_reason: str | None
    taken_over: int

    @cached_property
    def remove(self) -> list[str]:
        """Files of the project that no kept or new crop replaces."""
        wanted = {row.crop_path for row in self.keep} | set(self.make["crop_path"])
        return sorted(self.tree.crops.keys() - wanted) + self.tree.temporary

    @property
    def nothing_to_do(self) -> bool:
        return self.make.empty and not self.remove and not self.tree.empty


@dataclass(frozen=True)
class Estimate:
    """`bytes` to be written beyond those they replace, `free` on the disk, `seconds` of cutting.

    `free` is None where there is no disk to fill.
    """

    images: int
    crops: int
    bytes: int
    free: int | None
    seconds: float

    @property
    def fits(self) -> bool:
        return self.free is None or self.bytes <= self.free


def plan_crops(
    settings: Settings, split: str, groups: pd.DataFrame, files: pd.DataFrame
) -> CropPlan:
    """Compare the crops that `groups` wants with the manifest, the journal and the disk.

    `files` is the index's side table. Opens only crops whose size or time is not the recorded one.
    Raises OutputError where a link leads out of SKU_ROOT.
    """
    roots = settings.roots
    tree = crop_tree.scan(roots, split)
    journaled = journal.read(roots, split)
    known = _with_journal(roots, split, journaled)
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
        # A crop of a SKU that cannot be kept is still tried once: whether it fails must not
        # depend on which of the SKU's crops failed first.
        kept = _if_on_disk(roots, row, tree.crops.get(path)) if is_paired else row
        if kept is None:
            make.add(path)
        elif is_paired:
            keep.append(kept)
        else:
            settled.append(left_out(kept))
    to_make = possible[possible["crop_path"].isin(make)]
    _require_own_paths(split, to_make)
    rebuild_reason = _find_rebuild_reason(make, tree, known)
    finished = {row.crop_path for row in journaled}
    return CropPlan(
        keep,
        settled,
        to_make,
        _images(roots, to_make),
        tree,
        known,
        rebuild_reason,
        sum(row.crop_path in finished for row in keep),
    )


def _require_own_paths(split: str, make: pd.DataFrame) -> None:
    """Raise ProvenanceError where groups that somebody edited name other files than crops."""
    ours = make["crop_path"].str.fullmatch(f"{split}/{CROP_PATH}")
    if not ours.all():
        path = escape_untrusted(make["crop_path"][~ours].iloc[0])
        raise ProvenanceError(
            f"sku_groups of {split} names {path}, which is no crop of {split}: rerun sku_groups, "
            f"or build_dataset, for {split}."
        )


def left_out(row: CropRow) -> CropRow:
    """Return the row of a crop that is not kept because its SKU lost its other domain."""
    detail = "its SKU has no crop left of the other domain"
    return CropRow(row.crop_path, fingerprint=row.fingerprint, reason=UNPAIRED, detail=detail)


def recorded(roots: Roots, split: str) -> dict[str, CropRow]:
    """Return rows of the manifest by path; those of the journal come later and win."""
    return _with_journal(roots, split, journal.read(roots, split))


def _with_journal(roots: Roots, split: str, journaled: list[CropRow]) -> dict[str, CropRow]:
    manifest = tables.find(roots, "crops", split)
    columns = {} if manifest is None else manifest.to_pydict()
    known = {row[0]: CropRow(*row) for row in zip(*columns.values(), strict=True)}
    known.update((row.crop_path, row) for row in journaled)
    return known


def mark_damaged(roots: Roots, split: str, crop_paths: Iterable[str]) -> list[str]:
    """Have the next build make those of the crops again whose bytes are not the recorded ones.

    Returns which. They lose their fingerprint in the journal, and the split is incomplete until it
    is built. The caller holds the split for writing.
    """
    known = recorded(roots, split)
    damaged = [row for path in crop_paths if (row := known.get(path)) and _is_damaged(roots, row)]
    if damaged:
        mark_incomplete(roots, split)
        with journal.journal(roots, split) as noted:
            noted.add([msgspec.structs.replace(row, fingerprint=None) for row in damaged])
    return [row.crop_path for row in damaged]


def estimate(
    roots: Roots, plan: CropPlan, engine: Engine, images_per_second: float | None = None
) -> Estimate:
    """Return what the plan's crops would take, at a known rate or at that of a short probe."""
    images, make = plan.images, plan.make
    if not images:
        return Estimate(0, 0, 0, roots.sku.free(roots.sku_root), 0.0)
    probed = _USUAL
    with closing(engine.map(probe, [images[:: -(-len(images) // _PROBED)]])) as results:
        for _, result in results:
            if not isinstance(result, Lost) and result.images and result.pixels:
                probed = result
    rate = images_per_second or engine.workers * probed.images / max(probed.seconds, 1e-6)
    width, height = boxes.size((make["x1"], make["y1"], make["x2"], make["y2"]))
    size = int((width * height).sum() * probed.bytes / probed.pixels)
    replaced = sum(plan.tree.crops.get(path, (0, 0))[0] for path in make["crop_path"])
    return Estimate(
        len(images),
        len(make),
        max(0, size - replaced) + _BYTES_PER_CROP_ELSEWHERE * len(make),
        roots.sku.free(roots.sku_root),
        len(images) / rate,
    )


def _find_rebuild_reason(make: set[str], tree: CropTree, known: dict[str, CropRow]) -> str | None:
    """Return why crops that are on disk are made again, besides a change of image or box."""
    there = make & tree.crops.keys()
    if there and not known:
        return "no manifest says what the crops there were made from"
    now = encoder()
    prints = (row.fingerprint for path in there if (row := known.get(path)))
    before = {made_with for text in prints if text and (made_with := text.split(" ", 3)[3]) != now}
    return f"{', '.join(sorted(before))} -> {now}" if before else None


def _images(roots: Roots, make: pd.DataFrame) -> list[SourceImage]:
    """Return the images to decode, by path, each with its crops."""
    images: dict[str, SourceImage] = {}
    root = str(roots.df2_root)
    for (path, size, mtime_ns), box, (crop_path, fingerprint) in zip(
        rows(make, "orig_image_path", "image_size", "image_mtime_ns"),
        rows(make, *EDGES),
        rows(make, "crop_path", "fingerprint"),
        strict=True,
    ):
        image = images.get(path)
        if image is None:
            image = images[path] = SourceImage(f"{root}/{path}", size, mtime_ns, [])
        image.cuts.append(Cut(crop_path, cast(Box, box), fingerprint))
    return [images[path] for path in sorted(images)]


def _with_fingerprints(groups: pd.DataFrame, files: pd.DataFrame) -> pd.DataFrame:
    stamps = files[["image_id", "image_size", "image_mtime_ns"]]
    wanted = groups.merge(stamps, on="image_id", how="left", validate="many_to_one")
    made_with = encoder()
    return wanted.assign(
        fingerprint=[
            f"{size} {mtime} {x1},{y1},{x2},{y2} {made_with}"
            for size, mtime, x1, y1, x2, y2 in rows(wanted, "image_size", "image_mtime_ns", *EDGES)
        ]
    )


def _if_on_disk(
    roots: Roots, row: CropRow | None, on_disk: tuple[int, int] | None
) -> CropRow | None:
    """Return the row of a crop that need not be made: the size, and time or digest, are its own."""
    if row is None or on_disk is None or row.size != on_disk[0]:
        return None
    if row.mtime_ns == on_disk[1]:
        return row
    digest = hashlib.sha256(roots.crop(row.crop_path).read_bytes()).hexdigest()
    return msgspec.structs.replace(row, mtime_ns=on_disk[1]) if digest == row.sha256 else None


def _is_damaged(roots: Roots, row: CropRow) -> bool:
    if row.reason is not None:
        return False
    try:
        return checksums.digest(roots.crop(row.crop_path)) != row.sha256
    except OSError:
        return True
