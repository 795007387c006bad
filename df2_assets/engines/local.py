"""The engine for processes of this machine. Its workers import only what a shard needs."""

import logging
import os
import signal
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import chain, islice

import loky

from df2_assets.engines.base import Engine, Lost, R, S, describe_shard
from df2_assets.engines.processes import end_with_parent, hold_interrupts, require_processes
from df2_assets.engines.threads import ThreadEngine

_log = logging.getLogger(__name__)

_IDLE_SECONDS = 60


class LocalEngine:
    """`workers` processes (None: one per core), from the first shard until `close`."""

    def __init__(self, workers: int | None = None) -> None:
        self.workers = workers or loky.cpu_count()
        self._started = False

    def map(
        self, function: Callable[[S], R], shards: Iterable[S]
    ) -> Generator[tuple[S, R | Lost], None, None]:
        """See `Engine.map`. The shards in flight when a worker dies run again, one at a time.

        Raises SettingsError where no process can be started. Without shards, none is.
        """
        waiting = iter(shards)
        first = next(waiting, None)
        if first is None:
            return
        waiting = chain([first], waiting)
        require_processes()
        in_flight: dict[Future[R], S] = {}
        cause = "no reason is known."
        try:
            while True:
                with hold_interrupts():
                    suspects = self._fill(function, waiting, in_flight)
                if not in_flight and not suspects:
                    return
                done, _ = wait(in_flight, return_when=FIRST_COMPLETED)
                for future in done:
                    try:
                        result = future.result()
                    except BrokenProcessPool as error:
                        cause = _cause(error)  # the shard stays in flight, among the suspects
                        continue
                    yield in_flight.pop(future), result
                if done & in_flight.keys() or suspects:
                    suspects += in_flight.values()
                    in_flight.clear()
                    _log.warning(
                        "A worker process ended unexpectedly: %s The %d shards that it may have "
                        "been working on run again, one at a time: %s.",
                        cause,
                        len(suspects),
                        "; ".join(map(describe_shard, suspects)),
                    )
                    for shard in suspects:
                        yield shard, self._run_alone(function, shard)
        except BaseException:
            self.close()
            raise

    def for_models(self) -> Engine:
        """See `Engine.for_models`."""
        return ThreadEngine(self.workers)

    def close(self) -> None:
        """See `Engine.close`."""
        if self._started:
            with hold_interrupts():
                self._pool().shutdown(wait=True, kill_workers=True)
            self._started = False

    def _fill(
        self, function: Callable[[S], R], waiting: Iterator[S], in_flight: dict[Future[R], S]
    ) -> list[S]:
        """Submit more shards; return the shard that a dead pool did not take, if there is one."""
        pool = self._pool()
        for shard in islice(waiting, 2 * self.workers + 1 - len(in_flight)):
            try:
                in_flight[pool.submit(function, shard)] = shard
            except BrokenProcessPool:
                return [shard]
        return []

    def _run_alone(self, function: Callable[[S], R], shard: S) -> R | Lost:
        try:
            with hold_interrupts():
                future = self._pool().submit(function, shard)
            result: R = future.result()
        except BrokenProcessPool as error:
            return Lost(_cause(error))
        return result

    def _pool(self) -> loky.ProcessPoolExecutor:
        self._started = True
        return loky.get_reusable_executor(
            max_workers=self.workers,
            timeout=_IDLE_SECONDS,
            initializer=_prepare_worker,
            initargs=(os.getpid(),),
        )


def _cause(error: BrokenProcessPool) -> str:
    return str(error).split("\n")[0]


def _prepare_worker(parent: int) -> None:
    """Leave Ctrl-C to the parent, and end when the parent ends, even if it is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent(parent)
