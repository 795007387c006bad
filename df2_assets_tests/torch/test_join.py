"""Several splits as one Dataset, in which equal SKU ids of two splits stay two garments."""

import pickle
import shutil
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from df2_assets.errors import ProvenanceError

if TYPE_CHECKING:
    from df2_assets.torch import DeepFashion2ImageTextDataset, JoinedDataset

pytestmark = pytest.mark.torch


@pytest.fixture
def joined(splits: "list[DeepFashion2ImageTextDataset]") -> "JoinedDataset":
    from df2_assets.torch import join

    return join(splits)


def uid_of(row: dict[str, Any]) -> str:
    return f"{row['split']}/{row['sku_id']}"


def test_items_are_those_of_the_splits_one_after_another(
    splits: "list[DeepFashion2ImageTextDataset]", joined: "JoinedDataset"
) -> None:
    train, validation = splits
    assert len(joined) == len(train) + len(validation)
    for place, item in ((0, train[0]), (len(train), validation[0]), (-1, validation[-1])):
        assert joined[place] == item
    assert {joined[place]["sku_uid"].partition("/")[0] for place in (0, -1)} == {
        "train",
        "validation",
    }


def test_rows_are_the_lines_of_the_splits_one_after_another(
    splits: "list[DeepFashion2ImageTextDataset]", joined: "JoinedDataset"
) -> None:
    train, validation = (list(split.rows) for split in splits)
    rows = joined.rows
    assert list(rows) == train + validation
    assert rows[-1] == validation[-1]
    assert rows[len(train) - 2 : len(train) + 2] == train[-2:] + validation[:2]
    with pytest.raises(IndexError):
        rows[len(rows)]


def test_skus_of_two_splits_with_one_id_are_two(
    splits: "list[DeepFashion2ImageTextDataset]", joined: "JoinedDataset"
) -> None:
    from df2_assets.torch.skus import SkuRows

    separate = [SkuRows(split) for split in splits]
    together = SkuRows(joined)
    ids = {uid.partition("/")[2] for uid in together.sku_uids}
    assert len(together) == sum(map(len, separate)) > len(ids)
    assert [together.sku_uids[number] for number in together.numbers] == [
        uid_of(row) for row in joined.rows
    ]


def test_samplers_and_pairs_do_not_mix_the_splits(joined: "JoinedDataset") -> None:
    from df2_assets.torch import CatalogQueryPairs, DistinctTextBatchSampler, PKBatchSampler
    from df2_assets.torch.skus import SkuRows

    rows = list(joined.rows)
    skus = len(SkuRows(joined))
    drawn = [{uid_of(rows[row]) for row in batch} for batch in PKBatchSampler(joined, 1, 30)]
    assert all(len(uids) == 1 for uids in drawn)
    assert len(set().union(*drawn)) == len(drawn) == skus

    pairs = CatalogQueryPairs(joined)
    counts = Counter((uid_of(row), row["domain"]) for row in rows)
    uids = {uid_of(row) for row in rows}
    assert len(pairs) == sum(counts[uid, "catalog"] * counts[uid, "query"] for uid in uids)
    for place in range(len(pairs)):
        catalog, query = (rows[row] for row in pairs.rows(place))
        assert uid_of(catalog) == uid_of(query)
    assert pairs[len(pairs) - 1]["sku_uid"].startswith("validation/")

    in_batches = {
        uid_of(rows[row]) for batch in DistinctTextBatchSampler(joined, 8) for row in batch
    }
    assert {uid.partition("/")[0] for uid in in_batches} == {"train", "validation"}


def test_workers_of_a_loader_load_joined_splits(joined: "JoinedDataset") -> None:
    from torch.utils.data import DataLoader

    from df2_assets.torch import PKBatchSampler

    batches = list(PKBatchSampler(joined, 4, 2))
    loader: DataLoader[Any] = DataLoader(
        joined,
        batch_sampler=batches,
        num_workers=2,
        collate_fn=list,
        multiprocessing_context="spawn",
    )
    rows = list(joined.rows)
    assert [[item["meta"] for item in batch] for batch in loader] == [
        [rows[row] for row in batch] for batch in batches
    ]


def test_a_pickled_join_is_the_same(joined: "JoinedDataset") -> None:
    copy = pickle.loads(pickle.dumps(joined))  # noqa: S301
    assert list(copy.rows) == list(joined.rows)
    assert copy[len(copy) - 1] == joined[len(joined) - 1]


def test_splits_of_different_folders_are_joined(
    splits: "list[DeepFashion2ImageTextDataset]", dataset: "DeepFashion2ImageTextDataset"
) -> None:
    from df2_assets.torch import join
    from df2_assets.torch.skus import SkuRows

    joined = join([dataset, splits[1]])
    assert len(SkuRows(joined)) == len(SkuRows(dataset)) + len(SkuRows(splits[1]))
    assert joined[0] == dataset[0]
    assert joined[-1] == splits[1][-1]


def test_a_split_is_joined_only_once(
    splits: "list[DeepFashion2ImageTextDataset]", dataset: "DeepFashion2ImageTextDataset"
) -> None:
    from df2_assets.torch import join

    for twice in ([splits[0], splits[0]], [splits[0], dataset], []):
        with pytest.raises(ValueError, match="give at least one, and each only once"):
            join(twice)
    for other in ([[1, 2]], [join(splits)]):
        with pytest.raises(TypeError, match="cannot be joined"):
            join(other)  # type: ignore[arg-type]


def test_what_would_merge_the_skus_of_splits_is_refused(
    splits: "list[DeepFashion2ImageTextDataset]",
) -> None:
    from torch.utils.data import ConcatDataset, Subset

    from df2_assets.torch import CatalogQueryPairs, DistinctTextBatchSampler, PKBatchSampler

    concatenated: Any = ConcatDataset(splits)
    for other in (concatenated, Subset(splits[0], [0, 1])):
        for use in (
            lambda other: PKBatchSampler(other, 2, 2),
            CatalogQueryPairs,
            lambda other: DistinctTextBatchSampler(other, 2),
        ):
            with pytest.raises(TypeError, match=r"joined by df2_assets\.torch\.join"):
                use(other)


def test_a_file_with_lines_of_two_splits_is_refused(
    splits: "list[DeepFashion2ImageTextDataset]", tmp_path: Path
) -> None:
    from df2_assets.torch import CatalogQueryPairs, DeepFashion2ImageTextDataset, PKBatchSampler

    root = tmp_path / "sku"
    shutil.copytree(splits[0].sku_root, root)
    files = [root / f"{split.split}_image_text.jsonl" for split in splits]
    files[0].write_bytes(b"".join(file.read_bytes() for file in files))
    mixed = DeepFashion2ImageTextDataset(root, "train", strict=False)
    assert mixed[0] == splits[0][0]
    for use in (
        CatalogQueryPairs,
        lambda mixed: PKBatchSampler(mixed, 2, 2),
        lambda mixed: mixed[-1],
    ):
        with pytest.raises(ProvenanceError, match="a line of the split 'validation'"):
            use(mixed)
