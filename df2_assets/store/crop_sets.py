"""Sets of crops: files that are cut from the images of a split, with a manifest and a journal.

The crops of the contract are one set, those of the retrieval benchmark are another, and so is each
crop variant of a split. All sets are planned, cut, recorded, checked and removed by the same code.
Worker processes import this module.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec

from df2_assets.store.layout import BENCHMARK_CROPS, CROP_VARIANTS, Roots

if TYPE_CHECKING:
    from df2_assets.dataset.variants import CropVariant

CROPS: Final = "crops"
"""The table of the contract's crops."""

DECLARATION: Final = b"variant"
"""The metadata of a manifest that has the declaration of its variant. It counts as content."""


class CropRow(msgspec.Struct, array_like=True, gc=False):
    """A row of a manifest, in the order of its columns, without `sku_uid`.

    `crop_path` is the path of the file, relative to SKU_ROOT.
    """

    crop_path: str
    size: int | None = None
    mtime_ns: int | None = None
    sha256: str | None = None
    width: int | None = None
    height: int | None = None
    fingerprint: str | None = None
    reason: str | None = None
    detail: str | None = None


class VariantRow(CropRow, array_like=True, gc=False):
    """A row of the manifest of a crop variant: also the box that was cut, and the affine map."""

    x1: int | None = None
    y1: int | None = None
    x2: int | None = None
    y2: int | None = None
    scale_x: float | None = None
    scale_y: float | None = None
    shift_x: float | None = None
    shift_y: float | None = None


@dataclass(frozen=True)
class CropSet:
    """A set of crops of a split.

    `table` is the name of its manifest. `folder` holds its folders `catalog` and `query`, relative
    to SKU_ROOT. `suffix` is a pattern of the ends of its files' names. `variant` says how its crops
    are rendered; without it they are rendered as the contract's.
    """

    table: str
    split: str
    folder: str
    suffix: str = r"\.jpg"
    variant: "CropVariant | None" = None

    @property
    def is_contract(self) -> bool:
        """Whether these are the crops of the contract."""
        return self.table == CROPS

    @property
    def row(self) -> type[CropRow]:
        """The type of a row of its manifest."""
        return VariantRow if self.table.startswith(f"{CROP_VARIANTS}/") else CropRow


def contract_crops(split: str) -> CropSet:
    """Return the set of the contract's crops of a split."""
    return CropSet(CROPS, split, split)


def variant_crops(
    roots: Roots, split: str, name: str, variant: "CropVariant | None" = None
) -> CropSet:
    """Return the set of a crop variant of a split.

    Without `variant` its crops can be listed and removed, but not made. A name with the ending of
    any format belongs to it, since its format may change.
    """
    folder = roots.variant(name, split).relative_to(roots.sku_root).as_posix()
    return CropSet(f"{CROP_VARIANTS}/{name}", split, folder, r"\.(?:jpg|png|webp)", variant)


def benchmark_crops(roots: Roots, split: str) -> CropSet:
    """Return the set of the crops that the benchmark of a split has beyond the contract's."""
    folder = roots.benchmark_crops(split).relative_to(roots.sku_root).as_posix()
    return CropSet(BENCHMARK_CROPS, split, folder)


def crops_at(roots: Roots, split: str, path: str) -> CropSet:
    """Return the set of a split that a file belongs to, by its path relative to SKU_ROOT."""
    file = roots.sku_root / path
    if file.is_relative_to(roots.variants):
        return variant_crops(roots, split, file.parts[len(roots.variants.parts)])
    is_of_benchmark = file.is_relative_to(roots.benchmark)
    return benchmark_crops(roots, split) if is_of_benchmark else contract_crops(split)


def is_half_built(roots: Roots, split: str, table: str) -> bool:
    """Return whether a run is making or removing the set of a manifest, or was stopped there."""
    path = roots.journal(split, table)
    return path.exists() or path.is_dir()  # in an object store, a journal has several parts
