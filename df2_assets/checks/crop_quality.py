"""Whether crops can be seen, and whether the same picture is there more than once."""

from collections.abc import Mapping

import pandas as pd

from df2_assets.checks.finding import Finding
from df2_assets.checks.leakage import ACROSS_SKUS, ACROSS_SPLITS, WITHIN_SKU, near_duplicates
from df2_assets.checks.looks import BLANK, DARK
from df2_assets.checks.offenders import number_of

_CROP = ["split", "sku_id", "image_id", "item_idx", "crop_path"]


def dark_crops(crops: pd.DataFrame) -> Finding:
    """Crops whose mean luma is under 25 of 255."""
    return _beyond(crops, "dark", "brightness", f"mean luma under {DARK:g} of 255")


def blank_crops(crops: pd.DataFrame) -> Finding:
    """Crops of one colour: the standard deviation of their luma is under 5 of 255."""
    return _beyond(crops, "blank", "contrast", f"hardly more than one colour (under {BLANK:g})")


def pairs_alike(
    split: str, crops: pd.DataFrame, others: Mapping[str, pd.DataFrame | None]
) -> pd.DataFrame:
    """The near duplicates of a split: its crops among each other and with those of `others`.

    Columns of a crop of the split, `like` (the path of the other), `like_sku`, `kind`, `exact`,
    and `what`, in words. A pair within the split is two rows, one for each of its crops.
    """
    parts = [crops, *(frame for frame in others.values() if frame is not None)]
    everything = pd.concat(parts, ignore_index=True)
    pairs = near_duplicates(everything)
    both = pd.concat(
        [pairs, pairs.rename(columns={"one": "other", "other": "one"})], ignore_index=True
    )
    both = both[both["one"] < len(crops)]
    mine = everything.iloc[both["one"].to_numpy()][_CROP].reset_index(drop=True)
    theirs = everything.iloc[both["other"].to_numpy()].reset_index(drop=True)
    found = mine.assign(
        like=theirs["crop_path"],
        like_sku=theirs["sku_id"],
        kind=both["kind"].to_numpy(),
        exact=both["exact"].to_numpy(),
    )
    words = {WITHIN_SKU: "like another crop of its SKU", ACROSS_SKUS: "like a crop of another SKU"}
    found["what"] = found["kind"].map(words).fillna("like a crop of " + theirs["split"])
    return found.sort_values(["kind", "crop_path", "like"], ignore_index=True)


def near_duplicate_crops(
    crops: pd.DataFrame, alike: pd.DataFrame, not_compared: list[str]
) -> Finding:
    """Crops that show the picture of another, in other bytes: `alike` is of `pairs_alike`.

    Those with equal bytes are for `duplicate_crops`.
    """
    near = alike[~alike["exact"].astype(bool)].drop_duplicates(["crop_path", "what"])
    counts = {kind: int((near["kind"] == kind).sum()) for kind in _KINDS}
    summary = (
        f"{number_of(len(crops), 'crop')}: "
        + ", ".join(f"{count:,} like another {kind}" for kind, count in counts.items())
        + "."
    )
    if not_compared:
        summary += f" Not compared with {' and '.join(not_compared)}: not measured yet."
    if counts[ACROSS_SPLITS]:
        summary += " A picture in two splits leaks from one into the other: leave one out."
    return Finding(
        near.empty,
        "warn",
        len(crops),
        summary,
        near[[*_CROP, "like", "what"]].reset_index(drop=True),
        {f"near_duplicates_{kind.replace(' ', '_')}": count for kind, count in counts.items()},
    )


def image_in_two_skus(crops: pd.DataFrame, alike: pd.DataFrame) -> Finding:
    """Crops whose picture, in equal or other bytes, is a crop of another SKU of the split too."""
    shared = alike[alike["kind"] == ACROSS_SKUS].drop_duplicates("crop_path")
    skus = shared["sku_id"].nunique()
    summary = f"{number_of(len(crops), 'crop')}: no picture is a crop of two SKUs."
    if skus:
        summary = (
            f"{number_of(len(crops), 'crop')}: {len(shared):,} of {number_of(skus, 'SKU')} show a "
            "picture that another SKU has too. One garment under two ids teaches that it differs "
            "from itself."
        )
    return Finding(
        shared.empty,
        "warn",
        len(crops),
        summary,
        shared[[*_CROP, "like", "like_sku"]].assign(what="its picture is in two SKUs"),
        {"crops_in_two_skus": len(shared), "skus_sharing": skus},
    )


_KINDS = (WITHIN_SKU, ACROSS_SKUS, ACROSS_SPLITS)


def _beyond(crops: pd.DataFrame, flag: str, value: str, what: str) -> Finding:
    """Crops with a flag, the worst first."""
    rows = crops[crops[flag]].sort_values([value, "crop_path"])
    found = rows[[*_CROP, value]].assign(what=what).reset_index(drop=True)
    summary = f"{len(found):,} of {number_of(len(crops), 'crop')}: {what}."
    numbers: dict[str, int | float] = {flag: len(found)}
    if len(crops):
        numbers[f"median_{value}"] = float(crops[value].median())
    return Finding(found.empty, "warn", len(crops), summary, found, numbers)
