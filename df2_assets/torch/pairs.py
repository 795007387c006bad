"""A Dataset of every catalog-query pair of a split, or of several that are joined."""

from typing import Any

import numpy as np
from torch.utils.data import Dataset

from df2_assets.torch.dataset import DeepFashion2ImageTextDataset, JoinedDataset
from df2_assets.torch.skus import SkuRows


class CatalogQueryPairs(Dataset[dict[str, Any]]):
    """Each catalog crop of a SKU with each of its query crops.

    An item is `{"sku_id", "sku_uid", "catalog", "query"}`. The last two are items of `dataset`. The
    order is by SKU as in the rows, then by catalog crop, then by query crop. No list of pairs is
    kept.
    """

    def __init__(self, dataset: DeepFashion2ImageTextDataset | JoinedDataset) -> None:
        self.dataset = dataset
        self._skus = SkuRows(dataset)
        self._ends = np.cumsum(self._skus.count_pairs())

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    def rows(self, index: int) -> tuple[int, int]:
        """Return the row numbers of the catalog crop and of the query crop of a pair.

        Raises IndexError.
        """
        place = range(len(self))[index]
        sku = int(np.searchsorted(self._ends, place, side="right"))
        before = int(self._ends[sku - 1]) if sku else 0
        queries = self._skus.query(sku)
        catalog, query = divmod(place - before, len(queries))
        return self._skus.catalog(sku)[catalog], queries[query]

    def __getitem__(self, index: int) -> dict[str, Any]:
        catalog, query = map(self.dataset.__getitem__, self.rows(index))
        labels = {name: catalog[name] for name in ("sku_id", "sku_uid")}
        return {**labels, "catalog": catalog, "query": query}
