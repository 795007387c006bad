"""The checks of refusals: whether more is refused than allowed, in the index and in the crops."""

from typing import Final

import pandas as pd

from df2_assets.checks.finding import ITEM, Finding, number_of
from df2_assets.dataset.frames import TEXT
from df2_assets.dataset.reasons import MEANINGS, responsible_file
from df2_assets.dataset.skus import refused_crops, refused_in_index

_FEW: Final = 2
"""So many refusals are always allowed, so that a small data set does not fail because of one."""


def refusals_within_limit(
    split: str, index: pd.DataFrame, files: pd.DataFrame, max_refused: float
) -> Finding:
    """Compare refused images with annotated ones, and refused items with readable ones.

    Of each kind a share of `max_refused` is allowed, and two in any case. More is an error.
    """
    return _judge(split, _refused_in_index(index), index, files, max_refused)


def all_refusals_within_limit(
    split: str,
    index: pd.DataFrame,
    files: pd.DataFrame,
    groups: pd.DataFrame,
    manifest: pd.DataFrame,
    max_refused: float,
) -> Finding:
    """Do the same as `refusals_within_limit` for everything refused while reading or cutting.

    While cutting, whole images are refused, with all the crops to be made from them.
    """
    crops = refused_crops(split, groups, manifest).assign(kind="image")
    crops = crops.astype({"kind": TEXT})
    refused = pd.concat([_refused_in_index(index), crops]).sort_values(
        ["image_id", "item_idx"], na_position="first", kind="stable", ignore_index=True
    )
    return _judge(split, refused, index, files, max_refused, crops=len(crops))


def _refused_in_index(index: pd.DataFrame) -> pd.DataFrame:
    """Return the refusals of an index with their `kind`: `image` (all of it) or `item`."""
    refused = refused_in_index(index)
    whole = index["source"].loc[refused.index].isna()
    kinds = whole.map({True: "image", False: "item"}).astype(TEXT)
    return refused.assign(kind=kinds)


def _judge(
    split: str,
    refused: pd.DataFrame,
    index: pd.DataFrame,
    files: pd.DataFrame,
    max_refused: float,
    crops: int | None = None,
) -> Finding:
    """Return the finding on refusals (columns of `refusals`, and `kind`).

    `crops` is how many of them are crops; None if only the index is judged.
    """
    counts = {kind: _count(refused[refused["kind"] == kind], kind) for kind in ("image", "item")}
    totals = {
        "image": int(files["anno_size"].notna().sum()),
        "item": int(index["source"].notna().sum()),
    }
    beyond = [kind for kind in counts if counts[kind] > max(_FEW, max_refused * totals[kind])]
    numbers: dict[str, int | float] = {}
    for kind, total in totals.items():
        numbers[f"refused_{kind}s"] = counts[kind]
        numbers[f"refused_{kind}s_share"] = counts[kind] / total if total else 0.0
    shares = [f"{counts[kind]:,} of {number_of(total, kind)}" for kind, total in totals.items()]
    summary = (
        f"Refused: {' and '.join(shares)}; allowed are {100 * max_refused:g}% of each, or {_FEW}."
    )
    if crops is not None:
        numbers["refused_crops"] = crops
        if crops:
            summary += f" {number_of(crops, 'crop')} could not be cut."
    if beyond:
        summary += (
            f" Too many {' and '.join(f'{kind}s' for kind in beyond)} of {split}: repair the files "
            "that are listed, or allow more with DF2_MAX_REFUSED."
        )
    elif len(refused):
        summary += " Repair the files that are listed and build again."
    columns = [*ITEM, "reason", "detail"]
    offenders = refused[columns].assign(
        file=[
            responsible_file(split, image_id, reason)
            for image_id, reason in zip(refused["image_id"], refused["reason"], strict=True)
        ]
    )
    return Finding(
        refused.empty,
        "error" if beyond else "warn",
        totals["image"],
        summary,
        offenders,
        numbers,
        {"by reason": _by_reason(refused)} if len(refused) else {},
    )


def _count(refused: pd.DataFrame, kind: str) -> int:
    """Return how many images or items are refused; an image can have several rows, one per crop."""
    return refused["image_id"].nunique() if kind == "image" else len(refused)


def _by_reason(refused: pd.DataFrame) -> pd.DataFrame:
    """Return refused files and items by reason, in the order of `Reason`."""
    rows = []
    for reason, meaning in MEANINGS.items():
        of_reason = refused[refused["reason"] == reason.value]
        if len(of_reason):
            is_image = of_reason["kind"] == "image"
            files, items = _count(of_reason[is_image], "image"), int((~is_image).sum())
            rows.append((reason.value, files, items, meaning))
    return pd.DataFrame(rows, columns=["reason", "files", "items", "meaning"])
