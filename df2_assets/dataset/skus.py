"""Visual SKUs: `(pair_id, style > 0, category_id)`, by default kept only with both domains.

`docs/contract.md` has the rule, which is that of the original recipe. `style` 0 means that an item
has no counterpart (README of DeepFashion2).
"""

import re
from collections.abc import Iterator
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from df2_assets.dataset import boxes, frames
from df2_assets.dataset.reasons import UNPAIRED
from df2_assets.dataset.record import ANNOTATED, EDGES
from df2_assets.dataset.tables import REFUSALS, SKU_GROUPS
from df2_assets.dataset.taxonomy import DOMAINS

SKU_ID: Final = re.compile(r"[0-9]{6}_[0-9]{2}_[0-9]{2}", re.ASCII)
CROP_STEM: Final = r"([0-9]{6})_item([1-9][0-9]{0,5})"
"""The name of a crop without its suffix."""

CROP_NAME: Final = re.compile(rf"{CROP_STEM}\.jpg", re.ASCII)
CROP_PLACE: Final = rf"(?:{'|'.join(DOMAINS.values())})/{SKU_ID.pattern}/{CROP_STEM}"
"""The path of a crop below the folder of its set, without its suffix."""

CROP_PATH: Final = rf"{CROP_PLACE}\.jpg"
"""The path of a crop below the folder of its split."""

KEY: Final = ["pair_id", "style", "category_id"]

_ROWS: Final = 500_000
"""About how many rows of an index are grouped together; that takes 350 MB."""

UNPAIRED_SKUS: Final = tuple(f"SKUs with {domain} crops only" for domain in DOMAINS.values())
"""What `count_excluded` counts that is kept unless only pairs are."""

_KEEPS_UNPAIRED: Final = {b"only_pairs": b"off"}
"""The metadata of a table `sku_groups` that has SKUs with one domain as well.

It counts as content, so that what was made from a table without it is out of date.
"""

_TEXTS: Final = dict.fromkeys(("split", "stage"), frames.TEXT)
"""The types of columns with one constant value: pandas before 3.0 warns when it joins others."""


def sku_id(pair_id: int, style: int, category_id: int) -> str:
    """Return a SKU id: `000001_01_01` for pair 1, style 1, category 1."""
    return f"{pair_id:06d}_{style:02d}_{category_id:02d}"


def sku_uid(split: str, sku_id: str) -> str:
    """Return the identity of a SKU across splits: `train/000001_01_01`.

    Pair ids start at 1 in every split, so that equal SKU ids of two splits are different garments.
    """
    return f"{split}/{sku_id}"


def add_sku_uids(crops: pa.Table, schema: pa.Schema) -> pa.Table:
    """Return rows with `sku_uid`, read from their `crop_path`, at its place in `schema`."""
    place = schema.get_field_index("sku_uid")
    form = r"^(?:.*/)?([^/]+)/[^/]+/([^/]+)/[^/]+$"  # of a path: split, domain, SKU and name
    uids = pc.replace_substring_regex(crops["crop_path"], form, sku_uid(r"\1", r"\2"))
    return crops.add_column(place, schema.field(place), uids)


