"""Making the crop variants of a split, and removing those that are not declared any more."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from df2_assets.dataset.variants import CropVariant
from df2_assets.engines.base import Engine
from df2_assets.engines.progress import Progress
from df2_assets.pipeline.changes import Changes, count_changes, sum_changes
from df2_assets.pipeline.crops import build_crops
from df2_assets.pipeline.indexing import read_files
from df2_assets.pipeline.planning import (
    CropPlan,
    estimate,
    join_images,
    mark_incomplete,
    plan_crops,
)
from df2_assets.pipeline.scanning import scan_crops
from df2_assets.store import tables
from df2_assets.store.crop_sets import is_half_built, variant_crops
from df2_assets.store.layout import Roots
from df2_assets.store.space import require_space
from df2_assets.store.variants import count_files, list_names


@dataclass(frozen=True)
class MadeVariant:
    """A variant of a split that is up to date: its declaration, manifest, and what changed.

    `rebuild_reason` says why files were made again although their images and boxes are the same.
    `taken_over` is how many files come from a run that was stopped.
    """

    variant: CropVariant
    manifest: pa.Table
    changes: Changes
    made: list[str]
    rebuild_reason: str | None
    taken_over: int


@dataclass(frozen=True)
class MadeVariants:
    """The variants of a split, in the order of their declaration.

    `removed` has the files that were removed of each variant that is not declared any more, by
    name. Every image of `images_decoded` was decoded once.
    """

    variants: list[MadeVariant]
    removed: dict[str, list[str]]
    images_decoded: int

    @property
    def changes(self) -> Changes:
        """The changes of all files, also of variants that were removed."""
        paths = [path for paths in self.removed.values() for path in paths]
        removed = count_changes([], paths, [], 0)
        return sum_changes([*(each.changes for each in self.variants), removed])

    @property
    def digest(self) -> str:
        """A digest of what all files are."""
        digests = (f"{v.variant.name} {tables.digest(v.manifest)}\n" for v in self.variants)
        return hashlib.sha256("".join(digests).encode()).hexdigest()

    @property
    def notes(self) -> dict[str, str]:
        """Sentences about what a person may not expect, by kind."""
        reasons = (f"{v.variant.name}: {v.rebuild_reason}" for v in self.variants)
        rebuilt = [r for r, v in zip(reasons, self.variants, strict=True) if v.rebuild_reason]
        taken_over = sum(v.taken_over for v in self.variants)
        gone = [f"{name} ({len(paths):,} files)" for name, paths in self.removed.items()]
        of_stopped = f"Took over {taken_over:,} files of variants from a run that was stopped."
        notes = {
            "rebuild_reason": "; ".join(rebuilt),
            "taken_over": of_stopped if taken_over else "",
            "removed_variants": f"Not declared any more: {', '.join(gone)}" if gone else "",
        }
        return {name: note for name, note in notes.items() if note}

    @property
    def of_each(self) -> pd.DataFrame:
        """One row per variant, with its numbers."""
        counts = [(v.variant.name, *count_files(v.manifest), len(v.made)) for v in self.variants]
        return pd.DataFrame(counts, columns=["variant", "files", "failed", "bytes", "made"])


def make_variants(
    roots: Roots,
    split: str,
    declared: Sequence[CropVariant],
    groups: pd.DataFrame,
    manifest: pa.Table,
    engine: Engine,
    progress: Progress,
) -> MadeVariants:
    """Bring the declared variants up to date, write their manifests, and remove all others.

    `groups` and `manifest` are the current tables of the contract's crops, of which each that is on
    disk gets a file per variant. Raises OutputError where a file cannot be written or a link leads
    out of SKU_ROOT, DiskFullError, and what `read_files` does.
    """
    names = [variant.name for variant in declared]
    for name in {*names, *list_names(roots, split)}:
        roots.sku.require_no_links(roots.variants / name)
    others = [name for name in list_names(roots, split) if name not in names]
    removed = {
        name: paths for name in others if (paths := _remove(roots, split, name, engine)) is not None
    }
    on_disk = manifest["crop_path"].filter(pc.is_null(manifest["reason"]))
    kept = groups[groups["crop_path"].isin(on_disk.to_pylist())]
    files = tables.frame(read_files(roots, split))
    plans = [_plan(roots, split, variant, kept, files, engine) for variant in declared]
    variants: list[MadeVariant] = []
    if not plans:
        return MadeVariants(variants, removed, 0)
    require_space(roots.sku_root, estimate(roots, plans, engine).bytes, split)
    inputs = tables.digests(roots, ("sku_groups", "crops"), split)
    built_of_each = build_crops(roots, plans, kept, engine, progress)
    for variant, plan, built in zip(declared, plans, built_of_each, strict=True):
        tables.write(roots, plan.crops.table, split, built.manifest, inputs)
        more = (built.made, plan.rebuild_reason, plan.taken_over)
        variants.append(MadeVariant(variant, built.manifest, built.changes, *more))
    return MadeVariants(variants, removed, len(join_images(roots, plans)))


def _plan(
    roots: Roots,
    split: str,
    variant: CropVariant,
    kept: pd.DataFrame,
    files: pd.DataFrame,
    engine: Engine,
) -> CropPlan:
    """Return the plan of a variant; `kept` are the rows of `sku_groups` with a crop on disk."""
    crops = variant_crops(roots, split, variant.name, variant)
    stems = pa.array(kept["crop_path"].str.slice(len(split), -len(".jpg")))
    paths = pc.binary_join_element_wise(crops.folder, stems, variant.suffix, "")
    wanted = kept.assign(crop_path=pd.arrays.ArrowExtensionArray(paths))
    return plan_crops(roots, crops, wanted, files, engine, only_pairs=False)


def _remove(roots: Roots, split: str, name: str, engine: Engine) -> list[str] | None:
    """Remove the files and the manifest of a variant that is not declared; return the files.

    Returns None where there is nothing of it but folders and foreign files, which stay. A run that
    is killed here is continued by the next one.
    """
    crops = variant_crops(roots, split, name)
    tree = scan_crops(roots, crops, engine)
    manifest = roots.variant_manifest(name, split)
    has_tables = manifest.exists() or is_half_built(roots, split, crops.table)
    if not (tree.crops or tree.temporary or has_tables):
        roots.sku.remove_empty(roots.sku_root, tree.empty)
        return None
    mark_incomplete(roots, crops)
    roots.sku.remove(roots.sku_root, [*tree.crops, *tree.temporary])
    roots.sku.remove_empty(roots.sku_root, [*tree.empty, crops.folder])
    for path in (manifest, roots.lines(crops.table, split)):
        path.unlink(missing_ok=True)
    roots.sku.discard(roots.journal(split, crops.table))
    folder = roots.tables(crops.table).relative_to(roots.sku_root).as_posix()
    roots.sku.remove_empty(roots.sku_root, [folder])
    return sorted(tree.crops)
