"""Batches by SKU, and catalog-query pairs of a SKU."""

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from df2_assets_tests.support import run
from df2_assets_tests.support.builder import DataSet, item

if TYPE_CHECKING:
    from df2_assets.torch import DeepFashion2ImageTextDataset

pytestmark = pytest.mark.torch


def crops_of(dataset: "DeepFashion2ImageTextDataset") -> dict[str, dict[str, list[int]]]:
    """Return the rows of each SKU by domain, from the lines only."""
    found: dict[str, dict[str, list[int]]] = {}
    for number, row in enumerate(dataset.rows):
        domains = found.setdefault(row["sku_id"], {"catalog": [], "query": []})
        domains[row["domain"]].append(number)
    return found


def test_a_batch_has_p_skus_with_k_crops_each(dataset: "DeepFashion2ImageTextDataset") -> None:
    from df2_assets.torch import PKBatchSampler

    crops = crops_of(dataset)
    rows = [row["sku_id"] for row in dataset.rows]
    sampler = PKBatchSampler(dataset, skus=4, crops=3)
    batches = list(sampler)
    assert len(batches) == len(sampler) == len(crops) // 4 > 1
    seen: list[str] = []
    for batch in batches:
        counts = Counter(rows[row] for row in batch)
        assert set(counts.values()) == {3}
        assert len(counts) == 4
        seen += counts
    assert len(seen) == len(set(seen))


@pytest.mark.parametrize("both_domains", [False, True])
@pytest.mark.parametrize("crops", [2, 5, 40])
def test_all_crops_of_a_sku_come_before_any_comes_again(
    dataset: "DeepFashion2ImageTextDataset", crops: int, both_domains: bool
) -> None:
    from df2_assets.torch import PKBatchSampler

    rows = list(dataset.rows)
    sizes = Counter(row["sku_id"] for row in rows)
    assert min(sizes.values()) < 5 < max(sizes.values())
    for batch in PKBatchSampler(dataset, 1, crops, both_domains=both_domains):
        times = Counter(batch)
        size = sizes[rows[batch[0]]["sku_id"]]
        assert len(times) == min(size, crops)
        assert max(times.values()) - min(times.values()) <= 1
        if both_domains:
            assert {rows[row]["domain"] for row in batch} == {"catalog", "query"}


def test_seed_and_epoch_decide_the_batches(dataset: "DeepFashion2ImageTextDataset") -> None:
    from df2_assets.torch import PKBatchSampler

    def batches(seed: int, epoch: int) -> list[list[int]]:
        sampler = PKBatchSampler(dataset, 4, 3, seed=seed)
        sampler.set_epoch(epoch)
        return list(sampler)

    assert batches(1, 2) == batches(1, 2)
    assert batches(1, 2) != batches(1, 3)
    assert batches(1, 2) != batches(2, 2)
    sampler = PKBatchSampler(dataset, 4, 3)
    assert list(sampler) == list(sampler) == batches(0, 0)


@pytest.mark.parametrize(
    ("skus", "crops", "both_domains", "message"),
    [
        (0, 2, False, "skus is 0: give a number from 1 to "),
        (10_000, 2, False, "skus is 10000: give a number from 1 to "),
        (1, 0, False, "crops is 0: give 1 or more"),
        (1, 1, True, "crops is 1: give 2 or more"),
    ],
)
def test_a_batch_that_cannot_be_filled_is_refused(
    dataset: "DeepFashion2ImageTextDataset",
    skus: int,
    crops: int,
    both_domains: bool,
    message: str,
) -> None:
    from df2_assets.torch import PKBatchSampler

    with pytest.raises(ValueError, match=message):
        PKBatchSampler(dataset, skus, crops, both_domains=both_domains)


def test_each_catalog_crop_meets_each_query_crop_of_its_sku(
    dataset: "DeepFashion2ImageTextDataset",
) -> None:
    from df2_assets.torch import CatalogQueryPairs

    pairs = CatalogQueryPairs(dataset)
    expected = [
        (catalog, query)
        for domains in crops_of(dataset).values()
        for catalog in domains["catalog"]
        for query in domains["query"]
    ]
    assert [pairs.rows(number) for number in range(len(pairs))] == expected
    assert pairs.rows(-1) == expected[-1]
    with pytest.raises(IndexError):
        pairs[len(pairs)]


@pytest.fixture(scope="module")
def unpaired(tmp_path_factory: pytest.TempPathFactory) -> "DeepFashion2ImageTextDataset":
    """A build with SKUs of one domain, first, last and in between."""
    from df2_assets.torch import DeepFashion2ImageTextDataset

    folder = tmp_path_factory.mktemp("unpaired")
    data = DataSet(folder / "df2")
    images = [("user", 1), ("shop", 2), ("user", 2), ("shop", 3), ("user", 4), ("shop", 4)]
    for image, (source, pair) in enumerate([*images, ("user", 4), ("user", 5)], 1):
        data.image("train", image)
        data.annotation("train", image, source, pair, {1: item(1, 1, [5, 5, 70, 100])})
    assert run.build(folder / "df2", folder / "sku", only_pairs=False).success
    return DeepFashion2ImageTextDataset(folder / "sku", "train")


def test_a_sku_with_one_domain_is_in_no_pair(unpaired: "DeepFashion2ImageTextDataset") -> None:
    from df2_assets.torch import CatalogQueryPairs

    pairs = CatalogQueryPairs(unpaired)
    assert [pairs[place]["sku_id"][:6] for place in range(len(pairs))] == [
        *("000002", "000004", "000004")
    ]
    assert {unpaired.rows[row]["domain"] for row in pairs.rows(0)} == {"catalog", "query"}


def test_batches_with_both_domains_leave_out_skus_with_one(
    unpaired: "DeepFashion2ImageTextDataset",
) -> None:
    from df2_assets.torch import PKBatchSampler

    def pairs_in(sampler: PKBatchSampler) -> set[int]:
        return {unpaired.rows[row]["pair_id"] for batch in sampler for row in batch}

    assert pairs_in(PKBatchSampler(unpaired, 5, 2)) == {1, 2, 3, 4, 5}
    both = PKBatchSampler(unpaired, 2, 2, both_domains=True)
    assert (len(both), pairs_in(both)) == (1, {2, 4})
    with pytest.raises(ValueError, match="from 1 to 2, the SKUs with both domains"):
        PKBatchSampler(unpaired, 3, 2, both_domains=True)


def test_a_pair_is_two_items_of_the_data_set(dataset: "DeepFashion2ImageTextDataset") -> None:
    from df2_assets.torch import CatalogQueryPairs

    item = CatalogQueryPairs(dataset)[5]
    assert set(item) == {"sku_id", "sku_uid", "catalog", "query"}
    assert item["sku_uid"] == f"train/{item['sku_id']}"
    for domain in ("catalog", "query"):
        meta = item[domain]["meta"]
        assert (meta["domain"], meta["sku_id"]) == (domain, item["sku_id"])
        assert item[domain]["image"].size == (
            meta["bbox"][2] - meta["bbox"][0],
            meta["bbox"][3] - meta["bbox"][1],
        )
