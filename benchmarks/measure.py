"""Commands as a person runs them: seconds, processor seconds and memory of all their processes."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import accumulate, groupby, pairwise
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from tempfile import TemporaryFile
from threading import Event
from typing import Any, Final, NamedTuple

import click

PROJECT: Final = Path(__file__).resolve().parents[1]
_INTERVAL: Final = 0.05
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_SETTINGS: Final = ("DF2_ROOT", "SKU_ROOT", "SPLITS", "DAGSTER_HOME", "RAY_ADDRESS")


class Measured(NamedTuple):
    """What a command took, and its output.

    `numbers`: wall `seconds`; processor seconds `cpu` of all its processes, and `main` of its first
    process (`RUSAGE_SELF`); `peak_bytes`, the largest sum over its processes, in which a shared
    page counts once; `main_only`, the wall seconds in which only the first process worked;
    `stretches`, the processor seconds of the first process and of all others in each stretch in
    which others worked. Peak and stretches are sampled 20 times a second.
    """

    numbers: dict[str, Any]
    output: str


class FailedError(click.ClickException):
    """Failure of a command that is measured."""


def run(
    command: Sequence[str],
    settings: Mapping[str, str] | None = None,
    *,
    tree: Path = PROJECT,
    cores: int | None = None,
) -> Measured:
    """Run `command` in the folder `tree`, with `settings` as the only settings of the project.

    `cores` limits the command to so many of the cores. Pending writes of earlier commands go to the
    disk first. Raises FailedError with the last lines of the command's output if it fails.
    """
    os.sync()
    over, before = Event(), _cpu_of_children()
    with (
        TemporaryFile("w+") as out,
        TemporaryFile("w+") as err,
        ThreadPoolExecutor(1) as sampler,
        _limited_to(cores),
    ):
        begun = time.perf_counter()
        with subprocess.Popen(
            command,
            cwd=tree,
            env=environment_for(settings or {}),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
        ) as process:
            sampling = sampler.submit(_sample, process.pid, over)
            try:
                # It stays a zombie, so that its own processor time can be read.
                os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
            except BaseException:  # Ctrl-C: the command does not outlive its measurement
                process.terminate()
                raise
            finally:
                ended = time.perf_counter()
                over.set()
            peak, samples = sampling.result()
            samples = [Sample(begun, 0, 0), *samples, Sample(ended, *_cpu_of_tree([process.pid]))]
        out.seek(0)
        err.seek(0)
        output = out.read()
        if process.returncode:
            lines = "\n".join((output + err.read()).splitlines()[-20:])
            raise FailedError(f"{' '.join(command)} ended with {process.returncode}:\n{lines}")
    main_only, stretches = split_by_work(samples)
    numbers = {
        "seconds": round(ended - begun, 3),
        "cpu": round(_cpu_of_children() - before, 3),
        "main": round(samples[-1].main, 3),
        "peak_bytes": peak,
        "main_only": main_only,
        "stretches": stretches,
    }
    return Measured(numbers, output)


def python_command(module: str, *arguments: object) -> list[str]:
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

    `name` is relative to `data/`, or an absolute path. With `ask`, a person confirms first. Raises
    ClickException if the disk has too little room or the folder exists already.
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


class Sample(NamedTuple):
    """Processor seconds until `time` of a command's first process and of all its others."""

    time: float
    main: float
    others: float


def split_by_work(samples: Sequence[Sample]) -> tuple[float, list[tuple[float, float]]]:
    """Return the wall seconds without work of other processes, and the stretches with it.

    A stretch is the processor seconds of the first process and of the others, in all consecutive
    samples between which others worked.
    """
    times, main, others = zip(*samples, strict=True)
    # The time of a process that has just ended is missing until its parent has waited for it.
    columns = (times, main, accumulate(others, max))
    steps = ([after - before for before, after in pairwise(column)] for column in columns)
    main_only, stretches = 0.0, list[tuple[float, float]]()
    for is_stretch, group in groupby(zip(*steps, strict=True), key=lambda step: step[2] > 0):
        seconds, *processor = map(sum, zip(*group, strict=True))
        if is_stretch:
            stretches.append((round(processor[0], 2), round(processor[1], 2)))
        else:
            main_only += seconds
    return round(main_only, 3), stretches


@contextmanager
def _limited_to(cores: int | None) -> Iterator[None]:
    """Let processes that start in the block use only so many of this process's cores."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(allowed)[:cores])
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


def _cpu_of_children() -> float:
    used = getrusage(RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _sample(pid: int, over: Event) -> tuple[int, list[Sample]]:
    """Sample a process and its descendants until `over` is set; return the peak of their bytes too.

    Resident sets are quick to read and never less than the shares, which are read at a new peak
    only.
    """
    peak = highest = 0
    samples = []
    while not over.wait(_INTERVAL):
        processes = list(_with_descendants(pid))
        samples.append(Sample(time.perf_counter(), *_cpu_of_tree(processes)))
        resident = sum(map(_resident, processes))
        if resident > highest:
            shares = sum(map(_share, processes))
            if shares > peak:
                peak, highest = shares, resident
    return peak, samples


def _cpu_of_tree(processes: Sequence[int]) -> tuple[float, float]:
    """Return the processor seconds of the first process, and of the others with their children."""
    (main, waited_for), *others = map(_cpu, processes)
    return main, waited_for + sum(map(sum, others))


def _cpu(pid: int) -> tuple[float, float]:
    """Return the processor seconds of a process, and of the children that it has waited for."""
    with suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        user, system, user_of_children, system_of_children = map(int, fields[11:15])
        return (user + system) / _TICKS, (user_of_children + system_of_children) / _TICKS
    return 0.0, 0.0


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
