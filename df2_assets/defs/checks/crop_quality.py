"""The checks of what crops look like: of the pictures themselves, and of labels they belie."""

from typing import Final

from df2_assets.checks import crop_quality as inspection
from df2_assets.checks.finding import Finding
from df2_assets.checks.label_outliers import unlike_crops
from df2_assets.checks.looks import find_looks, read_looks
from df2_assets.dataset.taxonomy import SPLITS
from df2_assets.defs.checks.specs import Findings, Pictures, split_checks
from df2_assets.report import pictures
from df2_assets.store import tables
from df2_assets.store.layout import Roots

_ASSET: Final = "crop_quality"


def find(roots: Roots, split: str) -> dict[str, Finding]:
    """What the measures say, of this split and beside the others."""
    crops = read_looks(roots, split)
    others = {other: find_looks(roots, other) for other in SPLITS if other != split}
    alike = inspection.pairs_alike(split, crops, others)
    not_compared = [other for other, looks in others.items() if looks is None]
    groups = tables.frame(tables.read(roots, "sku_groups", split))
    return {
        "dark_crops": inspection.dark_crops(crops),
        "blank_crops": inspection.blank_crops(crops),
        "near_duplicate_crops": inspection.near_duplicate_crops(crops, alike, not_compared),
        "image_in_two_skus": inspection.image_in_two_skus(crops, alike),
        "unlike_crops": unlike_crops(crops, groups),
    }


def show(roots: Roots, split: str, findings: Findings) -> Pictures:
    """The worst of each, and what they are like or unlike beside them."""
    named = {check: finding.offenders for check, finding in findings.items()}
    unlike = named["unlike_crops"]
    made = tables.frame(tables.read(roots, _ASSET, split))["crop_path"].tolist()
    return {
        "dark_crops": pictures.worst_crops(
            roots, named["dark_crops"], "brightness", "the darkest crops"
        ),
        "blank_crops": pictures.worst_crops(
            roots, named["blank_crops"], "contrast", "the blankest crops"
        ),
        "near_duplicate_crops": pictures.pairs(
            roots, named["near_duplicate_crops"], "crops beside those they are like"
        ),
        "image_in_two_skus": pictures.pairs(
            roots, named["image_in_two_skus"], "one picture as a crop of two SKUs"
        ),
        "unlike_crops": pictures.skus_side_by_side(
            roots, unlike, made, "SKUs with crops that look unlike the others"
        ),
    }


crop_quality_checks = split_checks(
    _ASSET,
    {
        "dark_crops": "No crop is so dark that hardly anything is to be seen.",
        "blank_crops": "No crop is of one colour.",
        "near_duplicate_crops": "No crop shows the picture of another, of any SKU or split.",
        "image_in_two_skus": "No picture is a crop of two SKUs of a split.",
        "unlike_crops": "The crops of a SKU look like those of one garment.",
    },
    find,
    show,
)
