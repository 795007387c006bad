"""Signals in worker processes and in the process that starts them."""

import ctypes
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from df2_assets.errors import SettingsError

_PR_SET_PDEATHSIG = 1


@contextmanager
def hold_interrupts() -> Iterator[None]:
    """Hold Ctrl-C and SIGTERM back until the block ends, and then restore their handlers.

    A library that starts processes may leave some of them, or hang, if it is interrupted.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    received: list[tuple[int, FrameType | None]] = []
    before = {
        number: signal.signal(number, lambda *call: received.append(call))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if received:
        signal.raise_signal(received[0][0])


def find_process_obstacle() -> str | None:
    """Return why this machine allows no worker processes; None if it does.

    They share semaphores, which Linux keeps in /dev/shm. Some containers do not have it.
    """
    try:
        multiprocessing.get_context("fork" if sys.platform == "linux" else None).Lock()
    except (ImportError, OSError) as error:
        return getattr(error, "strerror", None) or str(error)
    return None


def require_processes() -> None:
    """Raise SettingsError if this machine allows no worker processes."""
    if why := find_process_obstacle():
        raise SettingsError(
            f"Worker processes cannot share semaphores in /dev/shm ({why}): mount it with some "
            "room (docker run --shm-size=64m), or set DF2_WORKERS=1"
        )


def end_with_parent(parent: int, number: int = signal.SIGKILL) -> None:
    """Have this process receive a signal as soon as its parent ends or is killed. Linux only."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, number)
        if os.getppid() != parent:
            os._exit(1)
