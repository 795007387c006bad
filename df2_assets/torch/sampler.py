"""A sampler for batches of P SKUs with K crops each."""

import random
from collections.abc import Iterator

import numpy as np
from torch.utils.data import Sampler

from df2_assets.torch.dataset import DeepFashion2ImageTextDataset
from df2_assets.torch.skus import SkuRows


class PKBatchSampler(Sampler[list[int]]):
    """Batches of `skus` SKUs with `crops` crops each, for `DataLoader(dataset, batch_sampler=…)`.

    Each SKU occurs once per epoch, in a new order every time. SKUs that do not fill a last batch
    are left out of the epoch. If a SKU has fewer crops than `crops`, some of them are repeated.
    With `both_domains`, each SKU has at least one catalog crop and one query crop in the batch, and
    SKUs with crops of only one domain are left out.

    `seed` and the epoch decide every batch: call `set_epoch` before each epoch. Raises ValueError
    if a batch cannot be filled.
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
        self._usable = list(range(len(self._skus)))
        if both_domains:
            self._usable = np.flatnonzero(self._skus.count_pairs()).tolist()
        if not 1 <= skus <= len(self._usable):
            which = "with both domains" if both_domains else "of the split"
            raise ValueError(
                f"skus is {skus}: give a number from 1 to {len(self._usable)}, the SKUs {which}."
            )
        if crops < 1 + both_domains:
            raise ValueError(f"crops is {crops}: give {1 + both_domains} or more.")
        self._skus_per_batch, self._crops_per_sku = skus, crops
        self._both_domains = both_domains
        self._seed, self._epoch = seed, 0

    def set_epoch(self, epoch: int) -> None:
        self._epoch = epoch

    def __len__(self) -> int:
        return len(self._usable) // self._skus_per_batch

    def __iter__(self) -> Iterator[list[int]]:
        rng = random.Random(f"{self._seed}/{self._epoch}")
        order = self._usable.copy()
        rng.shuffle(order)
        for batch in range(len(self)):
            skus = order[batch * self._skus_per_batch : (batch + 1) * self._skus_per_batch]
            yield [row for sku in skus for row in self._draw_crops(sku, rng)]

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
