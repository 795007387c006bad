"""The checks of the grouping; the blocking one comes with the asset's own step."""

from typing import Final

from df2_assets.checks.finding import Finding
from df2_assets.checks.sku_groups import counts, identity
from df2_assets.defs.checks.specs import spec, split_checks
from df2_assets.pipeline.indexing import read_files
from df2_assets.store import tables
from df2_assets.store.layout import Roots

_ASSET: Final = "sku_groups"

BLOCKING: Final = spec(
    _ASSET,
    "identity",
    "Ids are well formed and unique, each SKU has both domains, none has style 0.",
    blocking=True,
)


def find(roots: Roots, split: str) -> dict[str, Finding]:
    """How many SKUs there are, and why there are not more."""
    index = tables.frame(tables.read(roots, "raw_annotation_index", split))
    groups = tables.frame(tables.read(roots, _ASSET, split))
    files = tables.frame(read_files(roots, split))
    return {"counts": counts(split, index, groups, files)}


def find_blocking(roots: Roots, split: str) -> Finding:
    """The groups as they lie on disk."""
    return identity(split, tables.frame(tables.read(roots, _ASSET, split)))


sku_groups_checks = split_checks(
    _ASSET,
    {
        "counts": (
            "SKUs and crops by category, what was left out and why, beside the published figures."
        )
    },
    find,
)
