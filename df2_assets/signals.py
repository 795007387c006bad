"""Signals that end a command, and the exit status after them."""

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
    """The exception of a signal.

    After a KeyboardInterrupt itself in code that was passed as text (`python -c`), Python ends with
    SIGINT, whatever the exit status is.
    """


@contextmanager
def ending_with_their_status() -> Iterator[None]:
    """Let SIGTERM and a closed terminal end the block in the same way as Ctrl-C.

    The exit status is that of shells, 128 plus the number of the first signal: 130 for Ctrl-C, 143
    for SIGTERM, 129 for a closed terminal. Signals that are ignored, as after `nohup`, stay so.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handlers = {number: signal.getsignal(number) for number in _ENDING}
    # Dagster and others install their own handlers. Python writes every signal to this pipe.
    reader, writer = os.pipe()
    for end in (reader, writer):
        os.set_blocking(end, False)
    before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    _pipe[:], _received[:] = [reader], []
    ours = (signal.SIG_DFL, signal.default_int_handler)
    _handled[:] = [number for number in _ENDING if handlers[number] in ours]
    handle_again()
    try:
        yield
    except BaseException as error:
        status = (error.code or 0) if isinstance(error, SystemExit) else None
        if not received() or status == 0:
            raise
        if status is None:  # Interrupted, or what other code made of it
            sys.stderr.write("\nAborted!\n")
        raise SystemExit(128 + received()) from None
    finally:
        signal.set_wakeup_fd(before)
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for state in (_pipe, _handled, _received):
            state.clear()
        os.close(reader)
        os.close(writer)


def handle_again() -> None:
    """Install the handlers again, which Dagster changes during a run."""
    for number in _handled:
        signal.signal(number, _terminate if number == signal.SIGHUP else _interrupt)


def received() -> int:
    """Return the number of the first signal that was received; 0 if there was none."""
    with suppress(BlockingIOError):
        if _pipe:
            _received.extend(number for number in os.read(_pipe[0], 512) if number in _ENDING)
    return _received[0] if _received else 0


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    raise Interrupted


def _terminate(number: int, frame: FrameType | None) -> None:
    signal.raise_signal(signal.SIGTERM)
