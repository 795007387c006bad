"""The checks of labels: whether they are those of the crops, and how many shapes are refused."""

from typing import Final

import pandas as pd

from df2_assets.checks.finding import Finding, crop_rows, number_of, offending_rows
from df2_assets.dataset.frames import rows
from df2_assets.dataset.masks import decode_mask
from df2_assets.dataset.shapes import SHAPE_MEANINGS

_FEW: Final = 2
"""So many crops may always lack a shape, as with refusals."""

_DECODED: Final = 1_000
"""How many masks are decoded, evenly spread over the table."""

_NO_ROW: Final = "labels has no row for it"
_NO_CROP: Final = "the manifest does not list it"
_WRONG_NUMBERS: Final = "area or overlap is impossible for the size of the crop"
_WRONG_MASK: Final = "the mask does not have the size of the crop, or its area"


def labels_match(manifest: pd.DataFrame, labels: pd.DataFrame) -> Finding:
    """Check for one row per crop on disk, whose numbers and mask fit the size of the crop.

    Masks are decoded of at most 1,000 crops, evenly spread.
    """
    made = manifest[manifest["reason"].isna()][["crop_path", "width", "height"]]
    both = labels.merge(made, "outer", "crop_path", indicator=True)
    pixels = both["width"] * both["height"]
    share = (both["box_share"] - both["area"] / pixels).abs()
    masked = both[both["mask"].notna() & (both["_merge"] == "both")]
    decoded = masked.iloc[:: max(1, -(-len(masked) // _DECODED))]
    columns = ("mask", "width", "height", "area")
    is_wrong = [not _fits(*values) for values in rows(decoded, *columns)]
    wrong = decoded["crop_path"][is_wrong]
    offenders = offending_rows(
        both,
        {
            _NO_ROW: both["_merge"] == "right_only",
            _NO_CROP: both["_merge"] == "left_only",
            _WRONG_NUMBERS: (both["area"] > pixels) | (share > 1e-6) | (both["overlap"] > 1),
            _WRONG_MASK: both["crop_path"].isin(wrong),
        },
        ["crop_path"],
    )
    summary = f"{number_of(len(made), 'crop')} on disk, {number_of(len(labels), 'row')} of labels"
    if len(offenders):
        counts = offenders["what"].value_counts(sort=False)
        problems = "; ".join(f"{count:,}: {what}" for what, count in counts.items())
        summary += f"; {problems}. Run df2-assets labels"
    else:
        summary += f": one for each; {number_of(len(decoded), 'mask')} decoded."
    return Finding(
        offenders.empty,
        "error",
        len(made),
        summary,
        crop_rows(offenders["crop_path"]).assign(what=offenders["what"]),
        {"crops": len(made), "rows": len(labels)},
    )


def refused_shapes(labels: pd.DataFrame, max_refused: float) -> Finding:
    """Compare the crops with a refused mask or refused landmarks with all crops."""
    refused = labels[labels["reason"].notna()]
    counts = {name: int(refused[name].isna().sum()) for name in ("mask", "landmarks")}
    allowed = max(_FEW, max_refused * len(labels))
    summary = (
        f"{len(refused):,} of {number_of(len(labels), 'crop')} lack a shape: {counts['mask']:,} "
        f"have no mask, {counts['landmarks']:,} no landmarks; allowed are {100 * max_refused:g}%, "
        f"or {_FEW}."
    )
    if len(refused) > allowed:
        summary += " Repair the annotations that are listed, or allow more with DF2_MAX_REFUSED."
    by_reason = [
        (reason.value, int(count), meaning)
        for reason, meaning in SHAPE_MEANINGS.items()
        if (count := (refused["reason"] == reason.value).sum())
    ]
    shown = pd.DataFrame(by_reason, columns=["reason", "crops", "meaning"])
    return Finding(
        len(refused) <= allowed,
        "warn",
        len(labels),
        summary,
        crop_rows(refused["crop_path"]).assign(
            reason=refused["reason"].tolist(), detail=refused["detail"].tolist()
        ),
        {
            "refused_shapes": len(refused),
            **{f"refused_{name}": count for name, count in counts.items()},
        },
        {"by reason": shown} if by_reason else {},
    )


def _fits(mask: str, width: int, height: int, area: int) -> bool:
    """Return whether run lengths are a mask of this size with this area."""
    try:
        return int(decode_mask(mask, width, height).sum()) == area
    except (ValueError, UnicodeEncodeError):
        return False
