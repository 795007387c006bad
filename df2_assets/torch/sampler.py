"""Batches of P SKUs with K crops each."""

import random
from collections.abc import Iterator

from torch.utils.data import Sampler

from df2_assets.torch.dataset import DeepFashion2ImageTextDataset
from df2_assets.torch.skus import SkuRows


class PKBatchSampler(Sampler[list[int]]):
    """For `DataLoader(dataset, batch_sampler=…)`: `skus` SKUs a batch, `crops` crops of each.

    In an epoch each SKU comes once, in another order each time; those that do not fill a last
    batch are left out of it. A SKU with fewer crops than `crops` gives all of them, and some again
    until there are enough. With `both_domains` at least one is a catalog and one a query crop.

    `seed` and the epoch decide every batch: call `set_epoch` before each. Raises ValueError where
    a batch cannot be filled.
    """

    def __init__(
        self,
        dataset: DeepFashion2ImageTextDataset,
        skus: int,
        crops: int,
        *,
        both_domains: bool = False,
        seed: int = 0,
    ) -> None:
        self._skus = SkuRows(dataset.rows)
        if not 1 <= skus <= len(self._skus):
            raise ValueError(f"skus is {skus}: the split has {len(self._skus)}, give 1 or more.")
        if crops < 1 + both_domains:
            raise ValueError(f"crops is {crops}: give {1 + both_domains} or more.")
        self._of_a_batch, self._of_a_sku = skus, crops
        self._both_domains = both_domains
        self._seed, self._epoch = seed, 0

    def set_epoch(self, epoch: int) -> None:
        self._epoch = epoch

    def __len__(self) -> int:
        return len(self._skus) // self._of_a_batch

    def __iter__(self) -> Iterator[list[int]]:
        rng = random.Random(f"{self._seed}/{self._epoch}")
        order = list(range(len(self._skus)))
        rng.shuffle(order)
        for batch in range(len(self)):
            skus = order[batch * self._of_a_batch : (batch + 1) * self._of_a_batch]
            yield [row for sku in skus for row in self._crops(sku, rng)]

    def _crops(self, sku: int, rng: random.Random) -> list[int]:
        catalog, query = self._skus.catalog(sku), self._skus.query(sku)
        rng.shuffle(catalog)
        rng.shuffle(query)
        first = [catalog.pop(), query.pop()] if self._both_domains else []
        rest = catalog + query
        rng.shuffle(rest)
        crops = first + rest
        chosen = crops[: self._of_a_sku]
        while missing := self._of_a_sku - len(chosen):
            chosen += rng.sample(crops, min(len(crops), missing))
        return chosen
