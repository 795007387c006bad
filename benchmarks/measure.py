"""A command run as a person runs it: seconds, processor seconds and memory of all its processes."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Final

import click

PROJECT: Final = Path(__file__).resolve().parents[1]
_SAMPLED: Final = 0.05
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Measured:
    """What a command took: wall `seconds`, `cpu` (user and system) and `peak_bytes`.

    `cpu` counts the command and all that it waited for. `peak_bytes` is the largest sum over its
    processes, looked at 20 times a second; of a page that several share, each has its share.
    """

    seconds: float
    cpu: float
    peak_bytes: int
    output: str


class FailedError(click.ClickException):
    """A command that is measured has not ended well."""


def run(command: Sequence[str], settings: Mapping[str, str] | None = None) -> Measured:
    """Run `command` in the project's folder, with no settings of the project but `settings`.

    What earlier commands have left to be written to the disk is written before. Raises FailedError
    with the last lines that the command said where it fails.
    """
    os.sync()
    with TemporaryFile("w+") as out, TemporaryFile("w+") as err:
        begun = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=PROJECT,
            env=environment_for(settings or {}),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
        )
        with _MemoryOf(process.pid) as memory:
            try:
                _, status, used = os.wait4(process.pid, 0)
            except BaseException:  # Ctrl-C: nothing goes on once this has returned
                process.terminate()
                process.wait()
                raise
            seconds = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        output = out.read()
        if process.returncode:
            said = "\n".join((output + err.read()).splitlines()[-20:])
            raise FailedError(f"{' '.join(command)} ended with {process.returncode}:\n{said}")
    return Measured(seconds, used.ru_utime + used.ru_stime, memory.peak, output)


def python(module: str, *arguments: object) -> list[str]:
    """The command that runs a module with this Python."""
    return [sys.executable, "-m", module, *map(str, arguments)]


def environment_for(settings: Mapping[str, str]) -> dict[str, str]:
    """This process's environment with `settings` of the project, and none but these."""
    ours = ("DF2_ROOT", "SKU_ROOT", "SPLITS", "DAGSTER_HOME", "RAY_ADDRESS")
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name not in ours and not name.startswith("DF2_")
    }
    return {**inherited, **settings}


class _MemoryOf:
    """Looks at a process tree now and then while the block runs; `peak` in bytes."""

    def __init__(self, pid: int) -> None:
        self.peak = 0
        self._pid = pid
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> "_MemoryOf":
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        """Resident sets are quickly told, and no less than the shares: these only at a new peak."""
        highest = 0
        while not self._over.wait(_SAMPLED):
            processes = list(_with_descendants(self._pid))
            resident = sum(map(_resident, processes))
            if resident > highest:
                shares = sum(map(_share, processes))
                if shares > self.peak:
                    self.peak, highest = shares, resident


def _with_descendants(pid: int) -> Iterator[int]:
    yield pid
    with suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):
            for child in Path(f"/proc/{pid}/task/{task}/children").read_text().split():
                yield from _with_descendants(int(child))


def _resident(pid: int) -> int:
    with suppress(OSError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
    return 0


def _share(pid: int) -> int:
    """Bytes of a process, of shared pages its part (PSS); nothing where it has just ended."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0
