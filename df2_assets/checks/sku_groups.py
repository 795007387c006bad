"""The checks of the SKU groups: whether they follow the contract, and how many there are."""

from typing import Final

import pandas as pd

from df2_assets.checks.finding import CROP, Finding, number_of, offending_rows
from df2_assets.dataset import taxonomy
from df2_assets.dataset.frames import TEXT, rows
from df2_assets.dataset.skus import (
    KEY,
    SKU_ID,
    UNPAIRED_SKUS,
    candidates,
    count_excluded,
    count_pairs,
    count_unpaired,
    find_paired,
    sku_id,
)
from df2_assets.dataset.taxonomy import ANNOTATED_SPLITS, CATEGORIES, DOMAINS

_SHOWN: Final = 5
_PAIR_DIGITS: Final = 6


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
        "sku_uid is not that of its split and SKU": groups["sku_uid"] != split + "/" + ids,
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
    split: str,
    index: pd.DataFrame,
    groups: pd.DataFrame,
    files: pd.DataFrame,
    other_skus: dict[str, set[str] | None],
    *,
    only_pairs: bool,
) -> Finding:
    """Count SKUs, crops, pairs and ids that other splits have too; compare with published figures.

    Warn if usable items make no SKU with both domains, or if a full validation split does not have
    as many of those as were published. SKUs with one domain are left out if `only_pairs`, else only
    counted. `other_skus` are the SKU ids of the other splits; None for a split that is not built.
    They name different garments than the same ids here, so sharing them is no defect.
    """
    ids = set(groups["sku_id"].unique().tolist())
    skus, crops = len(ids), len(groups)
    paired = skus if only_pairs else skus - count_unpaired(groups)
    excluded = count_excluded(index)
    unpaired = {what: excluded.pop(what) for what in UNPAIRED_SKUS}
    left_out = unpaired | excluded if only_pairs else excluded
    usable = candidates(index)
    alone = _unpaired(usable)
    pairs = count_pairs(usable, KEY)
    without_category = count_pairs(usable, ["pair_id", "style"])
    shared = _count_shared(ids, other_skus)
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
    summary += (
        f" {number_of(pairs, 'pair')} of a catalog and a query item; the category costs "
        f"{without_category - pairs:,} more, of the same pair id and style."
    )
    passed = True
    is_full = int(files["image_size"].notna().sum()) == taxonomy.RELEASED[split].images
    if is_full and split in ANNOTATED_SPLITS:
        published = taxonomy.PUBLISHED.validation_skus
        if split == "validation":
            passed = paired == published
            summary += f" Published for a full validation: {published:,} SKUs."
        tables["published"] = _published(split, paired, ids, other_skus)
    if paired == 0 and len(usable):
        passed = False
        summary += (
            " No SKU has both a shop and a user image: are annotations of one source missing?"
        )
    if len(shared):
        summary += "".join(
            f" {number_of(same, 'SKU id')} and {number_of(same_pairs, 'pair id')} are also in "
            f"{other}, where they are different garments: tell them apart by sku_uid."
            for other, same, same_pairs in rows(shared, *shared)
            if same or same_pairs
        )
    numbers: dict[str, int | float] = {"skus": skus, "crops": crops}
    numbers |= {what.replace(" ", "_"): count for what, count in (unpaired | excluded).items()}
    numbers |= {"pairs": pairs, "pairs_without_category": without_category}
    for other, same, same_pairs in rows(shared, *shared):
        numbers[f"sku_ids_shared_with_{other}"] = same
        numbers[f"pair_ids_shared_with_{other}"] = same_pairs
    return Finding(passed, "warn", len(index), summary, numbers=numbers, tables=tables)


def _list(counts: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {what}" for what, count in counts.items())


def _count_shared(ids: set[str], other_skus: dict[str, set[str] | None]) -> pd.DataFrame:
    """Return how many SKU ids and pair ids each other split that has SKUs shares with this one."""
    pairs = {sku_id[:_PAIR_DIGITS] for sku_id in ids}
    shared = [
        (other, len(ids & theirs), len(pairs & {sku_id[:_PAIR_DIGITS] for sku_id in theirs}))
        for other, theirs in other_skus.items()
        if theirs
    ]
    return pd.DataFrame(shared, columns=["other split", "SKU ids", "pair ids"])


def _published(
    split: str, paired: int, ids: set[str], other_skus: dict[str, set[str] | None]
) -> pd.DataFrame:
    """Return the published figures, beside those of this build as far as it has both splits.

    `paired` is the number of SKUs of `split` with both domains, which were published. The figures
    of both splits are only shown: it is not known how their SKUs were counted.
    """
    splits = [(other_skus | {split: ids}).get(name) for name in ANNOTATED_SPLITS]
    built = [skus for skus in splits if skus is not None]
    both = len(built) == len(ANNOTATED_SPLITS)
    published = taxonomy.PUBLISHED
    table = pd.DataFrame(
        [
            (f"SKUs of {split}", paired, published.validation_skus * (split == "validation")),
            ("SKUs of both splits", sum(map(len, built)) * both, published.skus),
            ("distinct SKU ids of both splits", len(set().union(*built)) * both, published.skus),
            ("crops of both splits", 0, published.crops),
        ],
        columns=["what", "found", "published"],
    )
    return table.astype({"found": "Int64", "published": "Int64"}).replace(0, pd.NA)


def _unpaired(usable: pd.DataFrame) -> pd.DataFrame:
    """Return groups with only one domain: sku_id, category_name, domain, image_id, crops.

    `image_id` is the first image of the group, `crops` the number of its items.
    """
    single = usable[~find_paired(usable[KEY], usable["domain"])]
    alone = single.groupby([*KEY, "category_name", "domain"]).agg(
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
