"""The checks of the source."""

from typing import Final

from df2_assets.checks.deepfashion2 import layout
from df2_assets.checks.finding import Finding
from df2_assets.defs.checks.specs import split_checks
from df2_assets.store.layout import Roots

_ASSET: Final = "deepfashion2"


def find(roots: Roots, split: str) -> dict[str, Finding]:
    """Counts names only; opens nothing."""
    return {"layout": layout(roots, split)}


deepfashion2_checks = split_checks(
    _ASSET,
    {
        "layout": (
            "Folders and names are as unpacked; images and annotations beside the released ones."
        )
    },
    find,
)
