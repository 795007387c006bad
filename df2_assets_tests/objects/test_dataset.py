"""The PyTorch Dataset over a split in a bucket."""

import os
import pickle
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from df2_assets.errors import MissingSplitError, ProvenanceError
from df2_assets_tests.objects.conftest import on
from df2_assets_tests.support import processes
from df2_assets_tests.support.object_store import PICTURES, ObjectStore, Place

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def uploaded(store: ObjectStore, local: Path) -> Place:
    """Upload a local build to the bucket."""
    pytest.importorskip("torch", reason="needs the torch extra")
    place = Place(store, "out/dataset")
    place.upload(local)
    return place


def describe(item: dict[str, Any]) -> tuple[Any, ...]:
    return item["image"], item["text"], item["sku_id"], item["domain"], item["meta"]


def with_process(image: Image.Image) -> tuple[bytes, int]:
    """Return the pixels, and the process that read them."""
    return image.tobytes(), os.getpid()


@on("s3", "azure", "gcs")
def test_items_are_those_of_the_same_split_on_a_disk(
    store: ObjectStore, local: Path, uploaded: Place
) -> None:
    from df2_assets.torch import CatalogQueryPairs, DeepFashion2ImageTextDataset, PKBatchSampler

    with store.counting() as opening:
        there = DeepFashion2ImageTextDataset(uploaded.url, "train")
    assert dict(opening) == {"head": 1, "get": 2}, "is the JSONL there; the state and the JSONL"
    here = DeepFashion2ImageTextDataset(local, "train")
    assert len(there) == len(here) > 20
    with store.counting() as asked:
        for index in range(len(here)):
            assert describe(there[index]) == describe(here[index])
    assert dict(asked) == {PICTURES: len(here)}
    with store.counting() as asked:
        assert list(CatalogQueryPairs(there).dataset.rows) == list(here.rows)
        batches = [list(PKBatchSampler(one, skus=3, crops=2)) for one in (there, here)]
    assert batches[0] == batches[1]
    assert not asked


LOADING = """
import os, pickle, sys
from torch.utils.data import DataLoader
from df2_assets.torch import DeepFashion2ImageTextDataset
from df2_assets_tests.objects.test_dataset import with_process

url, start, file = sys.argv[1:]
dataset = DeepFashion2ImageTextDataset(url, "train", transform=with_process)
dataset[0]  # the client is in use before it is forked
loader = DataLoader(dataset, 4, num_workers=2, collate_fn=list, multiprocessing_context=start)
items = [(item["meta"], *item["image"]) for batch in loader for item in batch]
with open(file, "wb") as out:
    pickle.dump((os.getpid(), items), out)
"""
"""A process of its own, because one that has run other tests may not survive a fork."""


@pytest.mark.parametrize("start", ["spawn", "fork"])
def test_each_worker_of_a_loader_has_its_own_client(
    store: ObjectStore, local: Path, uploaded: Place, tmp_path: Path, start: str
) -> None:
    from df2_assets.torch import DeepFashion2ImageTextDataset

    here = DeepFashion2ImageTextDataset(local, "train", transform=with_process)
    command = (sys.executable, "-c", LOADING, uploaded.url, start, str(tmp_path / "items"))
    with store.counting() as asked:
        done = processes.run(command, processes.environment(tmp_path), processes.PROJECT)
    assert done.returncode == 0, done.stderr
    parent, items = pickle.loads((tmp_path / "items").read_bytes())  # noqa: S301 - just pickled
    metas, images, pids = zip(*items, strict=True)
    assert list(metas) == list(here.rows)
    assert list(images) == [here[at]["image"][0] for at in range(len(here))]
    workers = set(pids)
    assert len(workers) == 2
    assert parent not in workers
    fetched_again = len(workers) if start == "spawn" else 0
    opening = {"head": 1, "get": 2 + fetched_again}
    assert dict(asked) == {PICTURES: 1 + len(items), **opening}


def test_an_incomplete_or_changed_split_is_refused(uploaded: Place) -> None:
    from df2_assets.torch import DeepFashion2ImageTextDataset

    url, lines = uploaded.url, "train_image_text.jsonl"
    with pytest.raises(MissingSplitError, match=f"no split 'validation' in {url}, it has train"):
        DeepFashion2ImageTextDataset(url, "validation")
    dataset = DeepFashion2ImageTextDataset(url, "train")
    sent = pickle.dumps(dataset)
    whole = uploaded.get(lines)
    uploaded.put(lines, whole + whole)
    try:
        with pytest.raises(ProvenanceError, match=f"{url}/{lines} has changed since"):
            pickle.loads(sent)  # noqa: S301 - just pickled
        assert dataset[0]["text"]
    finally:
        uploaded.put(lines, whole)
    assert pickle.loads(sent)[0]["text"] == dataset[0]["text"]  # noqa: S301
