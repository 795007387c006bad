"""The manifests of crop variants: which variants a split has, and what was made for each."""

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from df2_assets.dataset.variants import CropVariant
from df2_assets.errors import IncompleteSplitError, MissingTableError, ProvenanceError
from df2_assets.store import tables
from df2_assets.store.crop_sets import DECLARATION, is_half_built
from df2_assets.store.layout import CROP_VARIANTS, Roots


def describe_variant(variant: CropVariant) -> dict[bytes, bytes]:
    """Return the metadata of the manifest of a variant."""
    return {DECLARATION: msgspec.json.encode(variant)}


def declared_in(manifest: pa.Table) -> CropVariant:
    """Return the declaration that a manifest was made with."""
    return msgspec.json.decode(manifest.schema.metadata[DECLARATION], type=CropVariant)


def count_files(manifest: pa.Table) -> tuple[int, int, int]:
    """Return the number of files, of rows without a file, and of bytes of a variant."""
    failed = manifest.num_rows - manifest["reason"].null_count
    return manifest["reason"].null_count, failed, pc.sum(manifest["size"]).as_py() or 0


def list_variants(roots: Roots, split: str) -> list[str]:
    """Return the names of the crop variants of a split that are on disk, sorted.

    They may be out of date: `read_variant` requires that they are not.
    """
    folder = roots.tables(CROP_VARIANTS)
    names = (name.partition("/") for name, _ in roots.sku.walk(folder))
    return sorted(name for name, _, file in names if file == f"{split}.parquet")


def list_names(roots: Roots, split: str) -> list[str]:
    """Return the names under which a split has anything of a variant on disk, sorted.

    What a stopped run or a removed declaration has left is among them.
    """
    tables_of = (name.partition("/") for name, _ in roots.sku.walk(roots.tables(CROP_VARIANTS)))
    names = {name for name, _, file in tables_of if file.startswith(f"{split}.")}
    folders = roots.sku.folders(roots.variants)
    return sorted(names.union(name for name in folders if roots.variant(name, split).is_dir()))


def read_variant(roots: Roots, split: str, name: str) -> pa.Table:
    """Return the manifest of a crop variant: columns of `crop_variants`, sorted by `crop_path`.

    A row without `reason` has a file. Raises MissingTableError where the variant was not made,
    IncompleteSplitError where it is half-built, and ProvenanceError where it was made from other
    crops than the current ones.
    """
    command = f"run df2-assets variants --split {split}"
    asset = f"{CROP_VARIANTS}/{name}"
    table = tables.find(roots, asset, split)
    if table is None:
        others = list_variants(roots, split)
        has = f"it has {', '.join(others)}" if others else "it has no crop variant"
        raise MissingTableError(
            f"{split} under {roots.sku_root} has no crop variant {name!r} ({has}): declare it in "
            f"the file of DF2_VARIANTS, and {command}"
        )
    if is_half_built(roots, split, asset):
        raise IncompleteSplitError(
            f"The crop variant {name} of {split} is half-built: when no run is making it, {command}"
        )
    try:
        tables.require_current(roots, asset, split)
    except ProvenanceError:
        raise ProvenanceError(
            f"The crop variant {name} of {split} was made from other crops than the current ones: "
            f"{command}"
        ) from None
    return table
