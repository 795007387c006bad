"""Offenders: rows that name what is wrong, in columns that can be pasted elsewhere."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

import pandas as pd

from df2_assets.dataset.skus import CROP_NAME, SKU_ID
from df2_assets.errors import inert

ITEM: Final = ["split", "image_id", "item_idx"]

_CROP_PATH: Final = re.compile(
    rf"([a-z]+)/(?:catalog|query)/({SKU_ID.pattern})/{CROP_NAME.pattern}", re.ASCII
)


def marked(
    rows: pd.DataFrame, faults: Mapping[str, "pd.Series[bool]"], columns: list[str]
) -> pd.DataFrame:
    """The rows that each fault's mask picks, with `what` saying which fault: a row a fault.

    A null in a mask does not pick.
    """
    parts = [
        rows.loc[mask.fillna(False).astype(bool), columns].assign(what=what)
        for what, mask in faults.items()
    ]
    return pd.concat(parts, ignore_index=True)


def crops(paths: Iterable[str]) -> pd.DataFrame:
    """What each crop's path says: split, sku_id, image_id, item_idx, and the path itself.

    A path that is not of the contract's form has its split only; what is not printable in it is
    escaped.
    """
    said = []
    for path in paths:
        match = _CROP_PATH.fullmatch(path)
        split, sku_id, image_id, item_idx = (
            match.groups() if match else (path.split("/")[0], None, None, None)
        )
        said.append(
            (split, sku_id, image_id, int(item_idx) if item_idx else None, inert(path, 1000))
        )
    columns = ["split", "sku_id", "image_id", "item_idx", "crop_path"]
    types = {name: "Int32" if name == "item_idx" else "str" for name in columns}
    return pd.DataFrame(said, columns=columns).astype(types)


def number_of(count: int, singular: str, plural: str | None = None) -> str:
    """`1 image`, `1,200 images`."""
    return f"{count:,} {singular if count == 1 else plural or singular + 's'}"
