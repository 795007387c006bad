"""Which rows are crops of which SKU, as arrays."""

import msgspec
import numpy as np
from numpy.typing import NDArray

from df2_assets.torch.rows import Rows


class _Label(msgspec.Struct):
    sku_id: str
    domain: str


class SkuRows:
    """The numbers of the rows of each SKU, catalog before query.

    SKUs are numbered from 0 in the order in which they occur, and `sku_ids` are their ids. All
    else is three arrays of 8 bytes a row or a SKU.
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
        """The catalog rows of a SKU."""
        rows: list[int] = self._rows[self._starts[sku] : self._queries[sku]].tolist()
        return rows

    def query(self, sku: int) -> list[int]:
        """The query rows of a SKU."""
        rows: list[int] = self._rows[self._queries[sku] : self._starts[sku + 1]].tolist()
        return rows

    def pairs(self) -> NDArray[np.int64]:
        """How many catalog-query pairs each SKU has."""
        catalog = self._queries - self._starts[:-1]
        queries = self._starts[1:] - self._queries
        return np.asarray(catalog * queries)
