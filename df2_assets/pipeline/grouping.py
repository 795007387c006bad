"""Grouping a range of pair ids at a time: what it takes besides its tables does not grow."""

from collections.abc import Iterator
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from df2_assets.dataset.skus import group
from df2_assets.dataset.tables import SKU_GROUPS
from df2_assets.store import tables

_ROWS: Final = 500_000
"""Of a range, about: 350 MB while it is grouped."""


def group_index(index: pa.Table) -> pa.Table:
    """The table `sku_groups` of an index, in its order.

    No SKU lies in two ranges, and SKU ids sort as their pair ids do: one range after another is
    in the order that all of it would be in.
    """
    parts = [tables.from_frame(group(tables.frame(part)), SKU_GROUPS) for part in _ranges(index)]
    return pa.concat_tables(parts).combine_chunks()


def _ranges(index: pa.Table) -> Iterator[pa.Table]:
    """The rows of an index by ranges of pair ids; all of them at once where they are few."""
    if index.num_rows <= _ROWS:
        yield index
        return
    pairs = index["pair_id"]
    ordered = np.sort(pairs.drop_null().to_numpy())
    edges = np.unique(ordered[::_ROWS])
    for first, after in zip(edges, [*edges[1:], ordered[-1] + 1], strict=True):
        inside = pc.and_(pc.greater_equal(pairs, int(first)), pc.less(pairs, int(after)))
        yield index.filter(inside)
