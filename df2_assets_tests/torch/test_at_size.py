"""With as many rows as the release, the memory of a process does not grow with their number."""

import gc
import os
import pickle
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from df2_assets_tests.torch.conftest import ROWS, SKUS

pytestmark = pytest.mark.torch


def rows_of_the_process(image: Image.Image) -> tuple[int, int]:
    """Return the process id, and how many rows are Python objects in it."""
    dicts = (each for each in gc.get_objects() if type(each) is dict and "image_path" in each)
    return os.getpid(), sum(each.get("split") == "train" for each in dicts)


def test_no_row_is_an_object_until_it_is_requested(large_root: Path) -> None:
    from df2_assets.torch import CatalogQueryPairs, DeepFashion2ImageTextDataset, PKBatchSampler

    before = len(gc.get_objects())
    dataset = DeepFashion2ImageTextDataset(large_root, "train")
    pairs, sampler = CatalogQueryPairs(dataset), PKBatchSampler(dataset, 32, 4)
    assert len(gc.get_objects()) - before < 1000
    assert (len(dataset), len(pairs), len(sampler)) == (ROWS, SKUS * 24, SKUS // 32)
    for number in (0, 1, 137_000, ROWS - 1):
        assert dataset[number]["text"] == f"The text of row {number}."
        assert dataset[number]["meta"]["image_id"] == f"{number + 1:06d}"


def test_a_copy_for_a_worker_takes_eight_bytes_per_row(large_root: Path) -> None:
    from df2_assets.torch import DeepFashion2ImageTextDataset

    dataset = DeepFashion2ImageTextDataset(large_root, "train")
    assert len(pickle.dumps(dataset)) < 8 * ROWS + 2000


def test_workers_only_hold_the_rows_of_their_batch(large_root: Path) -> None:
    from torch.utils.data import DataLoader

    from df2_assets.torch import DeepFashion2ImageTextDataset, PKBatchSampler

    dataset = DeepFashion2ImageTextDataset(large_root, "train", transform=rows_of_the_process)
    batches = list(PKBatchSampler(dataset, 2, 2, both_domains=True))[:2]
    loader: DataLoader[Any] = DataLoader(
        dataset,
        batch_sampler=batches,
        num_workers=2,
        collate_fn=list,
        multiprocessing_context="spawn",
    )
    items = [item for batch in loader for item in batch]
    assert [item["text"] for item in items] == [
        f"The text of row {number}." for batch in batches for number in batch
    ]
    processes = {pid for pid, _ in (item["image"] for item in items)}
    assert len(processes) == 2
    assert os.getpid() not in processes
    assert all(1 <= held <= 4 for _, held in (item["image"] for item in items))
