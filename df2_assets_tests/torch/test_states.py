"""Continuing in the middle of an epoch, also by the StatefulDataLoader of torchdata."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from df2_assets.torch import DeepFashion2ImageTextDataset, DistinctTextBatchSampler
    from df2_assets.torch import PKBatchSampler as PK

    Sampler = PK | DistinctTextBatchSampler

pytestmark = pytest.mark.torch


@pytest.fixture(params=["PKBatchSampler", "DistinctTextBatchSampler"])
def make(
    request: pytest.FixtureRequest, dataset: "DeepFashion2ImageTextDataset"
) -> "Callable[[], Sampler]":
    """Return a function that makes a sampler as in a new process."""
    from df2_assets.torch import DistinctTextBatchSampler, PKBatchSampler

    if request.param == "PKBatchSampler":
        return lambda: PKBatchSampler(dataset, 2, 3, seed=7)
    return lambda: DistinctTextBatchSampler(dataset, 6, seed=7)


def draw_epoch(sampler: "Sampler", epoch: int) -> list[list[int]]:
    sampler.set_epoch(epoch)
    return list(sampler)


def test_a_new_sampler_continues_after_every_batch(make: "Callable[[], Sampler]") -> None:
    whole, following = (draw_epoch(make(), epoch) for epoch in (3, 4))
    assert len(whole) > 3
    for stop in range(len(whole) + 1):
        sampler = make()
        sampler.set_epoch(3)
        batches: Iterator[list[int]] = iter(sampler)
        assert [next(batches) for _ in range(stop)] == whole[:stop]
        resumed = make()
        resumed.load_state_dict(sampler.state_dict())
        assert resumed.state_dict() == sampler.state_dict()
        assert draw_epoch(resumed, 3) == whole[stop:]
        assert draw_epoch(resumed, 4) == following
        assert draw_epoch(resumed, 3) == whole, "only the first iteration continues"


def test_batches_before_a_state_are_not_drawn(
    dataset: "DeepFashion2ImageTextDataset", monkeypatch: pytest.MonkeyPatch
) -> None:
    from df2_assets.torch import PKBatchSampler

    drawn: list[int] = []
    draw = PKBatchSampler._draw_crops

    def count(sampler: PKBatchSampler, sku: int, rng: Any) -> list[int]:
        drawn.append(sku)
        return draw(sampler, sku, rng)

    monkeypatch.setattr(PKBatchSampler, "_draw_crops", count)
    sampler = PKBatchSampler(dataset, 2, 3)
    last = len(sampler) - 1
    sampler.load_state_dict(sampler.state_dict() | {"batch": last})
    assert len(list(sampler)) == 1
    assert len(drawn) == 2, "the SKUs of the last batch"


def test_a_state_of_other_arguments_is_refused(
    make: "Callable[[], Sampler]", dataset: "DeepFashion2ImageTextDataset"
) -> None:
    from df2_assets.torch import PKBatchSampler

    for other in (PKBatchSampler(dataset, 2, 3), PKBatchSampler(dataset, 2, 2, seed=7)):
        with pytest.raises(ValueError, match=r"The state is that of PKBatchSampler\(rows="):
            make().load_state_dict(other.state_dict())


def test_without_prefetching_a_loader_can_be_any(make: "Callable[[], Sampler]") -> None:
    """A loader with workers draws in advance: then "batch" is the number that was used."""
    from torch.utils.data import DataLoader

    whole = draw_epoch(make(), 0)
    sampler = make()
    loader: DataLoader[Any] = DataLoader(
        range(10_000),
        batch_sampler=sampler,
        collate_fn=list,
        num_workers=1,
        multiprocessing_context="spawn",
    )
    batches = iter(loader)
    assert [next(batches), next(batches)] == whole[:2]
    assert sampler.state_dict()["batch"] > 2
    resumed = make()
    resumed.load_state_dict(sampler.state_dict() | {"batch": 2})
    assert list(resumed) == whole[2:]


@pytest.mark.filterwarnings("ignore:'set_vital' is deprecated")  # torchdata calls it
@pytest.mark.parametrize("workers", [0, 1])
def test_a_stateful_loader_continues_with_the_batch_after_the_last_used(
    make: "Callable[[], Sampler]", workers: int
) -> None:
    from torchdata.stateful_dataloader import StatefulDataLoader

    def start(state: dict[str, Any] | None, epoch: int) -> Any:
        sampler = make()
        loader = StatefulDataLoader(
            range(10_000),
            batch_sampler=sampler,
            collate_fn=list,
            num_workers=workers,
            multiprocessing_context="spawn" if workers else None,
        )
        if state:
            loader.load_state_dict(state)
        sampler.set_epoch(epoch)
        return loader

    whole, following = (draw_epoch(make(), epoch) for epoch in (1, 2))
    first = start(None, 1)
    states = [first.state_dict() for batch in first if batch]
    states.append(first.state_dict())
    for used in (2,) if workers else (1, len(whole) // 2, len(whole)):  # workers start slowly
        assert list(start(states[used - 1], 1)) == whole[used:]
    assert list(start(states[-1], 2)) == following, "the state after the epoch"
