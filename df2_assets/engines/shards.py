"""Division of work into shards, and the retry of shards whose worker died.

A shard is a named tuple whose last field is the list of its items: images, crops or files.
"""

import logging
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from typing import Any, TypeVar

from df2_assets.engines.base import Engine, Lost, R, describe_shard

_log = logging.getLogger(__name__)

S = TypeVar("S", bound=tuple[Any, ...])


def map_shards(
    engine: Engine, function: Callable[[S], R], whole: S, size: int
) -> Generator[tuple[S, R | Lost], None, None]:
    """Map `function` over `whole` in shards of at most `size` items; yield each with its result.

    The last shards are small, so that the workers end at about the same time.

    If a shard is lost, each of its items runs again by itself, so that a `Lost` always concerns a
    shard of one item. The caller closes the iterator, as with `Engine.map`.
    """
    single_items: list[S] = []
    with closing(engine.map(function, split_shard(whole, size, 2 * engine.workers))) as results:
        for shard, result in results:
            if isinstance(result, Lost) and len(shard[-1]) > 1:
                _log.warning("Lost %s: each runs again by itself.", describe_shard(shard))
                single_items += split_shard(shard, 1)
            else:
                yield shard, result
    if single_items:
        with closing(engine.map(function, single_items)) as results:
            yield from results


def split_shard(whole: S, size: int, shares: int = 1) -> Iterator[S]:
    """Yield `whole` as shards: of `size` items, or of one share of what is left if that is less."""
    *common, items = whole
    start = 0
    while start < len(items):
        end = start + min(size, -(-(len(items) - start) // shares))
        yield type(whole)(*common, items[start:end])  # type: ignore[call-arg]
        start = end
