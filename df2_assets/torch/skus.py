"""The row numbers of the crops of each SKU, as arrays."""

import msgspec
import numpy as np
from numpy.typing import NDArray

from df2_assets.torch.dataset import DeepFashion2ImageTextDataset, JoinedDataset, list_parts


class _Label(msgspec.Struct):
    split: str
    sku_id: str
    domain: str


class SkuRows:
    """The row numbers of the crops of each SKU, catalog before query.

    SKUs are numbered from 0 in the order in which they occur. `sku_uids` has their ids with their
    splits, and `numbers` the SKU of each row. Everything else is in three arrays, with 8 bytes per
    row or per SKU.

    Raises TypeError if `dataset` is not one of this package, and ProvenanceError if the JSONL of a
    split has a line of another one.
    """

    def __init__(self, dataset: DeepFashion2ImageTextDataset | JoinedDataset) -> None:
        parts = list_parts(dataset)
        decode = msgspec.json.Decoder(_Label).decode
        uids: dict[str, int] = {}
        size = sum(map(len, parts))
        of, query = np.empty(size, np.int32), np.empty(size, np.bool_)
        lines = ((part, line) for part in parts for line in part.rows.lines())
        for place, (part, line) in enumerate(lines):
            label = decode(line)
            part.require_own_split(label.split)
            of[place] = uids.setdefault(f"{label.split}/{label.sku_id}", len(uids))
            query[place] = label.domain == "query"
        self.sku_uids = list(uids)
        self.numbers = of
        counts = np.bincount(of, minlength=len(uids))
        self._rows = np.lexsort((query, of))
        self._starts = np.concatenate([[0], np.cumsum(counts)])
        self._queries = self._starts[1:] - np.bincount(of[query], minlength=len(uids))

    def __len__(self) -> int:
        return len(self.sku_uids)

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
