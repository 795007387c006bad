"""The engine of this process alone, and what becomes of shards that end their worker."""

from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from typing import Any, NamedTuple

import pytest

from df2_assets.engines.base import Lost, R, S
from df2_assets.engines.make import make_engine, require_usable
from df2_assets.engines.serial import SerialEngine
from df2_assets.engines.shards import map_shards
from df2_assets_tests.engines import work


class Numbers(NamedTuple):
    factor: int
    numbers: list[int]


def multiply(shard: Numbers) -> list[int]:
    return [shard.factor * number for number in shard.numbers]


class LosesThirteen(SerialEngine):
    """Loses each shard with a 13 in it, as an engine whose worker ends there."""

    def map(
        self, function: Callable[[S], R], shards: Iterable[S]
    ) -> Generator[tuple[S, Any], None, None]:
        for shard in shards:
            lost = isinstance(shard, Numbers) and 13 in shard.numbers
            yield shard, Lost("it was killed") if lost else function(shard)


def test_the_serial_engine_runs_each_shard_when_its_result_is_asked_for() -> None:
    engine = make_engine("serial")
    shards = iter(range(3))
    with closing(engine.map(work.square, shards)) as results:
        assert next(results) == (0, 0)
        assert next(shards) == 1
        assert list(results) == [(2, 4)]
    assert engine.workers == 1


def test_an_exception_of_a_shard_is_raised_by_the_serial_engine_as_it_is() -> None:
    with pytest.raises(ValueError, match="three"):
        list(make_engine("serial").map(work.complain, range(9)))


def test_an_unknown_engine_is_an_error() -> None:
    with pytest.raises(ValueError, match="There is no engine 'rye'"):
        make_engine("rye")
    require_usable("local", address="nowhere")


def test_work_is_cut_into_shards_of_at_most_a_size() -> None:
    with closing(map_shards(SerialEngine(), multiply, Numbers(2, [1, 2, 3]), 2)) as results:
        assert list(results) == [(Numbers(2, [1, 2]), [2, 4]), (Numbers(2, [3]), [6])]


def test_of_a_lost_shard_each_item_runs_again_by_itself_and_only_the_culprit_is_lost(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with closing(map_shards(LosesThirteen(), multiply, Numbers(1, [*range(20)]), 5)) as results:
        by_items = {tuple(shard.numbers): result for shard, result in results}
    assert by_items.pop((13,)) == Lost("it was killed")
    assert by_items == {items: list(items) for items in by_items}
    assert sorted(n for items in by_items for n in items) == [n for n in range(20) if n != 13]
    assert "Lost 5 from 10 to 14: each runs again by itself." in caplog.text
