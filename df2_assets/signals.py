"""Signals that end a command, and the exit status that says which one did."""

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
    """What a signal raises. Of KeyboardInterrupt itself Python remembers that it was raised in
    code given as text, and then ends by SIGINT whatever the exit status is."""


@contextmanager
def ending_with_their_status() -> Iterator[None]:
    """Have SIGTERM and a closed terminal end the block as Ctrl-C does.

    A block that then fails exits with the status of shells: 128 and the number of the first signal,
    so 130 for Ctrl-C, 143 for SIGTERM, 129 for a closed terminal. Signals that are ignored, as
    after `nohup`, stay so.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handlers = {number: signal.getsignal(number) for number in _ENDING}
    # Dagster and others put handlers of their own in place; Python tells this pipe of any signal.
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
        if status is None:  # what the signal has raised, or made of it by the code that it met
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
    """Put the handlers in place again, which Dagster leaves in another state after a run."""
    for number in _handled:
        signal.signal(number, _terminate if number == signal.SIGHUP else _interrupt)


def received() -> int:
    """Return the number of the first signal that told the command to end; 0 where none did."""
    with suppress(BlockingIOError):
        if _pipe:
            _received.extend(number for number in os.read(_pipe[0], 512) if number in _ENDING)
    return _received[0] if _received else 0


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    raise Interrupted


def _terminate(number: int, frame: FrameType | None) -> None:
    signal.raise_signal(signal.SIGTERM)
