"""Batches in which equal texts are of one SKU, and the targets of their loss."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from df2_assets.store import state
from df2_assets.store.layout import Roots
from df2_assets_tests.torch.conftest import ROWS

if TYPE_CHECKING:
    from df2_assets.torch import DeepFashion2ImageTextDataset

pytestmark = pytest.mark.torch


def write_split(
    root: Path, texts: list[tuple[str, int]], text_key: str = "text"
) -> "DeepFashion2ImageTextDataset":
    """Write the lines of a split with these texts and numbers of SKUs, and no crops."""
    from df2_assets.torch import DeepFashion2ImageTextDataset

    roots = Roots(Path(), root, "")
    (root / "train").mkdir()
    lines = [
        {"split": "train", "sku_id": f"{sku:06d}_01_01", "domain": "query", text_key: text}
        for text, sku in texts
    ]
    roots.image_text("train").write_bytes(
        b"".join(msgspec.json.encode(line) + b"\n" for line in lines)
    )
    state.save(roots, "train", state.State(complete=True))
    return DeepFashion2ImageTextDataset(root, "train", text_key=text_key)


def count_false_negatives(rows: list[dict[str, Any]], batch: list[int], key: str = "text") -> int:
    """Return the number of pairs in a batch with equal texts and different SKUs."""
    skus = Counter((rows[row][key], rows[row]["sku_id"]) for row in batch)
    texts = Counter(rows[row][key] for row in batch)
    of_text, of_sku = (
        sum(count * (count - 1) // 2 for count in counts.values()) for counts in (texts, skus)
    )
    return of_text - of_sku


@pytest.mark.parametrize("batch_size", [1, 4, 11, 16])
def test_equal_texts_in_a_batch_are_of_one_sku(
    dataset: "DeepFashion2ImageTextDataset", batch_size: int
) -> None:
    from df2_assets.torch import DistinctTextBatchSampler

    rows = list(dataset.rows)
    sampler = DistinctTextBatchSampler(dataset, batch_size)
    for epoch in range(5):
        sampler.set_epoch(epoch)
        batches = list(sampler)
        assert len(batches) == len(sampler) >= 1
        assert {len(batch) for batch in batches} == {batch_size}
        assert sum(count_false_negatives(rows, batch) for batch in batches) == 0
        drawn = [row for batch in batches for row in batch]
        assert len(set(drawn)) == len(drawn) == len(rows) - sampler.rows_left_out


def test_random_batches_have_false_negatives(dataset: "DeepFashion2ImageTextDataset") -> None:
    rows = list(dataset.rows)
    assert count_false_negatives(rows, list(range(len(rows)))) > 10


def test_epochs_and_seeds_differ_and_are_repeated(dataset: "DeepFashion2ImageTextDataset") -> None:
    from df2_assets.torch import DistinctTextBatchSampler

    def batches(seed: int, epoch: int) -> list[list[int]]:
        sampler = DistinctTextBatchSampler(dataset, 8, seed=seed)
        sampler.set_epoch(epoch)
        return list(sampler)

    assert batches(1, 2) == batches(1, 2)
    assert len({str(batches(*each)) for each in ((1, 2), (1, 3), (2, 2))}) == 3


def test_every_row_is_drawn_if_all_texts_differ(tmp_path: Path) -> None:
    from df2_assets.torch import DistinctTextBatchSampler

    dataset = write_split(tmp_path, [(f"text {row}", row // 3) for row in range(60)])
    sampler = DistinctTextBatchSampler(dataset, 20)
    assert sampler.rows_left_out == 0
    assert sorted(row for batch in sampler for row in batch) == list(range(60))


def test_few_texts_are_filled_up_with_crops_of_the_same_skus(tmp_path: Path) -> None:
    """Two texts, each of three SKUs with 1, 2 and 3 crops: at most six rows fit together."""
    from df2_assets.torch import DistinctTextBatchSampler

    texts = [
        (text, 10 * number + sku) for number, text in enumerate("ab") for sku in (1, 2, 2, 3, 3, 3)
    ]
    dataset = write_split(tmp_path, texts)
    rows = list(dataset.rows)
    for epoch in range(20):
        sampler = DistinctTextBatchSampler(dataset, 6)
        sampler.set_epoch(epoch)
        (batch,) = sampler
        assert Counter(rows[row]["sku_id"] for row in batch) == {
            "000003_01_01": 3,
            "000013_01_01": 3,
        }
        assert sampler.rows_left_out == 6
    for batch_size in (0, 7):
        with pytest.raises(
            ValueError,
            match=f"batch_size is {batch_size}: give a number from 1 to 6. There are 2 different",
        ):
            DistinctTextBatchSampler(dataset, batch_size)


def test_the_rest_has_the_most_frequent_text(tmp_path: Path) -> None:
    from df2_assets.torch import DistinctTextBatchSampler

    often = [("often", row) for row in range(40)]
    rare = [(f"rare {row}", 100 + row) for row in range(10)]
    dataset = write_split(tmp_path, often + rare)
    sampler = DistinctTextBatchSampler(dataset, 2)
    assert (len(sampler), sampler.rows_left_out) == (10, 30)
    assert all(len({row < 40 for row in batch}) == 2 for batch in sampler)


def test_texts_are_those_of_the_text_key(tmp_path: Path) -> None:
    from df2_assets.torch import DistinctTextBatchSampler

    texts = [(f"text {row % 4}", row) for row in range(40)]
    dataset = write_split(tmp_path, texts, text_key="caption")
    rows = list(dataset.rows)
    for batch in DistinctTextBatchSampler(dataset, 4):
        assert count_false_negatives(rows, batch, "caption") == 0
    dataset.text_key = "text"
    with pytest.raises(KeyError):
        DistinctTextBatchSampler(dataset, 4)


def test_the_rows_of_a_full_split_are_drawn(large_root: Path) -> None:
    from df2_assets.torch import DeepFashion2ImageTextDataset, DistinctTextBatchSampler

    dataset = DeepFashion2ImageTextDataset(large_root, "train", text_key="category_name")
    with pytest.raises(ValueError, match=r"from 1 to 10\. There are 1 different texts"):
        DistinctTextBatchSampler(dataset, 11)
    dataset = DeepFashion2ImageTextDataset(large_root, "train")
    sampler = DistinctTextBatchSampler(dataset, 256)
    assert len(sampler) == ROWS // 256
    assert sampler.rows_left_out == ROWS % 256


def test_targets_are_the_identity_if_all_texts_and_skus_differ() -> None:
    import torch

    from df2_assets.torch import compute_targets

    assert compute_targets(["a", "b", "c"], ["1", "2", "3"]).equal(torch.eye(3))
    assert compute_targets([], []).shape == (0, 0)


def test_targets_share_a_row_among_equal_texts_and_crops_of_a_sku(
    dataset: "DeepFashion2ImageTextDataset",
) -> None:
    from df2_assets.torch import compute_targets

    rows = dataset.rows[::7]
    texts, skus = ([row[name] for row in rows] for name in ("text", "sku_id"))
    targets = compute_targets(texts, skus)
    assert targets.shape == (len(rows), len(rows))
    for row in range(len(rows)):
        positive = [
            texts[row] == texts[other] or skus[row] == skus[other] for other in range(len(rows))
        ]
        expected = [is_positive / sum(positive) for is_positive in positive]
        assert targets[row].tolist() == pytest.approx(expected)
    with pytest.raises(ValueError, match="1 texts and 2 SKUs"):
        compute_targets(["a"], ["1", "2"])


def test_the_loss_is_that_of_its_formula() -> None:
    """Compare with the mean over positives of the log-probabilities, written out."""
    import torch
    import torch.nn.functional as F

    from df2_assets.torch import compute_targets

    texts, skus = ["a", "a", "b", "c"], ["1", "2", "2", "3"]
    targets = compute_targets(texts, skus)
    logits = torch.randn(4, 4, generator=torch.Generator().manual_seed(0))
    positives = [[0, 1], [0, 1, 2], [1, 2], [3]]
    for scores in (logits, logits.T):
        terms = [
            -sum(scores[row, other] - scores[row].exp().sum().log() for other in others)
            / len(others)
            for row, others in enumerate(positives)
        ]
        assert F.cross_entropy(scores, targets).item() == pytest.approx(float(sum(terms)) / 4)
