"""Commands as a person runs them: seconds, processor seconds and memory of all their processes."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from tempfile import TemporaryFile
from threading import Event
from typing import Final, NamedTuple

import click

PROJECT: Final = Path(__file__).resolve().parents[1]
_INTERVAL: Final = 0.05
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")
_SETTINGS: Final = ("DF2_ROOT", "SKU_ROOT", "SPLITS", "DAGSTER_HOME", "RAY_ADDRESS")


class Measured(NamedTuple):
    """What a command took, and its output.

    `numbers`: wall `seconds`; processor seconds `cpu` of the command and all processes that it
    waited for; `peak_bytes`, the largest sum over its processes, sampled 20 times a second, in
    which a shared page counts once.
    """

    numbers: dict[str, float]
    output: str


class FailedError(click.ClickException):
    """Failure of a command that is measured."""


def run(command: Sequence[str], settings: Mapping[str, str] | None = None) -> Measured:
    """Run `command` in the project's folder, with no settings of the project but `settings`.

    What earlier commands have left to be written is written to the disk first. Raises FailedError
    with the last lines of the command's output if it fails.
    """
    os.sync()
    over, before = Event(), _cpu_of_children()
    with TemporaryFile("w+") as out, TemporaryFile("w+") as err, ThreadPoolExecutor(1) as sampler:
        begun = time.perf_counter()
        with subprocess.Popen(
            command,
            cwd=PROJECT,
            env=environment_for(settings or {}),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
        ) as process:
            peak = sampler.submit(_sample_peak, process.pid, over)
            try:
                process.wait()
            except BaseException:  # Ctrl-C: nothing goes on after this has returned
                process.terminate()
                raise
            finally:
                seconds = time.perf_counter() - begun
                over.set()
        out.seek(0)
        err.seek(0)
        output = out.read()
        if process.returncode:
            lines = "\n".join((output + err.read()).splitlines()[-20:])
            raise FailedError(f"{' '.join(command)} ended with {process.returncode}:\n{lines}")
    cpu = round(_cpu_of_children() - before, 3)
    numbers = {"seconds": round(seconds, 3), "cpu": cpu, "peak_bytes": peak.result()}
    return Measured(numbers, output)


def python(module: str, *arguments: object) -> list[str]:
    """Return the command that runs a module with this Python."""
    return [sys.executable, "-m", module, *map(str, arguments)]


def environment_for(settings: Mapping[str, str]) -> dict[str, str]:
    """Return this process's environment with `settings` as the only settings of the project."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name not in _SETTINGS and not name.startswith("DF2_")
    }
    return {**inherited, **settings}


@contextmanager
def work_folder(
    name: str | Path, needed: int, *, ask: bool = False, keep: bool = False
) -> Iterator[Path]:
    """Make a folder for about `needed` bytes, and remove it after the block unless `keep`.

    `name` is one under `data/`, or an absolute path. With `ask`, a person confirms first. Raises
    ClickException if the disk has not enough room or the folder exists already.
    """
    folder = PROJECT / "data" / name
    if folder.exists():
        raise click.ClickException(f"{folder} exists already: remove it first.")
    parent = next(parent for parent in folder.parents if parent.exists())
    free = shutil.disk_usage(parent).free
    click.echo(f"This needs about {needed / 1e9:.1f} GB; {folder} has {free / 1e9:.1f} GB free.")
    if needed > free:
        raise click.ClickException("That is not enough: make room first.")
    if ask:
        click.confirm("Go on?", abort=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        if not keep:
            click.echo("Cleaning up.")
            shutil.rmtree(folder)


def _cpu_of_children() -> float:
    used = getrusage(RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _sample_peak(pid: int, over: Event) -> int:
    """Return the most bytes that a process tree has at once until `over` is set.

    Resident sets are quick to read and never less than the shares, which are read at a new peak
    only.
    """
    peak = highest = 0
    while not over.wait(_INTERVAL):
        processes = list(_with_descendants(pid))
        resident = sum(map(_resident, processes))
        if resident > highest:
            shares = sum(map(_share, processes))
            if shares > peak:
                peak, highest = shares, resident
    return peak


def _with_descendants(pid: int) -> Iterator[int]:
    yield pid
    with suppress(OSError):
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            for child in children.read_text().split():
                yield from _with_descendants(int(child))


def _resident(pid: int) -> int:
    with suppress(OSError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
    return 0


def _share(pid: int) -> int:
    """Return the bytes of a process with its part of shared pages (PSS); 0 if it has ended."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0
