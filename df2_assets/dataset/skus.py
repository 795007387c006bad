"""Visual SKUs: `(pair_id, style > 0, category_id)`, kept only with both domains.

The rule is the original recipe's; `style` 0 means that an item has no counterpart (DeepFashion2
README).
"""

import re
from typing import Final

import pandas as pd

from df2_assets.dataset import frames
from df2_assets.dataset.taxonomy import DOMAINS

SKU_ID: Final = re.compile(r"[0-9]{6}_[0-9]{2}_[0-9]{2}", re.ASCII)
CROP_NAME: Final = re.compile(r"([0-9]{6})_item([1-9][0-9]{0,5})\.jpg", re.ASCII)
CROP_PATH: Final = rf"(?:{'|'.join(DOMAINS.values())})/{SKU_ID.pattern}/{CROP_NAME.pattern}"
"""Of a crop below its split."""

KEY: Final = ["pair_id", "style", "category_id"]


def sku_id(pair_id: int, style: int, category_id: int) -> str:
    """`000001_01_01` for pair 1, style 1, category 1."""
    return f"{pair_id:06d}_{style:02d}_{category_id:02d}"


def candidates(index: pd.DataFrame) -> pd.DataFrame:
    """The rows of the index that can become a crop: usable, style above 0; with `domain`."""
    usable = index[index["reason"].isna() & (index["style"] > 0)]
    return usable.assign(domain=usable["source"].map(DOMAINS))


def paired(keys: pd.DataFrame, domain: pd.Series) -> pd.Series:
    """For each row, whether its SKU (equal `keys`) has rows of both domains."""
    flags = keys.assign(catalog=domain == "catalog", query=domain == "query")
    both = flags.groupby(list(keys.columns), sort=False)[["catalog", "query"]].transform("any")
    return both["catalog"] & both["query"]


def group(index: pd.DataFrame) -> pd.DataFrame:
    """The crops to make, from a `raw_annotation_index`: columns of `sku_groups`, in its order.

    Sorted by SKU id, catalog before query, then `(image_id, item_idx)`.
    """
    rows = candidates(index)
    rows = rows[paired(rows[KEY], rows["domain"])]
    keys = list(frames.rows(rows, *KEY))
    names = {key: sku_id(*key) for key in set(keys)}
    ids = [names[key] for key in keys]
    paths = [
        (f"{s}/{d}/{sku}/{image}_item{item}.jpg", f"{s}/image/{image}.jpg")
        for sku, (s, d, image, item) in zip(
            ids, frames.rows(rows, "split", "domain", "image_id", "item_idx"), strict=True
        )
    ]
    return rows.assign(
        sku_id=pd.Series(ids, index=rows.index, dtype="str"),
        x1=rows["x1"].clip(lower=0),
        y1=rows["y1"].clip(lower=0),
        x2=rows["x2"].clip(upper=rows["width"]),
        y2=rows["y2"].clip(upper=rows["height"]),
        crop_path=pd.Series([crop for crop, _ in paths], index=rows.index, dtype="str"),
        orig_image_path=pd.Series([image for _, image in paths], index=rows.index, dtype="str"),
    ).sort_values(["sku_id", "domain", "image_id", "item_idx"], ignore_index=True)


def left_out(index: pd.DataFrame) -> dict[str, int]:
    """How much of an index is in no SKU, and why: SKUs with one domain only, items otherwise."""
    rows = candidates(index)
    domains = rows.groupby(KEY)["domain"].agg(["nunique", "first"])
    alone = domains[domains["nunique"] == 1]["first"]
    refused = index["reason"].notna()
    return {
        "SKUs with catalog crops only": int((alone == "catalog").sum()),
        "SKUs with query crops only": int((alone == "query").sum()),
        "items of style 0": int((~refused & (index["style"] == 0)).sum()),
        "refused items": int((refused & index["item_idx"].notna()).sum()),
        "refused files": int((refused & index["item_idx"].isna()).sum()),
    }
