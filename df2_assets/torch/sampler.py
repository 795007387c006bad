"""Samplers of batches for `DataLoader(dataset, batch_sampler=…)`.

All of them draw an epoch from a seed, and can continue in the middle of it.
"""

import heapq
import random
from abc import abstractmethod
from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Sampler

from df2_assets.torch.dataset import DeepFashion2ImageTextDataset, JoinedDataset, list_parts
from df2_assets.torch.skus import SkuRows


class EpochBatchSampler(Sampler[list[int]]):
    """Batches of row numbers that the seed and the epoch decide.

    Call `set_epoch` before each epoch. `state_dict` says how many batches of the epoch were drawn.
    After `load_state_dict`, also in a sampler in another process, the next iteration begins with
    the batch that follows, without drawing those before it. `StatefulDataLoader` of torchdata does
    both, and does not count batches that its workers have fetched in advance.
    """

    def __init__(self, seed: int, description: str) -> None:
        self._seed, self._epoch, self._drawn = seed, 0, 0
        self._start = (0, 0)
        self._description = f"{type(self).__name__}({description}, seed={seed})"

    @abstractmethod
    def _draw(self, epoch: int, first: int) -> Iterator[list[int]]:
        """Yield the batches of an epoch from number `first` on."""

    def set_epoch(self, epoch: int) -> None:
        if epoch != self._epoch:
            self._epoch = epoch
            self._drawn = self._get_first()

    def state_dict(self) -> dict[str, Any]:
        """Return the epoch, the number of its batches that were drawn, and the arguments."""
        return {"epoch": self._epoch, "batch": self._drawn, "sampler": self._description}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue where a sampler with the same arguments was.

        Raises ValueError if the state is of another data set or of other arguments.
        """
        if state["sampler"] != self._description:
            raise ValueError(
                f"The state is that of {state['sampler']}, and this is {self._description}: "
                "continue with the same data set and arguments."
            )
        named, self._epoch, self._drawn = self._epoch, state["epoch"], state["batch"]
        self._start = (self._epoch, self._drawn)
        if self._drawn >= len(self):
            # A loader loads the state of a finished epoch after `set_epoch` has named the next one.
            self._epoch = max(self._epoch, named)
            self._drawn = self._get_first()

    def __iter__(self) -> Iterator[list[int]]:
        self._drawn = self._get_first()
        self._start = (0, 0)
        return self._count(self._draw(self._epoch, self._drawn))

    def _get_first(self) -> int:
        """Return the number of the batch with which the next iteration begins."""
        epoch, first = self._start
        return first if epoch == self._epoch else 0

    def _count(self, batches: Iterator[list[int]]) -> Iterator[list[int]]:
        for batch in batches:
            self._drawn += 1
            yield batch


class PKBatchSampler(EpochBatchSampler):
    """Batches of `skus` SKUs with `crops` crops each.

    Each SKU occurs once per epoch, in a new order every time. SKUs that do not fill a last batch
    are left out of the epoch. If a SKU has fewer crops than `crops`, some of them are repeated.
    With `both_domains`, each SKU has at least one catalog crop and one query crop in the batch, and
    SKUs with crops of only one domain are left out.

    Raises ValueError if a batch cannot be filled.
    """

    def __init__(
        self,
        dataset: DeepFashion2ImageTextDataset | JoinedDataset,
        skus: int,
        crops: int,
        *,
        both_domains: bool = False,
        seed: int = 0,
    ) -> None:
        super().__init__(
            seed, f"rows={len(dataset)}, skus={skus}, crops={crops}, both_domains={both_domains}"
        )
        self._skus = SkuRows(dataset)
        pairs = self._skus.count_pairs()
        self._usable = np.flatnonzero(pairs) if both_domains else np.arange(len(pairs))
        if not 1 <= skus <= len(self._usable):
            which = "with both domains" if both_domains else "of the split"
            raise ValueError(
                f"skus is {skus}: give a number from 1 to {len(self._usable)}, the SKUs {which}."
            )
        if crops < 1 + both_domains:
            raise ValueError(f"crops is {crops}: give {1 + both_domains} or more.")
        self._skus_per_batch, self._crops_per_sku = skus, crops
        self._both_domains = both_domains

    def __len__(self) -> int:
        return len(self._usable) // self._skus_per_batch

    def _draw(self, epoch: int, first: int) -> Iterator[list[int]]:
        order = self._usable[_shuffle(len(self._usable), f"{self._seed}/{epoch}")]
        for number in range(first, len(self)):
            rng = random.Random(f"{self._seed}/{epoch}/{number}")
            skus = order[number * self._skus_per_batch : (number + 1) * self._skus_per_batch]
            yield [row for sku in skus.tolist() for row in self._draw_crops(sku, rng)]

    def _draw_crops(self, sku: int, rng: random.Random) -> list[int]:
        catalog, query = self._skus.catalog(sku), self._skus.query(sku)
        rng.shuffle(catalog)
        rng.shuffle(query)
        first = [catalog.pop(), query.pop()] if self._both_domains else []
        rest = catalog + query
        rng.shuffle(rest)
        crops = first + rest
        chosen = crops[: self._crops_per_sku]
        while missing := self._crops_per_sku - len(chosen):
            chosen += rng.sample(crops, min(len(crops), missing))
        return chosen


class DistinctTextBatchSampler(EpochBatchSampler):
    """Batches in which equal texts are always of one SKU.

    In a contrastive loss, equal texts of two SKUs are false negatives: the loss separates what is
    equal. A batch has `batch_size` rows. It takes each text once, as long as there are enough
    texts, and otherwise further crops of the SKUs that it already has with their texts. The texts
    are those of the data set, by its `text_key`.

    Each row occurs at most once per epoch. An epoch ends when no batch can be filled; the rest,
    `rows_left_out`, are rows with the most frequent texts. They are others in each epoch.

    Raises ValueError if no batch of this size can be filled, and KeyError if a line has no text.
    """

    def __init__(
        self,
        dataset: DeepFashion2ImageTextDataset | JoinedDataset,
        batch_size: int,
        *,
        seed: int = 0,
    ) -> None:
        super().__init__(seed, f"rows={len(dataset)}, batch_size={batch_size}")
        self._batch_size = batch_size
        self._skus = SkuRows(dataset).numbers
        self._texts = _number_texts(dataset)
        self._texts_count = len(np.unique(self._texts))
        keys = np.stack([self._texts, self._skus], axis=1)
        _, groups, sizes = np.unique(keys, axis=0, return_inverse=True, return_counts=True)
        # For each row, how many rows have its text and its SKU.
        self._alike: NDArray[np.int64] = sizes[groups.reshape(-1)]
        self._planned: tuple[int, NDArray[np.int64]] | None = None
        largest = np.zeros(self._texts_count, np.int64)
        np.maximum.at(largest, self._texts, self._alike)
        if not 1 <= batch_size <= largest.sum():
            raise ValueError(
                f"batch_size is {batch_size}: give a number from 1 to {largest.sum()}. There are "
                f"{self._texts_count} different texts, and only crops of one SKU may share one."
            )

    def __len__(self) -> int:
        return len(self._plan(self._epoch))

    @property
    def rows_left_out(self) -> int:
        """The number of rows that are in no batch of the epoch."""
        return len(self._texts) - len(self) * self._batch_size

    def _draw(self, epoch: int, first: int) -> Iterator[list[int]]:
        return map(np.ndarray.tolist, self._plan(epoch)[first:])

    def _plan(self, epoch: int) -> NDArray[np.int64]:
        """Return the row numbers of all batches of an epoch, (batches, batch_size)."""
        if self._planned is None or self._planned[0] != epoch:
            batches = list(self._fill_batches(epoch))
            self._planned = epoch, np.array(batches, np.int64).reshape(-1, self._batch_size)
        return self._planned[1]

    def _fill_batches(self, epoch: int) -> Iterator[list[int]]:
        """Yield full batches. Rows whose text the batch has already wait for the next batches."""
        order = np.array(_shuffle(len(self._texts), f"{self._seed}/{epoch}"), np.int64)
        if self._batch_size > self._texts_count:
            # Texts alone cannot fill a batch: begin with the SKUs that have the most crops alike.
            order = order[np.argsort(-self._alike[order], kind="stable")]
        coming = zip(
            order.tolist(), self._texts[order].tolist(), self._skus[order].tolist(), strict=True
        )
        waiting = _Waiting()
        while True:
            batch: list[int] = []
            sku_of: dict[int, int] = {}
            for text in waiting.list_texts(self._batch_size):
                sku_of[text], row = waiting.take_one(text)
                batch.append(row)
            while len(batch) < self._batch_size and (item := next(coming, None)):
                row, text, sku = item
                if text in sku_of:
                    waiting.add(text, sku, row)
                else:
                    sku_of[text] = sku
                    batch.append(row)
            for text, sku in sku_of.items():
                batch += waiting.take(text, sku, self._batch_size - len(batch))
            if len(batch) < self._batch_size:
                return
            yield batch


class _Waiting:
    """The rows that wait for a batch without their text, by text and SKU."""

    def __init__(self) -> None:
        self._rows: dict[int, dict[int, list[int]]] = {}

    def list_texts(self, most: int) -> list[int]:
        """Return the texts for which the most SKUs wait."""
        return heapq.nlargest(most, self._rows, key=lambda text: len(self._rows[text]))

    def add(self, text: int, sku: int, row: int) -> None:
        self._rows.setdefault(text, {}).setdefault(sku, []).append(row)

    def take_one(self, text: int) -> tuple[int, int]:
        """Remove a row with a text, of the SKU that has waited longest; return its SKU and it."""
        sku = next(iter(self._rows[text]))
        (row,) = self.take(text, sku, 1)
        return sku, row

    def take(self, text: int, sku: int, most: int) -> list[int]:
        """Remove rows with a text and a SKU, and return them."""
        rows = self._rows.get(text, {}).get(sku, [])
        taken = rows[:most]
        del rows[:most]
        if taken and not rows:
            del self._rows[text][sku]
            if not self._rows[text]:
                del self._rows[text]
        return taken


def _number_texts(dataset: DeepFashion2ImageTextDataset | JoinedDataset) -> NDArray[np.int32]:
    """Return a number for the text of each row: equal texts have equal numbers."""
    numbers: dict[str, int] = {}
    decode = msgspec.json.decode
    texts = (
        decode(line)[part.text_key] for part in list_parts(dataset) for line in part.rows.lines()
    )
    return np.fromiter((numbers.setdefault(text, len(numbers)) for text in texts), np.int32)


def _shuffle(count: int, seed: str) -> list[int]:
    """Return the numbers below `count` in the order that a seed decides."""
    order = list(range(count))
    random.Random(seed).shuffle(order)
    return order
