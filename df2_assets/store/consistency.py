"""How a split stands: whether it is built, whole, and of one piece."""

from collections.abc import Iterable
from typing import Final

from df2_assets.dataset.tables import MADE_FROM
from df2_assets.errors import ProvenanceError
from df2_assets.store import state, tables
from df2_assets.store.layout import Roots

_TABLES: Final = tuple(asset for asset in MADE_FROM if asset != "crop_quality")
"""Those of the main path: what stands beside it need not have been made."""


def is_built(roots: Roots, split: str) -> bool:
    """Whether anything of a build of the split is there."""
    made = [roots.table(asset, split) for asset in _TABLES]
    documents = [roots.state(split), roots.sku_metadata(split), roots.image_text(split)]
    return any(path.exists() for path in made + documents)


def standing(roots: Roots, split: str, assets: Iterable[str] = _TABLES) -> list[str]:
    """What keeps the split's tables and files from belonging together; a sentence each.

    `assets` are those whose tables are looked at.
    """
    return [*_stale(roots, split, assets), *_unfinished(roots, split)]


def _stale(roots: Roots, split: str, assets: Iterable[str]) -> list[str]:
    problems = []
    for asset in assets:
        if tables.find(roots, asset, split) is None:
            there = roots.table(asset, split).exists()
            problems.append(f"the table of {asset} {'cannot be read' if there else 'is not there'}")
            continue
        try:
            tables.refuse_stale(roots, asset, split)
        except ProvenanceError as problem:
            problems.append(str(problem).rstrip("."))
    return problems


def _unfinished(roots: Roots, split: str) -> list[str]:
    recorded = state.load(roots, split)
    if not recorded.complete:
        return ["it is half-built: a build is running or was stopped, or crops are to be remade"]
    return state.mismatches(roots, split, recorded)
