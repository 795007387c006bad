"""The manifests of crop variants: which variants a split has, and what was made for each."""

import pyarrow as pa

from df2_assets.errors import MissingTableError, ProvenanceError
from df2_assets.store import tables
from df2_assets.store.layout import CROP_VARIANTS, Roots


def list_variants(roots: Roots, split: str) -> list[str]:
    """Return the names of the crop variants of a split that are on disk, sorted.

    They may be out of date: `read_variant` requires that they are not.
    """
    folder = roots.tables(CROP_VARIANTS)
    names = (name.partition("/") for name, _ in roots.sku.walk(folder))
    return sorted(name for name, _, file in names if file == f"{split}.parquet")


def read_variant(roots: Roots, split: str, name: str) -> pa.Table:
    """Return the manifest of a crop variant: columns of `crop_variants`, sorted by `crop_path`.

    A row without `reason` has a file. Raises MissingTableError where the variant was not made, and
    ProvenanceError where it was made from other crops than the current ones.
    """
    command = f"run df2-assets variants --split {split}"
    table = tables.find(roots, f"{CROP_VARIANTS}/{name}", split)
    if table is None:
        others = list_variants(roots, split)
        has = f"it has {', '.join(others)}" if others else "it has no crop variant"
        raise MissingTableError(
            f"{split} under {roots.sku_root} has no crop variant {name!r} ({has}): declare it in "
            f"the file of DF2_VARIANTS, and {command}"
        )
    try:
        tables.require_current(roots, f"{CROP_VARIANTS}/{name}", split)
    except ProvenanceError:
        raise ProvenanceError(
            f"The crop variant {name} of {split} was made from other crops than the current ones: "
            f"{command}"
        ) from None
    return table
