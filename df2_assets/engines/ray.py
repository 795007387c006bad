"""A Ray cluster: the same functions, run as Ray's tasks wherever there is a core free."""

import logging
import os
import platform
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import suppress
from functools import cache, cached_property
from importlib.metadata import version
from itertools import chain, islice
from typing import Any, Final

from df2_assets import __version__
from df2_assets.engines.base import Lost, R, S, label
from df2_assets.engines.processes import die_with, uninterrupted
from df2_assets.errors import Df2Error, SettingsError

_log = logging.getLogger(__name__)

_GRACE_SECONDS: Final = 1.0
"""Many times what a shard takes."""

_CANCEL_SECONDS: Final = 10.0

InFlight = dict[Future[Any], S]
"""Shards by what will come of them."""


class RayEngine:
    """Ray, connected to by `connect` when the first shard comes; who has made it disconnects.

    `workers` shards run at once, by default one a core of the cluster.
    """

    def __init__(self, connect: Callable[[], object], workers: int | None = None) -> None:
        self._connect = connect
        self._wanted = workers

    @property
    def workers(self) -> int:
        return self._wanted or self._cores

    def map(
        self, function: Callable[[S], R], shards: Iterable[S]
    ) -> Generator[tuple[S, R | Lost], None, None]:
        """See `Engine.map`. A shard whose worker dies runs again after all others, alone."""
        waiting = iter(shards)
        first = next(waiting, None)
        if first is None:
            return
        waiting = chain([first], waiting)
        in_flight: InFlight[S] = {}
        suspects: list[S] = []
        try:
            while True:
                self._fill(function, waiting, in_flight)
                if not in_flight:
                    break
                shard, result = _next_of(in_flight)
                if isinstance(result, Lost):
                    suspects.append(shard)
                    _log.warning(
                        "A worker process ended unexpectedly: %s To be run again, alone: %s.",
                        result.cause,
                        label(shard),
                    )
                else:
                    yield shard, result
            for shard in suspects:
                self._fill(function, iter([shard]), in_flight)
                yield _next_of(in_flight)
        except BaseException:
            _cancel(in_flight)
            raise

    def close(self) -> None:
        """See `Engine.close`: no task outlives its map."""

    @cached_property
    def _cores(self) -> int:
        """Cores of the cluster, which is connected to for that."""
        import ray

        self._connect()
        return max(1, int(ray.cluster_resources().get("CPU", 1)))

    @cached_property
    def _depth(self) -> int:
        """How many shards are handed to Ray: some to spare, but where fewer than it could are
        wanted to run at once."""
        return self.workers if self.workers < self._cores else 2 * self.workers + 1

    def _fill(
        self, function: Callable[[S], R], waiting: Iterator[S], in_flight: InFlight[S]
    ) -> None:
        import ray

        room = self._depth - len(in_flight)
        # Ray would run a lost task again by itself, beside others, and say so to nobody.
        task = ray.remote(num_cpus=1, max_retries=0)(_run)
        with uninterrupted():
            for shard in islice(waiting, room):
                in_flight[task.remote(function, shard, _software()).future()] = shard


def _next_of(in_flight: InFlight[S]) -> tuple[S, Any]:
    """A shard that has ended, taken from those in flight, and its result.

    What the function raised is raised here.
    """
    from ray import exceptions

    # Not by ray.wait, which swallows what a handler of signals raises, but for KeyboardInterrupt.
    done = next(iter(wait(in_flight, return_when=FIRST_COMPLETED).done))
    try:
        result = done.result()
    except exceptions.RayTaskError as error:
        raise error.cause from _RemoteTraceback(str(error))
    except (
        exceptions.WorkerCrashedError,
        exceptions.NodeDiedError,
        exceptions.OutOfMemoryError,
        exceptions.ObjectLostError,
    ) as error:
        result = Lost(f"{str(error).strip().splitlines()[0].split('. ')[0].rstrip('.')}.")
    return in_flight.pop(done), result


def _cancel(in_flight: InFlight[S]) -> None:
    """End what has not ended by itself within a moment.

    At once would be too soon: Ray aborts this process where it is told to cancel a task just when
    that ends (its pull request 54798).
    """
    import ray

    with uninterrupted(), suppress(ConnectionError):
        _, left = wait(in_flight, timeout=_GRACE_SECONDS)
        for future in left:
            ray.cancel(future.object_ref, force=True)  # type: ignore[attr-defined]
        wait(left, timeout=_CANCEL_SECONDS)


class _RemoteTraceback(Exception):
    """Where in a worker something was raised; its text is a traceback."""


def _run(function: Callable[[S], R], shard: S, software: str) -> R:
    """Runs in a worker of Ray. Raises SettingsError where it has other software.

    What a person can mend is to be mended where it was raised: errors of the project say where.
    """
    die_with(os.getppid())
    if _software() != software:
        raise SettingsError(
            f"Ray's node {platform.node()} has {_software()}, not {software}: crops would differ. "
            "Install the same versions on every node."
        )
    try:
        return function(shard)
    except Df2Error as error:
        error.add_note(f"On Ray's node {platform.node()}, with the environment that it has there.")
        raise


@cache
def _software() -> str:
    """What bytes of crops depend on, beyond what Ray itself holds to be equal (Python, Ray)."""
    return f"df2-assets {__version__} and Pillow {version('pillow')}"
