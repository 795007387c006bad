"""Signals that end a command, and the exit status that tells which signal it was."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Final, NoReturn

_ENDING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

_handled: list[signal.Signals] = []
_pipe: list[int] = []
_received: list[int] = []


class Interrupted(KeyboardInterrupt):
    """The exception that a signal raises.

    It is a class of its own for `python -c`: after a KeyboardInterrupt, Python ends that by
    SIGINT, whatever the exit status is.
    """


@contextmanager
def exit_with_signal_status() -> Iterator[None]:
    """Make SIGTERM and a closed terminal end the block as Ctrl-C does.

    If the block then fails, the command exits as in a shell, with 128 plus the number of the first
    signal: 130 for Ctrl-C, 143 for SIGTERM, 129 for a closed terminal. Signals that were ignored,
    as after `nohup`, remain ignored.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handlers = {number: signal.getsignal(number) for number in _ENDING}
    # Dagster and others install their own handlers. Python reports every signal to this pipe.
    reader, writer = os.pipe()
    for end in (reader, writer):
        os.set_blocking(end, False)
    before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    _pipe[:], _received[:] = [reader], []
    ours = (signal.SIG_DFL, signal.default_int_handler)
    _handled[:] = [number for number in _ENDING if handlers[number] in ours]
    restore_handlers()
    try:
        yield
    except BaseException as error:
        status = (error.code or 0) if isinstance(error, SystemExit) else None
        if not received_signal() or status == 0:
            raise
        if status is None:  # the exception of the signal, or one that the interrupted code raised
            sys.stderr.write("\nAborted!\n")
        raise SystemExit(128 + received_signal()) from None
    finally:
        signal.set_wakeup_fd(before)
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for state in (_pipe, _handled, _received):
            state.clear()
        os.close(reader)
        os.close(writer)


def restore_handlers() -> None:
    """Install the handlers again: after a run, Dagster leaves others."""
    for number in _handled:
        signal.signal(number, _terminate if number == signal.SIGHUP else _interrupt)


def received_signal() -> int:
    """Return the number of the first signal that told the command to end, or 0."""
    with suppress(BlockingIOError):
        if _pipe:
            _received.extend(number for number in os.read(_pipe[0], 512) if number in _ENDING)
    return _received[0] if _received else 0


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    raise Interrupted


def _terminate(number: int, frame: FrameType | None) -> None:
    signal.raise_signal(signal.SIGTERM)
