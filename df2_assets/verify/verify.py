"""What is on disk of a split, held against the contract and the manifest; nothing is changed."""

from dataclasses import dataclass, field
from typing import Final

import pandas as pd

from df2_assets.checks.crops import files_match
from df2_assets.checks.exports import exports_on_disk
from df2_assets.checks.faults import Fault, Seen, also, listed
from df2_assets.checks.finding import Finding
from df2_assets.engines.base import Engine
from df2_assets.engines.progress import Progress, silent
from df2_assets.errors import OutputError, inert
from df2_assets.store import checksums, crop_tree, tables
from df2_assets.store.consistency import is_built, standing
from df2_assets.store.crop_tree import CropTree
from df2_assets.store.layout import Roots
from df2_assets.verify.documents import image_text, prompts, sku_metadata, unlisted
from df2_assets.verify.rereading import Reread, reread

_DAMAGED: Final = "its bytes are not those that were written, behind the same size and time"


@dataclass(frozen=True)
class Verified:
    """A split as it was found.

    `seen` is by asset and check. `damaged` are crops that only a look at all their bytes gives
    away. `notes` say what could not be looked at, and is no fault.
    """

    split: str
    deep: bool
    crops: int = 0
    standing: list[Fault] = field(default_factory=list)
    seen: dict[tuple[str, str], Seen] = field(default_factory=dict)
    damaged: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def faults(self) -> list[Fault]:
        return [*self.standing, *(fault for seen in self.seen.values() for fault in seen.faults)]


def verify(
    roots: Roots, split: str, engine: Engine | None = None, progress: Progress = silent
) -> Verified:
    """Hold all that a split consists of against the contract and the tables.

    With an engine every crop is also decoded, and its digest compared, and those of the files of
    exports. What is wrong is a fault, not an exception.
    """
    deep = engine is not None
    if not is_built(roots, split):
        return Verified(split, deep, standing=[Fault("state", "it has not been built")])
    faults = [Fault("state", what) for what in standing(roots, split)]
    listing, current = checksums.read(roots, split), checksums.current(roots, split)
    if unlisted(roots, split, listing, current):
        own = roots.checksums(split).relative_to(roots.sku_root).as_posix()
        faults.append(Fault("state", "it does not list the files of the split", path=own))
    files, crops, damaged = _crops(roots, split, engine, progress)
    missing = {fault.path for fault in files.faults if fault.path}
    metadata, notes = sku_metadata(roots, split, listing, current, missing)
    seen = {
        ("crops", "files_match"): files,
        ("sku_metadata", "contract"): metadata,
        ("image_text", "matches_metadata"): image_text(roots, split, listing, current),
        ("image_text", "prompt_coverage"): prompts(roots, split),
        **exports_on_disk(roots, split, deep=deep),
    }
    return Verified(split, deep, crops, faults, seen, damaged, notes)


def _crops(
    roots: Roots, split: str, engine: Engine | None, progress: Progress
) -> tuple[Seen, int, list[str]]:
    """The crops on disk, how many the manifest has, and those that only their bytes give away."""
    check = "crops: files_match"
    groups, manifest = (tables.find(roots, asset, split) for asset in ("sku_groups", "crops"))
    try:
        tree = crop_tree.scan(roots, split)
    except OutputError as problem:
        fault = Fault(check, str(problem), "you")
        return Seen(Finding(False, "error", 0, str(problem)), [fault]), 0, []
    if groups is None or manifest is None:
        summary = f"There is no manifest to hold the crops of {split} against: build again."
        return Seen(Finding(False, "error", len(tree.crops), summary)), 0, []
    rows = tables.frame(manifest)
    made = rows[rows["reason"].isna()]
    there = [path for path in made["crop_path"] if path in tree.crops]
    read = {} if engine is None else reread(str(roots.sku_root), there, engine, progress)
    sizes = {path: one.size for path, one in read.items()}
    finding = files_match(tables.frame(groups), rows, tree, sizes)
    damaged = _damaged(made, tree, read)
    known = set(finding.offenders["crop_path"])
    finding = also(finding, split, [path for path in damaged if path not in known], _DAMAGED)
    foreign = (inert(path, 1000) for path in tree.foreign)
    return Seen(finding, listed(check, finding.offenders, foreign)), len(made), damaged


def _damaged(made: pd.DataFrame, tree: CropTree, read: dict[str, Reread]) -> list[str]:
    """Crops with the recorded size and time, and other bytes than the recorded ones."""
    columns = ["crop_path", "size", "mtime_ns", "sha256"]
    return [
        path
        for path, size, mtime_ns, sha256 in made[columns].itertuples(index=False)
        if path in read and tree.crops[path] == (size, mtime_ns) and read[path].sha256 != sha256
    ]
