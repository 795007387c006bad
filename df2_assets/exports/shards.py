"""Planning of shards, so that few shards change when few rows change."""

import hashlib
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import NamedTuple

import msgspec

from df2_assets.exports.source import Row


class Limits(NamedTuple):
    """The most crops, and bytes of crops, of a shard. A single SKU may exceed them.

    Of 256 SKUs, about `marked` have an id that marks them as the first SKU of a shard.
    """

    samples: int = 10_000
    bytes: int = 256 * 1024 * 1024
    marked: int = 4


class ExportShard(NamedTuple):
    """The rows from `first` to `first + samples` (exclusive), with `bytes` of crops.

    `key` is a digest of the rows, their crops and their shapes.
    """

    first: int
    samples: int
    bytes: int
    key: str


def plan_shards(
    rows: Iterable[Row], version: str, limits: Limits | None = None
) -> list[ExportShard]:
    """Split rows into shards, in their order. Without rows, return one empty shard.

    A SKU is never split. A shard ends where the next SKU does not fit or, once it is three quarters
    full, before a SKU that is marked by the digest of its id. An added or removed crop therefore
    changes its own shard, but later shards still begin at the same marked SKUs. (With a fixed
    number of rows per shard, all later shards would change.)
    """
    limits = limits or Limits()
    shards: list[ExportShard] = []
    first = samples = size = 0
    content = hashlib.sha256(version.encode())
    for sku_id, group in groupby(rows, key=lambda row: str(row.fields["sku_id"])):
        members = list(group)
        weight = sum(row.size for row in members)
        fits = samples + len(members) <= limits.samples and size + weight <= limits.bytes
        enough = 4 * samples >= 3 * limits.samples or 4 * size >= 3 * limits.bytes
        if samples and (not fits or (enough and _is_marked(sku_id, limits))):
            shards.append(ExportShard(first, samples, size, content.hexdigest()))
            first, samples, size = first + samples, 0, 0
            content = hashlib.sha256(version.encode())
        samples, size = samples + len(members), size + weight
        for row in members:
            content.update(msgspec.json.encode(row.fields))
            content.update(row.sha256.encode())
            if row.shapes is not None:
                content.update(msgspec.json.encode(row.shapes))
    shards.append(ExportShard(first, samples, size, content.hexdigest()))
    return shards


def split_rows(
    rows: Iterable[Row], shards: Iterable[ExportShard]
) -> Iterator[tuple[ExportShard, Iterator[Row]]]:
    """Yield each shard with its rows, in one pass. The caller must consume all rows of a shard."""
    numbered = enumerate(rows)
    for shard in shards:
        yield shard, _take(numbered, shard.first, shard.first + shard.samples)


def _take(numbered: Iterator[tuple[int, Row]], first: int, end: int) -> Iterator[Row]:
    if first == end:
        return
    for number, row in numbered:
        if number >= first:
            yield row
        if number + 1 == end:
            return


def _is_marked(sku_id: str, limits: Limits) -> bool:
    return hashlib.sha256(sku_id.encode()).digest()[0] < limits.marked
