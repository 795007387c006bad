"""The checks of SKU groups: their ids, how many there are, and what was left out."""

from typing import Any

import pandas as pd
import pytest

from df2_assets.checks.finding import Finding
from df2_assets.checks.sku_groups import counts, identity
from df2_assets.dataset import taxonomy
from df2_assets.dataset.skus import group
from df2_assets.dataset.taxonomy import RELEASED, Published, Released
from df2_assets.store.layout import Roots
from df2_assets_tests.checks import clean
from df2_assets_tests.checks.clean import Built, fails, named
from df2_assets_tests.support.builder import DataSet, Item, item

TOP = item(1, 1, [5, 5, 70, 100])


@pytest.fixture
def groups(built: Built) -> pd.DataFrame:
    return built.groups


def changed(groups: pd.DataFrame, row: int, **values: Any) -> pd.DataFrame:
    groups = groups.copy()
    for name, value in values.items():
        groups.loc[row, name] = value
    return groups


WRONG_ID = "sku_id is not that of its pair, style and category"
WRONG_PATH = "crop_path is not that of its SKU, image and item"
ALONE = "the SKU lacks a catalog or a query crop"


@pytest.mark.parametrize(
    ("values", "problems"),
    [
        (
            {
                "sku_id": "1_1_1",
                "sku_uid": "train/1_1_1",
                "crop_path": "train/catalog/1_1_1/000001_item1.jpg",
            },
            {"sku_id is not of the form 000001_01_01", WRONG_ID, ALONE},
        ),
        ({"pair_id": 2}, {WRONG_ID}),
        ({"category_id": 2}, {WRONG_ID}),
        (
            {"style": 0, "sku_id": "000001_00_01", "sku_uid": "train/000001_00_01"},
            {"style is 0", ALONE, WRONG_PATH},
        ),
        (
            {"sku_uid": "validation/000001_01_01"},
            {"sku_uid is not that of its split and SKU"},
        ),
        ({"split": "validation"}, {"not of this split"}),
        ({"domain": "street"}, {"the domain is neither catalog nor query", WRONG_PATH}),
        ({"item_idx": 20}, {WRONG_PATH}),
    ],
)
def test_a_row_that_is_not_what_it_is_called_is_named(
    groups: pd.DataFrame, values: dict[str, Any], problems: set[str]
) -> None:
    groups = changed(groups, 0, **values)
    finding = identity("train", groups, only_pairs=True)
    assert fails(finding, "error")
    first = groups.iloc[0]
    columns = ("sku_id", "image_id", "item_idx", "crop_path")
    assert set(named(finding.offenders, *columns, "what")) == {
        (*(first[name] for name in columns), what) for what in problems
    }


def test_a_crop_that_appears_twice_is_named_with_its_double(groups: pd.DataFrame) -> None:
    finding = identity(
        "train", pd.concat([groups, groups.tail(1)], ignore_index=True), only_pairs=True
    )
    path = groups["crop_path"].iloc[-1]
    assert fails(finding, "error")
    assert named(finding.offenders, "crop_path", "what") == [
        (path, what)
        for what in ("crop_path appears twice", "the item appears twice")
        for _ in range(2)
    ]


def test_a_sku_without_catalog_crops_is_named_crop_by_crop(groups: pd.DataFrame) -> None:
    of_sku = groups["sku_id"] == "000001_01_08"
    queries = groups["domain"] == "query"
    unpaired = groups[queries | ~of_sku].reset_index(drop=True)
    finding = identity("train", unpaired, only_pairs=True)
    assert fails(finding, "error")
    assert named(finding.offenders, "crop_path", "what") == [
        (path, ALONE) for path in groups["crop_path"][queries & of_sku]
    ]
    finding = identity("train", unpaired, only_pairs=False)
    assert clean.passes(finding)
    assert "SKUs with one domain kept" in finding.summary


def test_with_skus_of_one_domain_other_problems_of_ids_are_still_named(
    groups: pd.DataFrame,
) -> None:
    finding = identity("train", changed(groups, 0, pair_id=2), only_pairs=False)
    assert fails(finding, "error")
    assert named(finding.offenders, "what") == [(WRONG_ID,)]


def counted(
    roots: Roots,
    split: str = "train",
    others: dict[str, set[str] | None] | None = None,
    *,
    only_pairs: bool = True,
) -> Finding:
    indexed = clean.index(roots, split)
    groups = group(indexed.index, only_pairs=only_pairs)
    return counts(split, indexed.index, groups, indexed.files, others or {}, only_pairs=only_pairs)


def test_counts_say_what_was_left_out_and_why(roots: Roots, data: DataSet) -> None:
    orphan = item(8, 2, [80, 5, 150, 100])
    images: list[tuple[int, str, dict[int | str, Item]]] = [
        (81, "user", {1: TOP, 2: orphan, 3: item(8, 0, [80, 5, 150, 100])}),
        (82, "user", {1: orphan, 2: TOP | {"occlusion": 9}}),
        (83, "shop", {1: item(13, 3, [80, 5, 150, 100])}),
    ]
    for image_id, source, items in images:
        data.image("train", image_id)
        data.annotation("train", image_id, source, 7, items)
    data.raw_annotation("train", 84, b"")
    finding = counted(roots)
    assert finding.passed
    assert finding.numbers == {
        "skus": 13,
        "crops": 52,
        "SKUs_with_catalog_crops_only": 1,
        "SKUs_with_query_crops_only": 2,
        "items_of_style_0": 5,
        "refused_items": 1,
        "refused_files": 1,
        "pairs": 52,
        "pairs_without_category": 13 * 52,
    }
    alone = finding.tables["first SKUs left out"]
    assert named(alone, "sku_id", "category_name", "domain", "image_id", "crops") == [
        ("000007_01_01", "short sleeve top", "query", "000081", 1),
        ("000007_02_08", "trousers", "query", "000081", 2),
        ("000007_03_13", "sling dress", "catalog", "000083", 1),
    ]
    by_category = finding.tables["by category"]
    columns = ("SKUs", "catalog crops", "query crops", "catalog only", "query only")
    assert named(by_category.iloc[[7, 12]], "category_name", *columns) == [
        ("trousers", 1, 2, 2, 0, 1),
        ("sling dress", 1, 2, 2, 1, 0),
    ]


