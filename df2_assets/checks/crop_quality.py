"""The checks of crop quality: crops that show nothing, and pictures that occur more than once."""

from collections.abc import Mapping
from itertools import combinations, pairwise
from typing import Final

import numpy as np
import pandas as pd

from df2_assets.checks.crops import TINY
from df2_assets.checks.finding import CROP, Finding, number_of
from df2_assets.checks.likeness import Floats, find_same_pictures
from df2_assets.errors import MissingTableError, ProvenanceError
from df2_assets.store import tables
from df2_assets.store.layout import Roots

DARK: Final = 25.0
"""Mean luma below which hardly anything is visible; black clothes in a room have 40 and more."""

BLANK: Final = 5.0
"""Standard deviation of luma below which a crop is of one colour, apart from noise."""

WITHIN_SKU: Final = "within a SKU"
ACROSS_SKUS: Final = "across SKUs"
ACROSS_SPLITS: Final = "across splits"

BITS: Final = 4
"""In how many bits the perceptual hashes of the same picture may differ."""

_SHADES: Final = 4.0
"""Mean difference between the channels of two tiny pictures, of 255, up to which they are equal."""

_BANDS: Final = 6
_CROWD: Final = 64
"""If more crops than this share two bands, each is only compared with as many that follow it."""

_CHUNK: Final = 100_000

_PATH: Final = (
    r"^(?P<split>[^/]+)/(?P<domain>[^/]+)/(?P<sku_id>[^/]+)/(?P<image_id>\d+)_item(?P<item_idx>\d+)"
)
"""The path of a crop, which the manifest has from `sku_groups`."""
_IN_PATH: Final = ["split", "domain", "sku_id", "image_id", "item_idx"]

Ints = np.ndarray[tuple[int], np.dtype[np.int64]]
Words = np.ndarray[tuple[int], np.dtype[np.uint64]]


