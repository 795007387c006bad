"""The row numbers of the crops of each SKU, as arrays."""

import msgspec
import numpy as np
from numpy.typing import NDArray

from df2_assets.torch.rows import Rows


class _Label(msgspec.Struct):
    sku_id: str
    domain: str


class SkuRows:
    """The row numbers of the crops of each SKU, catalog before query.

    SKUs are numbered from 0 in the order in which they occur. `sku_ids` has their ids. Everything
    else is in three arrays, with 8 bytes per row or per SKU.
    """

    def __init__(self, rows: Rows) -> None:
        decode = msgspec.json.Decoder(_Label).decode
        numbers: dict[str, int] = {}
        of, query = np.empty(len(rows), np.int32), np.empty(len(rows), np.bool_)
        for place, line in enumerate(rows.lines()):
            label = decode(line)
            of[place] = numbers.setdefault(label.sku_id, len(numbers))
            query[place] = label.domain == "query"
        self.sku_ids = list(numbers)
        counts = np.bincount(of, minlength=len(numbers))
        self._rows = np.lexsort((query, of))
        self._starts = np.concatenate([[0], np.cumsum(counts)])
        self._queries = self._starts[1:] - np.bincount(of[query], minlength=len(numbers))

    def __len__(self) -> int:
        return len(self.sku_ids)

    def catalog(self, sku: int) -> list[int]:
        """Return the catalog rows of a SKU."""
        rows: list[int] = self._rows[self._starts[sku] : self._queries[sku]].tolist()
        return rows

    def query(self, sku: int) -> list[int]:
        """Return the query rows of a SKU."""
        rows: list[int] = self._rows[self._queries[sku] : self._starts[sku + 1]].tolist()
        return rows

    def count_pairs(self) -> NDArray[np.int64]:
        """Return the number of catalog-query pairs of each SKU."""
        catalog = self._queries - self._starts[:-1]
        queries = self._starts[1:] - self._queries
        return np.asarray(catalog * queries)