def test_counts_say_what_is_kept_that_has_one_domain(roots: Roots, data: DataSet) -> None:
    data.image("train", 81)
    data.annotation("train", 81, "user", 7, {1: TOP, 2: TOP | {"style": 0}})
    finding = counted(roots, only_pairs=False)
    assert finding.passed
    kept = "14 SKUs with 53 crops; kept: 0 SKUs with catalog crops only, 1 SKUs with query crops "
    assert finding.summary.startswith(f"{kept}only; left out: 5 items of style 0, 0 refused items")
    assert (finding.numbers["skus"], finding.numbers["SKUs_with_query_crops_only"]) == (14, 1)
    assert finding.numbers.keys() == counted(roots).numbers.keys()
    assert named(finding.tables["first SKUs with one domain"], "sku_id") == [("000007_01_01",)]
    assert "SKUs with query crops only" not in finding.tables["left out"]["what"].tolist()


@pytest.mark.parametrize("only_pairs", [True, False])
def test_items_without_any_sku_are_a_warning(roots: Roots, only_pairs: bool) -> None:
    data = DataSet(roots.df2_root)
    data.image("train", 1)
    data.annotation("train", 1, "user", 1, {1: TOP})
    finding = counted(roots, only_pairs=only_pairs)
    assert fails(finding, "warn")
    which = "left out" if only_pairs else "with one domain"
    assert named(finding.tables[f"first SKUs {which}"], "sku_id") == [("000001_01_01",)]


def test_pairs_are_counted_with_and_without_the_category(roots: Roots, data: DataSet) -> None:
    garment = item(8, 1, [80, 5, 150, 100])
    images: list[tuple[int, str, dict[int | str, Item]]] = [
        (81, "user", {1: TOP, 2: garment}),
        (82, "user", {1: TOP}),
        (83, "shop", {1: TOP, 2: garment | {"style": 2}}),
    ]
    for image_id, source, items in images:
        data.image("train", image_id)
        data.annotation("train", image_id, source, 7, items)
    before = {"pairs": 52, "pairs_without_category": 13 * 52}
    finding = counted(roots)
    added = {name: finding.numbers[name] - count for name, count in before.items()}
    assert added == {"pairs": 2, "pairs_without_category": 3}
    assert "54 pairs of a catalog and a query item; the category costs 625 more" in finding.summary


def test_ids_that_splits_share_are_counted_without_a_warning(roots: Roots, data: DataSet) -> None:
    theirs = {"000001_01_01", "000001_01_02", "000001_02_01", "000002_01_01"}
    finding = counted(roots, others={"validation": theirs, "test": None})
    assert finding.passed
    assert finding.numbers["sku_ids_shared_with_validation"] == 2
    assert finding.numbers["pair_ids_shared_with_validation"] == 1
    assert (
        "2 SKU ids and 1 pair id are also in validation, where they are different garments"
        in finding.summary
    )
    assert not [name for name in finding.numbers if name.endswith("test")]


def test_the_check_reads_the_ids_of_the_splits_that_are_built(roots: Roots) -> None:
    data = DataSet(roots.df2_root)
    for split in ("train", "validation"):
        clean.write(data, split, looks=2)
        clean.build(roots, split)
    finding = clean.find("counts", roots)
    assert finding.numbers["sku_ids_shared_with_validation"] == 13
    assert finding.numbers["pair_ids_shared_with_validation"] == 1
    roots.table("sku_groups", "validation").write_bytes(b"damaged")
    assert "sku_ids_shared_with_validation" not in clean.find("counts", roots).numbers


@pytest.mark.parametrize(
    ("split", "published", "passed"),
    [
        ("train", Published(20, 99, 7), True),
        ("train", Published(20, 99, 8), True),  # nobody knows how these SKUs were counted
        ("validation", Published(20, 99, 13), True),
        ("validation", Published(20, 99, 12), False),
    ],
)
def test_a_full_split_is_compared_with_the_published_figures(
    roots: Roots,
    monkeypatch: pytest.MonkeyPatch,
    split: str,
    published: Published,
    passed: bool,
) -> None:
    monkeypatch.setattr(taxonomy, "PUBLISHED", published)
    monkeypatch.setitem(RELEASED, split, Released(4, 4))
    clean.write(DataSet(roots.df2_root), split, looks=2)
    other = "validation" if split == "train" else "train"
    finding = counted(roots, split, {other: {"000001_01_01", "000002_01_01"}})
    assert finding.passed == passed
    assert finding.severity == "warn"
    of_split = published.validation_skus if split == "validation" else None
    assert named(finding.tables["published"], "what", "found", "published") == [
        (f"SKUs of {split}", 13, of_split),
        ("SKUs of both splits", 15, 20),
        ("distinct SKU ids of both splits", 14, 20),
        ("crops of both splits", None, 99),
    ]


def test_a_part_of_a_split_is_not_compared_with_them(roots: Roots, data: DataSet) -> None:
    assert "published" not in counted(roots).tables
