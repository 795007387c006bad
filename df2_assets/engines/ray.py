"""The engine for a Ray cluster, which runs shards as tasks wherever a core is free."""

import logging
import os
import platform
import signal
import socket
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import suppress
from copy import copy
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from itertools import chain, islice
from typing import Any, Final

import loky

from df2_assets import __version__
from df2_assets.engines.base import Engine, Lost, R, S, describe_shard
from df2_assets.engines.processes import end_with_parent, hold_interrupts
from df2_assets.errors import Df2Error, SettingsError

_log = logging.getLogger(__name__)

_GRACE_SECONDS: Final = 1.0
"""Many times longer than a shard takes."""

_CANCEL_SECONDS: Final = 10.0
_ANSWER_SECONDS: Final = 3.0

_OBJECT_BYTES: Final = 128 * 2**20
"""Enough for arguments and results in flight. Ray would reserve 30% of the machine's memory."""

InFlight = dict[Future[Any], S]
"""Shards, by the future of their result."""


class RayEngine:
    """Ray at `address`, or else a Ray that this process starts for itself when it needs one.

    `workers` shards run at the same time, by default one per core of the cluster. If this process
    is connected to Ray already, for example by a resource of dagster-ray, that connection is used
    and stays open.
    """

    def __init__(self, address: str = "", workers: int | None = None) -> None:
        self._address = address
        self._wanted = workers
        self._is_own_connection = False
        self._gpus = 0

    @property
    def workers(self) -> int:
        """See `Engine.workers`. By default, the number of cores of the cluster."""
        return self._wanted or self._cores()

    def map(
        self, function: Callable[[S], R], shards: Iterable[S]
    ) -> Generator[tuple[S, R | Lost], None, None]:
        """See `Engine.map`. A shard whose worker died runs again, alone, after all others."""
        waiting = iter(shards)
        first = next(waiting, None)
        if first is None:
            return
        waiting = chain([first], waiting)
        cores = self._cores()
        workers = self._wanted or cores
        # More than run at the same time, so that no core waits; unless only some cores may be used.
        depth = workers if workers < cores else 2 * workers + 1
        in_flight: InFlight[S] = {}
        suspects: list[S] = []
        try:
            while True:
                _submit(function, islice(waiting, depth - len(in_flight)), in_flight, self._gpus)
                if not in_flight:
                    break
                shard, result = _next_of(in_flight)
                if isinstance(result, Lost):
                    suspects.append(shard)
                    _log.warning(
                        "A worker process ended unexpectedly: %s Its shard runs again later, "
                        "alone: %s.",
                        result.cause,
                        describe_shard(shard),
                    )
                else:
                    yield shard, result
            for shard in suspects:
                _submit(function, [shard], in_flight, self._gpus)
                yield _next_of(in_flight)
        except BaseException:
            _cancel(in_flight)
            raise

    def for_models(self) -> Engine:
        """See `Engine.for_models`."""
        self._cores()  # connects
        import ray

        engine = copy(self)
        engine._is_own_connection = False
        engine._gpus = min(1, int(ray.cluster_resources().get("GPU", 0)))
        return engine

    def close(self) -> None:
        """See `Engine.close`. Disconnects, which ends a Ray that this process has started."""
        if self._is_own_connection:
            import ray

            with hold_interrupts():
                ray.shutdown()
            self._is_own_connection = False

    def _cores(self) -> int:
        """Return the number of cores of the cluster. Raises SettingsError where none answers."""
        require_ray(self._address)
        import ray

        if not ray.is_initialized():
            self._is_own_connection = True
            _connect(self._address, self._wanted)
        return max(1, int(ray.cluster_resources().get("CPU", 1)))


def require_ray(address: str) -> None:
    """Raise SettingsError if Ray is not installed, or nothing answers at `address`.

    Nothing is asked if the address is empty, because Ray then starts on this machine. Does not load
    Ray.
    """
    if find_spec("ray") is None:
        raise SettingsError(
            "DF2_ENGINE is 'ray', which needs the extra. In a checkout: pip install -e '.[ray]' "
            "and elsewhere: pip install 'df2-assets[ray]'"
        )
    if not address:
        return
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not (port.isascii() and port.isdigit()):
        raise SettingsError(
            f"RAY_ADDRESS is {address!r}: give host:port of the cluster, ray://host:port from "
            "outside of it, or nothing for a Ray on this machine."
        )
    try:
        socket.create_connection((host.strip("[]"), int(port)), _ANSWER_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise SettingsError(
            f"No Ray answers at RAY_ADDRESS ({address}): {error}. Start the cluster, fix the "
            "address, or unset it for a Ray on this machine."
        ) from None


def _connect(address: str, workers: int | None) -> None:
    """Connect to the cluster at `address`, or start a Ray of `workers` cores on this machine."""
    import ray

    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    options: dict[str, Any] = {"address": address}
    if not address:
        options = {
            "address": "local",
            "num_cpus": workers or loky.cpu_count(),
            "include_dashboard": False,
            "object_store_memory": _OBJECT_BYTES,
        }
    try:
        with hold_interrupts():
            ray.init(log_to_driver=False, logging_level=logging.ERROR, **options)
    except SystemExit:  # how Ray answers SIGTERM while it starts
        signal.raise_signal(signal.SIGTERM)
        raise
    except (ConnectionError, RuntimeError, TimeoutError) as error:
        reason = " ".join(str(error).split())
        raise SettingsError(f"Ray does not start at {options['address']}: {reason}") from error


def _submit(
    function: Callable[[S], R], shards: Iterable[S], in_flight: InFlight[S], gpus: int
) -> None:
    import ray

    # By default, Ray silently runs a lost task again at the same time as others.
    task = ray.remote(num_cpus=1, num_gpus=gpus, max_retries=0)(_run)
    with hold_interrupts():
        for shard in shards:
            in_flight[task.remote(function, shard, _software()).future()] = shard


def _next_of(in_flight: InFlight[S]) -> tuple[S, Any]:
    """Take a finished shard from those in flight, and return it with its result.

    Raises what the function raised.
    """
    from ray import exceptions

    # ray.wait would swallow what a signal handler raises, except for KeyboardInterrupt.
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
    """Cancel the tasks that do not end by themselves within a moment.

    Ray aborts this process if a task ends at the moment at which it is cancelled (its pull request
    54798).
    """
    import ray

    with hold_interrupts(), suppress(ConnectionError):
        _, left = wait(in_flight, timeout=_GRACE_SECONDS)
        for future in left:
            ray.cancel(future.object_ref, force=True)  # type: ignore[attr-defined]
        wait(left, timeout=_CANCEL_SECONDS)


class _RemoteTraceback(Exception):
    """A cause that shows the traceback of the worker as its text."""


def _run(function: Callable[[S], R], shard: S, software: str) -> R:
    """Run a shard in a worker of Ray. Raises SettingsError if the worker has other software.

    A note on each Df2Error names the node, since that is where a person has to fix the cause.
    """
    end_with_parent(os.getppid())
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
    """Return the versions that the bytes of crops depend on. Ray itself compares Python and Ray."""
    return f"df2-assets {__version__} and Pillow {version('pillow')}"
