"""The measured crops of a split, with what their paths say and whether they can be compared."""

from typing import Final

import pandas as pd

from df2_assets.checks.crops import TINY
from df2_assets.checks.offenders import crops
from df2_assets.store import tables
from df2_assets.store.layout import Roots

DARK: Final = 25.0
"""Mean luma below which hardly anything is to be seen; black clothes in a room have 40 and more."""

BLANK: Final = 5.0
"""Standard deviation of luma below which a crop is one colour, give or take its noise."""


def looks(quality: pd.DataFrame, manifest: pd.DataFrame) -> pd.DataFrame:
    """The rows of `crop_quality` with split, domain, sku_id, image_id, item_idx, width, height.

    A crop is tiny (which `tiny_crops` says), else `dark`, else `blank`, or none of these: one
    fault has one alarm. Only the last are `comparable`: the hash and the colours of the others say
    nothing about what they show.
    """
    sizes = manifest[["crop_path", "width", "height"]]
    rows = quality.merge(sizes, on="crop_path", how="left")
    said = crops(rows["crop_path"].tolist())
    for name in ("split", "sku_id", "image_id", "item_idx"):
        rows[name] = said[name]
    rows["domain"] = [path.split("/")[1] for path in rows["crop_path"].tolist()]
    small = (rows[["width", "height"]].min(axis=1) < TINY).astype(bool)
    rows["dark"] = (rows["brightness"] < DARK).astype(bool) & ~small
    rows["blank"] = (rows["contrast"] < BLANK).astype(bool) & ~small & ~rows["dark"]
    rows["comparable"] = ~(rows["dark"] | rows["blank"] | small)
    return rows


def read_looks(roots: Roots, split: str) -> pd.DataFrame:
    """`looks` of a split's tables. Raises MissingTableError or ProvenanceError."""
    quality = tables.read(roots, "crop_quality", split)
    return looks(tables.frame(quality), tables.frame(tables.read(roots, "crops", split)))


def find_looks(roots: Roots, split: str) -> pd.DataFrame | None:
    """`looks` of a split, of whatever crops were measured last; None where none were."""
    quality, manifest = (tables.find(roots, asset, split) for asset in ("crop_quality", "crops"))
    if quality is None or manifest is None:
        return None
    return looks(tables.frame(quality), tables.frame(manifest))
