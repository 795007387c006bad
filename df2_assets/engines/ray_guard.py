"""A process that outlives the one that started it, and ends all that Ray has started for that.

Ray's own agents live on for a minute when the process that started Ray is killed. They, and all
else of Ray, have files open in Ray's folder: that is how they are found. Linux only.
"""

import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress


def main(folder: str, starter: int) -> None:
    """When standard input ends: kill what has files of `folder` open, then remove it."""
    sys.stdin.read()
    while found := [pid for pid in _holding(folder) if pid != starter]:
        for pid in found:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)
    shutil.rmtree(folder, ignore_errors=True)


def _holding(folder: str) -> Iterator[int]:
    """The processes that have a file of `folder` open."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with suppress(OSError):
            files = (entry.path for entry in os.scandir(f"/proc/{pid}/fd"))
            if any(os.readlink(file).startswith(f"{folder}/") for file in files):
                yield int(pid)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
