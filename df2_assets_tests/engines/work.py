"""What the engine tests run in worker processes."""

import os
import signal
import sys
import time
from pathlib import Path


def square(number: int) -> int:
    return number * number


def loaded_modules(_: int) -> set[str]:
    return {name.split(".")[0] for name in sys.modules}


def die_of(number: int) -> int:
    """Ends its own process at 13, as a crashing decoder would."""
    if number == 13:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def die_once(note: str) -> str:
    """Ends its own process the first time, as the system does that is short of memory."""
    path = Path(note)
    if not path.exists():
        path.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return "done"


def complain(number: int) -> int:
    if number == 3:
        raise ValueError("three")
    return number


def tell_pid_and_stay(note: str) -> None:
    """Writes its process id, then works for longer than any test waits."""
    Path(note).write_text(str(os.getpid()))
    time.sleep(600)


def tell_pid_and_stay_unless_first(note: str) -> None:
    """The same, but for the note named 0, which is done immediately."""
    if Path(note).name != "0":
        tell_pid_and_stay(note)
