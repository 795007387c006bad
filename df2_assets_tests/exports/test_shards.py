"""Which rows share a shard, and how little changes when few rows change."""

import random
from collections.abc import Iterator
from itertools import groupby

from df2_assets.exports.shards import ExportShard, Limits, plan_shards, split_rows
from df2_assets.exports.source import Row

LIMITS = Limits(samples=400, bytes=1_000_000)


def crop(sku: int, number: int, size: int = 1_000) -> Row:
    fields = {"sku_id": f"{sku:06d}_01_01", "image_path": f"{sku}/{number}"}
    return Row(fields, (0, 0, 8, 8), size, f"{sku:032d}{number:032d}", 8, 8)


def split(skus: int = 1_500) -> list[Row]:
    rng = random.Random(5)
    return [crop(sku, number) for sku in range(skus) for number in range(rng.randint(2, 14))]


def keys(shards: list[ExportShard]) -> set[str]:
    return {shard.key for shard in shards}


def test_shards_follow_one_another_and_are_nearly_full() -> None:
    rows = split()
    shards = plan_shards(rows, "1", LIMITS)
    ends = [shard.first + shard.samples for shard in shards]
    assert [shard.first for shard in shards] == [0, *ends[:-1]]
    assert ends[-1] == len(rows)
    assert all(shard.samples <= LIMITS.samples for shard in shards)
    assert all(4 * shard.samples >= 3 * LIMITS.samples - 4 * 14 for shard in shards[:-1])


def test_bytes_limit_a_shard_as_well() -> None:
    rows = [crop(sku, number, size=10_000) for sku in range(300) for number in range(5)]
    shards = plan_shards(rows, "1", LIMITS)
    assert all(shard.bytes <= LIMITS.bytes for shard in shards)
    assert all(4 * shard.bytes >= 3 * LIMITS.bytes - 200_000 for shard in shards[:-1])


def test_no_sku_is_split_even_if_it_exceeds_a_shard() -> None:
    rows = [*split(40), *(crop(40, number) for number in range(1_000)), crop(41, 0)]
    shards = plan_shards(rows, "1", LIMITS)
    owners: dict[str, set[str]] = {}
    for shard, members in split_rows(rows, shards):
        for row in members:
            owners.setdefault(row.fields["sku_id"], set()).add(shard.key)
    assert {len(found) for found in owners.values()} == {1}
    assert max(shard.samples for shard in shards) == 1_000


def test_an_added_or_removed_crop_changes_its_own_shard_and_rarely_another() -> None:
    rows = split()
    before = keys(plan_shards(rows, "1", LIMITS))
    changed = []
    for at in range(0, len(rows), len(rows) // 20):
        sku = int(rows[at].fields["sku_id"][:6])
        more = [*rows[:at], crop(sku, 99), *rows[at:]]
        less = [*rows[:at], *rows[at + 1 :]]
        changed += [len(keys(plan_shards(other, "1", LIMITS)) - before) for other in (more, less)]
    assert len(before) > 30
    assert sorted(changed)[len(changed) // 2] == 1
    assert sum(changed) / len(changed) < 2


def test_a_shard_of_other_bytes_or_another_version_is_another() -> None:
    rows = split(200)
    before = plan_shards(rows, "1", LIMITS)
    other = [*rows]
    other[7] = other[7]._replace(sha256="0" * 64)
    after = plan_shards(other, "1", LIMITS)
    assert [a.key == b.key for a, b in zip(before, after, strict=True)] == [
        False,
        *[True] * (len(before) - 1),
    ]
    assert keys(plan_shards(rows, "2", LIMITS)).isdisjoint(keys(before))


def test_without_rows_there_is_one_empty_shard() -> None:
    (shard,) = plan_shards([], "1", LIMITS)
    assert (shard.first, shard.samples, shard.bytes) == (0, 0, 0)
    assert [list(rows) for _, rows in split_rows([], [shard])] == [[]]


def test_the_rows_of_some_shards_are_read_in_one_pass() -> None:
    rows = split(300)
    shards = plan_shards(rows, "1", LIMITS)
    some = shards[1::2]
    assert len(some) > 2

    def once() -> Iterator[Row]:
        yield from rows

    for shard, members in split_rows(once(), some):
        assert list(members) == rows[shard.first : shard.first + shard.samples]
    by_sku = [sku for sku, _ in groupby(rows, key=lambda row: row.fields["sku_id"])]
    assert len(by_sku) == 300