def candidates(index: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of an index that can become crops (usable, style above 0), with `domain`."""
    usable = index[index["reason"].isna() & (index["style"] > 0)]
    return usable.assign(domain=usable["source"].map(DOMAINS))


def find_paired(keys: pd.DataFrame, domain: pd.Series) -> pd.Series:
    """Return for each row whether its SKU (equal `keys`) has rows of both domains."""
    flags = keys.assign(catalog=domain == "catalog", query=domain == "query")
    both = flags.groupby(list(keys.columns), sort=False)[["catalog", "query"]].transform("any")
    return both["catalog"] & both["query"]


def has_only_pairs(groups: pa.Table) -> bool:
    """Return whether a table `sku_groups` was made without the SKUs that have one domain."""
    return not _KEEPS_UNPAIRED.items() <= (groups.schema.metadata or {}).items()


def count_unpaired(groups: pd.DataFrame) -> int:
    """Return the number of SKUs in rows of `sku_groups` that have crops of only one domain."""
    return int((groups.groupby("sku_id")["domain"].nunique() == 1).sum())


def group_index(index: pa.Table, *, only_pairs: bool = True) -> pa.Table:
    """Return the table `sku_groups` of an index.

    Unless `only_pairs`, it also has SKUs with one domain, and `has_only_pairs` says so.

    Pair ids are grouped range by range, so that memory does not grow with the index. No SKU lies
    in two ranges, and SKU ids sort as their pair ids do, so the ranges follow each other in order.
    """
    parts = [
        frames.from_frame(group(frames.frame(part), only_pairs=only_pairs), SKU_GROUPS)
        for part in _ranges(index)
    ]
    groups = pa.concat_tables(parts).combine_chunks()
    return groups if only_pairs else groups.replace_schema_metadata(_KEEPS_UNPAIRED)


def _ranges(index: pa.Table) -> Iterator[pa.Table]:
    """Yield the rows of an index by ranges of pair ids; all rows together where they are few."""
    if index.num_rows <= _ROWS:
        yield index
        return
    pairs = index["pair_id"]
    ordered = np.sort(pairs.drop_null().to_numpy())
    edges = np.unique(ordered[::_ROWS])
    for first, after in zip(edges, [*edges[1:], ordered[-1] + 1], strict=True):
        inside = pc.and_(pc.greater_equal(pairs, int(first)), pc.less(pairs, int(after)))
        yield index.filter(inside)


def group(index: pd.DataFrame, *, only_pairs: bool = True) -> pd.DataFrame:
    """Return the crops to make, from a `raw_annotation_index`: columns of `sku_groups`.

    Sorted by SKU id, catalog before query, then `(image_id, item_idx)`. SKUs with one domain are
    left out if `only_pairs`.
    """
    rows = candidates(index)
    if only_pairs:
        rows = rows[find_paired(rows[KEY], rows["domain"])]
    return describe_crops(rows)


def describe_crops(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the crops to make of usable rows of an index, with `domain`: columns of `sku_groups`.

    Sorted as `group` does.
    """
    names = ("split", "domain", "image_id", "item_idx", *KEY)
    texts = (pa.array(rows[name]).cast(pa.string()) for name in names)
    split, domain, image, item, *key = texts
    widths = (6, 2, 2)  # as in `sku_id`
    padded = (pc.utf8_lpad(*part, "0") for part in zip(key, widths, strict=True))
    sku_ids = pc.binary_join_element_wise(*padded, "_")
    crop = pc.binary_join_element_wise(image, "_item", item, ".jpg", "")
    crop_paths = pc.binary_join_element_wise(split, domain, sku_ids, crop, "/")
    images = pc.binary_join_element_wise(split, "/image/", image, ".jpg", "")
    uids = pc.binary_join_element_wise(split, sku_ids, "/")  # as in `sku_uid`
    paths = {
        "sku_id": sku_ids,
        "sku_uid": uids,
        "crop_path": crop_paths,
        "orig_image_path": images,
    }
    x1, y1, x2, y2 = (rows[edge] for edge in EDGES)
    cut = boxes.cut((x1, y1, x2, y2), rows["width"], rows["height"])
    crops = rows.assign(
        **{name: pd.arrays.ArrowExtensionArray(text) for name, text in paths.items()},
        **dict(zip(ANNOTATED, (x1, y1, x2, y2), strict=True)),
        **dict(zip(EDGES, cut, strict=True)),
    )
    order = [(name, "ascending") for name in ("sku_id", "domain", "image_id", "item_idx")]
    keys = pa.table({name: pa.array(crops[name]) for name, _ in order})
    return crops.take(pc.sort_indices(keys, order)).reset_index(drop=True)


def count_excluded(index: pd.DataFrame) -> dict[str, int]:
    """Count the SKUs, items and files of an index that have no SKU with both domains, by reason."""
    rows = candidates(index)
    domains = rows.groupby(KEY)["domain"].agg(["nunique", "first"])
    alone = domains[domains["nunique"] == 1]["first"]
    refused = index["reason"].notna()
    return {
        **{
            what: int((alone == domain).sum())
            for what, domain in zip(UNPAIRED_SKUS, DOMAINS.values(), strict=True)
        },
        "items of style 0": int((~refused & (index["style"] == 0)).sum()),
        "refused items": int((refused & index["item_idx"].notna()).sum()),
        "refused files": int((refused & index["item_idx"].isna()).sum()),
    }


def collect_refusals(
    split: str, index: pd.DataFrame, groups: pd.DataFrame, manifest: pd.DataFrame
) -> pd.DataFrame:
    """Return all rows of index and manifest with a reason, by image and item.

    The columns are those of `refusals`. Crops that can be made, of a SKU that is not kept, are not
    refused.
    """
    both = pd.concat([refused_in_index(index), refused_crops(split, groups, manifest)])
    return both.sort_values(
        ["image_id", "item_idx", "reason"], na_position="first", ignore_index=True
    )


def refused_in_index(index: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of an index with a reason, in its order: columns of `refusals`."""
    refused = index[index["reason"].notna()].assign(stage="raw_annotation_index")
    return refused[[*REFUSALS.names]].astype(_TEXTS)


def refused_crops(split: str, groups: pd.DataFrame, manifest: pd.DataFrame) -> pd.DataFrame:
    """Return the crops that could not be made: columns of `refusals`."""
    refused = manifest["reason"].notna() & (manifest["reason"] != UNPAIRED)
    failed = manifest[refused][["crop_path", "reason", "detail"]]
    crops = groups[["crop_path", "image_id", "item_idx"]].merge(failed, on="crop_path")
    return crops.assign(split=split, stage="crops")[[*REFUSALS.names]].astype(_TEXTS)


def count_pairs(rows: pd.DataFrame, key: list[str]) -> int:
    """Return the number of pairs of a catalog and a query item with equal `key`.

    They are not made, because a key that many items share would have too many.
    """
    items = rows.groupby([*key, "domain"], sort=False).size().unstack("domain", fill_value=0)
    catalog, query = (items.get(name, pd.Series(0, items.index)) for name in DOMAINS.values())
    return int((catalog.astype("int64") * query.astype("int64")).sum())
