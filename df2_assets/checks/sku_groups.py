"""The checks of the SKU groups: whether they follow the contract, and how many there are."""

from typing import Final

import pandas as pd

from df2_assets.checks.finding import CROP, Finding, number_of, offending_rows
from df2_assets.dataset import taxonomy
from df2_assets.dataset.frames import TEXT
from df2_assets.dataset.skus import (
    KEY,
    SKU_ID,
    UNPAIRED_SKUS,
    candidates,
    count_excluded,
    count_unpaired,
    find_paired,
    sku_id,
)
from df2_assets.dataset.taxonomy import CATEGORIES, DOMAINS

_SHOWN: Final = 10


def identity(split: str, groups: pd.DataFrame, *, only_pairs: bool) -> Finding:
    """Check that ids and paths are correct and unique, and that no SKU has style 0.

    If `only_pairs`, each SKU must have crops of both domains.
    """
    ids = groups["sku_id"]
    digits = [
        groups[name].astype(TEXT).str.rjust(width, "0")
        for name, width in zip(KEY, (6, 2, 2), strict=True)
    ]
    named = digits[0] + "_" + digits[1] + "_" + digits[2]
    file = groups["image_id"] + "_item" + groups["item_idx"].astype(TEXT) + ".jpg"
    path = split + "/" + groups["domain"] + "/" + ids + "/" + file
    catalog, query = (ids[groups["domain"] == domain] for domain in DOMAINS.values())
    is_alone = ~(ids.isin(catalog) & ids.isin(query))
    problems = {
        "sku_id is not of the form 000001_01_01": ~ids.str.fullmatch(SKU_ID.pattern).astype(bool),
        "sku_id is not that of its pair, style and category": ids != named,
        "style is 0": groups["style"] <= 0,
        "not of this split": groups["split"] != split,
        "the domain is neither catalog nor query": ~groups["domain"].isin(DOMAINS.values()),
        "the SKU lacks a catalog or a query crop": is_alone & only_pairs,
        "crop_path is not that of its SKU, image and item": groups["crop_path"] != path,
        "crop_path appears twice": groups["crop_path"].duplicated(keep=False),
        "the item appears twice": groups.duplicated(["image_id", "item_idx"], keep=False),
    }
    offenders = offending_rows(groups, problems, CROP)
    skus = int(ids.nunique())
    summary = f"{number_of(skus, 'SKU')}, {number_of(len(groups), 'crop')}: "
    if offenders.empty:
        domains = "every SKU with both domains" if only_pairs else "SKUs with one domain kept"
        summary += f"every id well formed and unique, {domains}."
    else:
        summary += f"{number_of(len(offenders), 'problem')}. Rerun sku_groups for {split}."
    return Finding(
        offenders.empty,
        "error",
        len(groups),
        summary,
        offenders,
        {"skus": skus, "crops": len(groups)},
    )


def counts(
    split: str, index: pd.DataFrame, groups: pd.DataFrame, files: pd.DataFrame, *, only_pairs: bool
) -> Finding:
    """Count SKUs and crops by category, and what was left out; compare with published figures.

    Warn if usable items make no SKU with both domains, or if a full split does not have as many of
    those as were published. SKUs with one domain are left out if `only_pairs`, else only counted.
    """
    skus, crops = int(groups["sku_id"].nunique()), len(groups)
    paired = skus if only_pairs else skus - count_unpaired(groups)
    excluded = count_excluded(index)
    unpaired = {what: excluded.pop(what) for what in UNPAIRED_SKUS}
    left_out = unpaired | excluded if only_pairs else excluded
    usable = candidates(index)
    alone = _unpaired(usable)
    images = int(files["image_size"].notna().sum())
    published = _published(split, images)
    tables = {
        "by category": _by_category(groups, alone),
        "left out": pd.DataFrame({"what": left_out.keys(), "how many": left_out.values()}),
    }
    if len(alone):
        which = "left out" if only_pairs else "with one domain"
        tables[f"first SKUs {which}"] = alone.head(_SHOWN)
    summary = f"{number_of(skus, 'SKU')} with {number_of(crops, 'crop')}; "
    if not only_pairs:
        summary += f"kept: {_list(unpaired)}; "
    summary += f"left out: {_list(left_out)}."
    passed = True
    if published is not None:
        passed = paired == published
        summary += f" Published for a full {split}: {published:,} SKUs."
        tables["published"] = pd.DataFrame(
            [
                (f"SKUs of {split}", f"{paired}", f"{published}"),
                ("SKUs of train and validation", "", f"{taxonomy.PUBLISHED.skus}"),
                ("crops of train and validation", "", f"{taxonomy.PUBLISHED.crops}"),
            ],
            columns=["what", "found", "published"],
        )
    if paired == 0 and len(usable):
        passed = False
        summary += (
            " No SKU has both a shop and a user image: are annotations of one source missing?"
        )
    numbers: dict[str, int | float] = {"skus": skus, "crops": crops}
    numbers |= {what.replace(" ", "_"): count for what, count in (unpaired | excluded).items()}
    return Finding(passed, "warn", len(index), summary, numbers=numbers, tables=tables)


def _list(counts: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {what}" for what, count in counts.items())


def _published(split: str, images: int) -> int | None:
    """Return the published number of SKUs; None unless all released images are present."""
    validation = taxonomy.PUBLISHED.validation_skus
    figures = {"train": taxonomy.PUBLISHED.skus - validation, "validation": validation}
    return figures.get(split) if images == taxonomy.RELEASED[split].images else None


def _unpaired(usable: pd.DataFrame) -> pd.DataFrame:
    """Return groups with only one domain: sku_id, category_name, domain, image_id, crops.

    `image_id` is the first image of the group, `crops` the number of its items.
    """
    rows = usable[~find_paired(usable[KEY], usable["domain"])]
    alone = rows.groupby([*KEY, "category_name", "domain"]).agg(
        image_id=("image_id", "min"), crops=("image_id", "size")
    )
    alone = alone.reset_index()
    ids = [sku_id(*key) for key in zip(*(alone[name].tolist() for name in KEY), strict=True)]
    alone.insert(0, "sku_id", pd.Series(ids, dtype=TEXT))
    return alone[["sku_id", "category_name", "domain", "image_id", "crops"]]


def _by_category(groups: pd.DataFrame, alone: pd.DataFrame) -> pd.DataFrame:
    """Count per category: SKUs, crops by domain, and SKUs with only one domain."""
    skus = groups[["category_id", "sku_id"]].drop_duplicates()
    columns = {
        "SKUs": skus["category_id"],
        **{f"{d} crops": groups["category_id"][groups["domain"] == d] for d in DOMAINS.values()},
    }
    table = pd.DataFrame({"category_id": CATEGORIES.keys(), "category_name": CATEGORIES.values()})
    for name, category_ids in columns.items():
        counted = category_ids.value_counts().to_dict()
        table[name] = table["category_id"].map(counted).fillna(0).astype("int64")
    for domain in DOMAINS.values():
        counted = alone["category_name"][alone["domain"] == domain].value_counts().to_dict()
        column = table["category_name"].map(counted)
        table[f"{domain} only"] = column.fillna(0).astype("int64")
    return table
