"""The check of the metadata file."""

from typing import Final

from df2_assets.checks.finding import Finding
from df2_assets.checks.sku_metadata import contract
from df2_assets.defs.checks.specs import split_checks
from df2_assets.store.layout import Roots

_ASSET: Final = "sku_metadata"


def find(roots: Roots, split: str) -> dict[str, Finding]:
    """Holds the file on disk against the contract."""
    return {"contract": contract(roots, split)}


sku_metadata_checks = split_checks(
    _ASSET,
    {"contract": "Read anew from disk: schema, counts, both domains, order, a file at each path."},
    find,
)
