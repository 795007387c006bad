"""The engine that runs shards in threads of this process."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice

from df2_assets.engines.base import Engine, Lost, R, S


class ThreadEngine:
    """An engine for functions that keep a model in memory, of which there is room for only one.

    A shard that crashes its process ends the whole run.
    """

    def __init__(self, workers: int) -> None:
        self.workers = workers

    def map(
        self, function: Callable[[S], R], shards: Iterable[S]
    ) -> Generator[tuple[S, R | Lost], None, None]:
        """See `Engine.map`. The results have the order of the shards."""
        waiting = iter(shards)
        in_flight: deque[tuple[S, Future[R]]] = deque()
        with ThreadPoolExecutor(self.workers) as pool:
            try:
                while True:
                    for shard in islice(waiting, 2 * self.workers + 1 - len(in_flight)):
                        in_flight.append((shard, pool.submit(function, shard)))
                    if not in_flight:
                        return
                    shard, future = in_flight[0]
                    result = future.result()
                    in_flight.popleft()
                    yield shard, result
            finally:
                pool.shutdown(wait=False, cancel_futures=True)

    def for_models(self) -> Engine:
        return self

    def close(self) -> None:
        """See `Engine.close`. The threads end with each map."""