def looks(quality: pd.DataFrame, manifest: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of `crop_quality` with width, height, domain and the columns of `CROP`.

    A crop is tiny (`tiny_crops` reports it), else `dark`, else `blank`, or none of these, so that
    one problem is reported once. Only the last are `comparable`: the hash and the colours of the
    others say nothing about what they show.
    """
    sizes = manifest[["crop_path", "width", "height"]]
    rows = quality.merge(sizes, on="crop_path", how="left")
    rows[_IN_PATH] = rows["crop_path"].str.extract(_PATH)
    rows["item_idx"] = rows["item_idx"].astype("Int32")
    small = (rows[["width", "height"]].min(axis=1) < TINY).astype(bool)
    rows["dark"] = (rows["brightness"] < DARK).astype(bool) & ~small
    rows["blank"] = (rows["contrast"] < BLANK).astype(bool) & ~small & ~rows["dark"]
    rows["comparable"] = ~(rows["dark"] | rows["blank"] | small)
    return rows


def read_looks(roots: Roots, split: str) -> pd.DataFrame:
    """Return `looks` for the tables of a split. Raises MissingTableError or ProvenanceError."""
    quality = tables.read(roots, "crop_quality", split)
    return looks(tables.frame(quality), tables.frame(tables.read(roots, "crops", split)))


def find_looks(roots: Roots, split: str) -> pd.DataFrame | None:
    """Return `read_looks`; None if the crops on disk have not been measured."""
    try:
        return read_looks(roots, split)
    except (MissingTableError, ProvenanceError):
        return None


def dark_crops(crops: pd.DataFrame) -> Finding:
    """Find crops whose mean luma is under 25 of 255."""
    return _flagged(crops, "dark", "brightness", f"mean luma under {DARK:g} of 255")


def blank_crops(crops: pd.DataFrame) -> Finding:
    """Find crops of one colour: the standard deviation of their luma is under 5."""
    return _flagged(crops, "blank", "contrast", f"hardly more than one colour (under {BLANK:g})")


def _flagged(crops: pd.DataFrame, flag: str, value: str, what: str) -> Finding:
    """Find crops with a flag, those with the lowest value first."""
    rows = crops[crops[flag]].sort_values([value, "crop_path"])
    offenders = rows[[*CROP, value]].assign(what=what).reset_index(drop=True)
    summary = f"{len(offenders):,} of {number_of(len(crops), 'crop')}: {what}."
    numbers: dict[str, int | float] = {flag: len(offenders)}
    if len(crops):
        numbers[f"median_{value}"] = float(crops[value].median())
    return Finding(offenders.empty, "warn", len(crops), summary, offenders, numbers)


def pairs_alike(
    split: str,
    crops: pd.DataFrame,
    others: Mapping[str, pd.DataFrame | None],
    vectors: Floats | None = None,
) -> pd.DataFrame:
    """Return the crops of a split that look like another of its crops, or one of `others`.

    Columns: `CROP`, `like` (the path of the other crop), `like_sku_uid`, `kind`, `exact`, and
    `what`, which says it in words. A pair within the split yields two rows, one per crop. `vectors`
    are those of the crops and of the others, as `near_duplicates` takes them.
    """
    everything = pd.concat(
        [crops, *(frame for frame in others.values() if frame is not None)], ignore_index=True
    )
    pairs = near_duplicates(everything, vectors)
    reversed_pairs = pairs.rename(columns={"first": "second", "second": "first"})
    both = pd.concat([pairs, reversed_pairs], ignore_index=True)
    both = both[both["first"] < len(crops)]
    rows = everything.iloc[both["first"].to_numpy()][CROP].reset_index(drop=True)
    counterparts = everything.iloc[both["second"].to_numpy()].reset_index(drop=True)
    alike = rows.assign(
        like=counterparts["crop_path"],
        like_sku_uid=counterparts["sku_uid"],
        kind=both["kind"].to_numpy(),
        exact=both["exact"].to_numpy(),
    )
    words = {WITHIN_SKU: "like another crop of its SKU", ACROSS_SKUS: "like a crop of another SKU"}
    alike["what"] = alike["kind"].map(words).fillna("like a crop of " + counterparts["split"])
    return alike.sort_values(["kind", "crop_path", "like"], ignore_index=True)


def near_duplicate_crops(
    crops: pd.DataFrame, alike: pd.DataFrame, not_compared: list[str]
) -> Finding:
    """Find crops that show the same picture as another in different bytes.

    `alike` is what `pairs_alike` returns. `duplicate_crops` reports crops with equal bytes. While
    another split is `not_compared`, the number across splits is reported only if it is not 0.
    """
    near = alike[~alike["exact"].astype(bool)].drop_duplicates(["crop_path", "what"])
    kinds = (WITHIN_SKU, ACROSS_SKUS, ACROSS_SPLITS)
    counts = {kind: int((near["kind"] == kind).sum()) for kind in kinds}
    known = {
        kind: count
        for kind, count in counts.items()
        if count or kind != ACROSS_SPLITS or not not_compared
    }
    listed = ", ".join(f"{count:,} like another {kind}" for kind, count in known.items())
    summary = f"{number_of(len(crops), 'crop')}: {listed}."
    if not_compared:
        summary += f" Not compared with {' and '.join(not_compared)}: no crops measured there yet."
    if counts[ACROSS_SPLITS]:
        summary += " A picture in two splits leaks from one into the other: exclude one of them."
    return Finding(
        near.empty,
        "warn",
        len(crops),
        summary,
        near[[*CROP, "like", "what"]].reset_index(drop=True),
        {f"near_duplicates_{kind.replace(' ', '_')}": count for kind, count in known.items()},
    )


def image_in_two_skus(crops: pd.DataFrame, alike: pd.DataFrame) -> Finding:
    """Find crops whose picture is also a crop of another SKU, in the same bytes or not."""
    shared = alike[alike["kind"] == ACROSS_SKUS].drop_duplicates("crop_path")
    skus = shared["sku_id"].nunique()
    summary = f"{number_of(len(crops), 'crop')}: no picture is a crop of two SKUs."
    if skus:
        summary = (
            f"{number_of(len(crops), 'crop')}: {len(shared):,} of {number_of(skus, 'SKU')} show a "
            "picture that another SKU also has. A garment with two ids teaches a model that it "
            "differs from itself."
        )
    return Finding(
        shared.empty,
        "warn",
        len(crops),
        summary,
        shared[[*CROP, "like", "like_sku_uid"]].assign(what="its picture is in two SKUs"),
        {"crops_in_two_skus": len(shared), "skus_sharing": skus},
    )


def near_duplicates(crops: pd.DataFrame, vectors: Floats | None = None) -> pd.DataFrame:
    """Return pairs of crops of different images that show the same picture: one row per pair.

    `crops` are rows of `looks`, from one or more splits. Columns: `first` and `second`, positions
    in `crops`; `kind`, within a SKU, across SKUs or across splits; `exact`, whether the bytes are
    equal as well. Crops of one image are not compared: garments worn over each other share pixels.
    With `vectors`, one per crop and NaN where there is none, pairs that are the same picture by
    these are returned as well.
    """
    usable = crops[crops["comparable"]]
    hashes = usable["phash"].to_numpy(dtype=np.int64).view(np.uint64)
    first, second = _similar(hashes)
    first, second = _same_shades(_pixels(usable), first, second)
    if vectors is not None:
        uids = usable["sku_uid"].reset_index(drop=True)
        by_vector = find_same_pictures(vectors[crops["comparable"].to_numpy(bool)], uids)
        pairs = np.concatenate([np.stack([first, second]), np.stack(by_vector)], axis=1)
        first, second = np.unique(pairs, axis=1)
    splits, skus, images, digests = (
        usable[name].to_numpy(dtype=object) for name in ("split", "sku_id", "image_id", "sha256")
    )
    same_split = splits[first] == splits[second]
    different = ~(same_split & (images[first] == images[second]))
    first, second, same_split = first[different], second[different], same_split[different]
    same_sku = np.where(skus[first] == skus[second], WITHIN_SKU, ACROSS_SKUS)
    positions = np.flatnonzero(crops["comparable"].to_numpy(dtype=bool))
    return pd.DataFrame(
        {
            "first": positions[first],
            "second": positions[second],
            "kind": np.where(same_split, same_sku, ACROSS_SPLITS),
            "exact": digests[first] == digests[second],
        }
    )


def _similar(hashes: Words) -> tuple[Ints, Ints]:
    """Return pairs of positions whose hashes differ in at most `BITS` bits, each pair once.

    The hash has six bands. If four bits differ, at least two bands are equal. So crops are sorted
    by each pair of bands in turn, and compared with those that follow as long as the pair is equal.
    """
    edges = np.linspace(0, 64, _BANDS + 1).astype(np.uint64)
    masks = [
        np.uint64(sum(1 << bit for bit in range(int(low), int(high))))
        for low, high in pairwise(edges)
    ]
    parts: list[Words] = []
    count = np.uint64(max(len(hashes), 1))
    for mask, other_mask in combinations(masks, 2):
        keys = hashes & (mask | other_mask)
        order = np.lexsort((hashes, keys))
        sorted_keys, sorted_hashes = keys[order], hashes[order]
        for step in range(1, min(_CROWD, len(hashes) - 1) + 1):
            at = np.flatnonzero(sorted_keys[step:] == sorted_keys[:-step])
            if not len(at):
                break
            differing = np.bitwise_count(sorted_hashes[at] ^ sorted_hashes[at + step])
            at = at[differing <= BITS]
            pair = np.sort(np.stack([order[at], order[at + step]]), axis=0).astype(np.uint64)
            parts.append(pair[0] * count + pair[1])
    pairs = np.unique(np.concatenate(parts)) if parts else np.empty(0, np.uint64)
    return (pairs // count).astype(np.int64), (pairs % count).astype(np.int64)


def _same_shades(
    pixels: np.ndarray[tuple[int, int], np.dtype[np.int16]], first: Ints, second: Ints
) -> tuple[Ints, Ints]:
    """Return the pairs whose tiny pictures hardly differ, because a hash ignores colours."""
    close = [
        np.abs(pixels[first[at : at + _CHUNK]] - pixels[second[at : at + _CHUNK]]).mean(axis=1)
        <= _SHADES
        for at in range(0, len(first), _CHUNK)
    ]
    keep = np.concatenate(close) if close else np.empty(0, bool)
    return first[keep], second[keep]


def _pixels(crops: pd.DataFrame) -> np.ndarray[tuple[int, int], np.dtype[np.int16]]:
    """Return the tiny pictures as one row of 192 values per crop."""
    flat = np.frombuffer(b"".join(crops["tiny"].tolist()), np.uint8)
    return flat.reshape(len(crops), -1 if len(crops) else 192).astype(np.int16)
