"""The checks of the crops; the blocking one comes with the asset's own step."""

from typing import Final

from df2_assets.checks.crops import duplicate_crops, files_match, tiny_crops
from df2_assets.checks.finding import Finding
from df2_assets.dataset.taxonomy import SPLITS
from df2_assets.defs.checks.specs import Findings, Pictures, spec, split_checks
from df2_assets.report import pictures
from df2_assets.store import crop_tree, tables
from df2_assets.store.layout import Roots

_ASSET: Final = "crops"

BLOCKING: Final = spec(
    _ASSET,
    "files_match",
    "One file for each crop that was made, as large as its box, and no other file.",
    blocking=True,
)


def find(roots: Roots, split: str) -> dict[str, Finding]:
    """What the manifests say of the crops, this split's and the others'."""
    manifest = tables.frame(tables.read(roots, _ASSET, split))
    found = {other: tables.find(roots, _ASSET, other) for other in SPLITS if other != split}
    others = {other: None if t is None else tables.frame(t) for other, t in found.items()}
    return {
        "tiny_crops": tiny_crops(manifest),
        "duplicate_crops": duplicate_crops(split, manifest, others),
    }


def show(roots: Roots, split: str, findings: Findings) -> Pictures:
    """The smallest crops, and those of equal bytes side by side."""
    tiny = findings["tiny_crops"].offenders
    same = findings["duplicate_crops"].offenders.rename(columns={"same_as": "like"})
    sides = tiny.assign(side=tiny[["width", "height"]].min(axis=1))
    return {
        "tiny_crops": pictures.worst_crops(
            roots, sides.sort_values(["side", "crop_path"]), "side", "the smallest crops"
        ),
        "duplicate_crops": pictures.pairs(roots, same, "crops beside those of the same bytes"),
    }


def find_blocking(roots: Roots, split: str) -> Finding:
    """The crops on disk beside the manifest, by name, size and time; none is opened."""
    groups = tables.frame(tables.read(roots, "sku_groups", split))
    manifest = tables.frame(tables.read(roots, _ASSET, split))
    return files_match(groups, manifest, crop_tree.scan(roots, split), {})


crops_checks = split_checks(
    _ASSET,
    {
        "tiny_crops": "No crop is too small to show a garment.",
        "duplicate_crops": "No two crops have the same bytes, also across splits.",
    },
    find,
    show,
)
