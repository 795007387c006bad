"""The connection to Ray: to a cluster that runs, or to one of this process's own."""

import logging
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from typing import Any, Final

import loky

from df2_assets.engines import ray_guard
from df2_assets.engines.processes import uninterrupted
from df2_assets.errors import SettingsError

_OBJECTS: Final = 128 * 2**20
"""Bytes for arguments and results in flight; Ray would reserve 30% of the machine's memory."""

_ANSWER_SECONDS: Final = 3.0


def refuse_unusable(address: str) -> None:
    """Raise SettingsError where Ray is not installed, or nothing answers at `address`.

    An empty address, for a Ray of one's own, always passes. Loads nothing of Ray.
    """
    if find_spec("ray") is None or find_spec("dagster_ray") is None:
        raise SettingsError(
            "DF2_ENGINE is 'ray', which needs the extra: pip install 'df2-assets[ray]' "
            "(in a checkout: pip install -e '.[ray]')."
        )
    if not address:
        return
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdigit():
        raise SettingsError(
            f"RAY_ADDRESS is {address!r}: give host:port of the cluster, ray://host:port from "
            "outside of it, or nothing for a Ray on this machine."
        )
    try:
        socket.create_connection((host.strip("[]"), int(port)), _ANSWER_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise SettingsError(
            f"No Ray answers at RAY_ADDRESS ({address}): {error}. Start the cluster, mend the "
            "address, or unset it for a Ray on this machine."
        ) from None


@contextmanager
def connected(address: str, workers: int | None = None) -> Iterator[Any]:
    """Ray's context, of the cluster at `address` or, without one, of an own with `workers` cores.

    Raises SettingsError where it cannot be had. The block's end leaves no process of an own one,
    nor does that of this process, however it comes.
    """
    refuse_unusable(address)
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    with ExitStack() as stack:
        if address:
            options: dict[str, Any] = {"address": address}
        else:
            stack.enter_context(_on_this_machine_alone())
            options = {
                "address": "local",
                "num_cpus": workers or loky.cpu_count(),
                "include_dashboard": False,
                "object_store_memory": _OBJECTS,
                "_temp_dir": stack.enter_context(_guarded_folder()),
            }
        yield _init(stack, **options)


def _init(stack: ExitStack, **options: Any) -> Any:
    import ray
    from ray._private import worker

    worker._worker_logs_enabled = False  # as Ray's debugger does: else it prints what raylets say
    stack.callback(ray.shutdown)
    try:
        with uninterrupted(), _deaf_to_hangup():
            return ray.init(log_to_driver=False, logging_level=logging.ERROR, **options)
    except SystemExit:  # Ray's own answer to SIGTERM, for as long as it starts
        signal.raise_signal(signal.SIGTERM)
        raise
    except (ConnectionError, RuntimeError, TimeoutError) as error:
        said = " ".join(str(error).split())
        raise SettingsError(f"Ray does not start at {options['address']}: {said}") from error


@contextmanager
def _on_this_machine_alone() -> Iterator[None]:
    """Have a Ray that starts listen on 127.0.0.1 only.

    An address given to it does not: it looks for one that others could reach, unless it holds
    clusters to be impossible, as on desktop systems.
    """
    from ray._private import ray_constants

    before = ray_constants.ENABLE_RAY_CLUSTER
    ray_constants.ENABLE_RAY_CLUSTER = False
    try:
        yield
    finally:
        ray_constants.ENABLE_RAY_CLUSTER = before


@contextmanager
def _deaf_to_hangup() -> Iterator[None]:
    """A closed terminal is for this process to handle; what it starts meanwhile takes no note."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)


@contextmanager
def _guarded_folder() -> Iterator[str]:
    """A folder for Ray's files, short as its sockets' names must be; see `ray_guard`."""
    folder = tempfile.mkdtemp(prefix="df2-ray-")
    guard = subprocess.Popen(
        [sys.executable, "-I", "-S", ray_guard.__file__, folder, str(os.getpid())],
        stdin=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        yield folder
    finally:
        guard.communicate()
