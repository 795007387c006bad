"""Processes that tests start: the platform's commands as a person runs them, and their end.

Whatever a test starts runs in a process group of its own, which is gone when the test is over.
"""

import json
import os
import re
import signal
import site
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.metadata import Distribution
from pathlib import Path
from typing import TypeVar

PROJECT = Path(__file__).resolve().parents[2]
DF2_ASSETS = (sys.executable, "-m", "df2_assets")
DAGSTER = (sys.executable, "-m", "dagster")
PATIENCE = 60.0
"""Seconds after which a test gives up waiting; no test says how long a thing may take."""

Text = subprocess.CompletedProcess[str]
T = TypeVar("T")


def environment(home: Path, **settings: object) -> dict[str, str]:
    """This process's environment with our settings and no others, DAGSTER_HOME at `home`."""
    ours = ("DF2_ROOT", "SKU_ROOT", "SPLITS", "DAGSTER_HOME")
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name not in ours and not name.startswith("DF2_")
    }
    if not any(Distribution.discover(name="df2-assets", path=site.getsitepackages())):
        inherited["PYTHONPATH"] = str(PROJECT)
    given = {name: str(value) for name, value in settings.items()}
    return inherited | {"DAGSTER_HOME": str(home)} | given


def run(
    command: tuple[str, ...], env: Mapping[str, str], cwd: Path, *, patience: float = PATIENCE
) -> Text:
    """Run a command to its end; its output as text."""
    with start(command, env, cwd) as process:
        out, err = process.communicate(timeout=patience)
        return subprocess.CompletedProcess(command, process.returncode, out, err)


@contextmanager
def start(
    command: tuple[str, ...], env: Mapping[str, str], cwd: Path
) -> Iterator[subprocess.Popen[str]]:
    """A running command, whose whole process group is killed at the end of the block."""
    with subprocess.Popen(
        command,
        cwd=cwd,
        env=env,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            kill_group(process)
            process.communicate()


def kill_group(process: subprocess.Popen[str]) -> None:
    """Kill a started process and what it has started, as far as it is still there."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def wait_until(
    condition: Callable[[], T | None],
    process: subprocess.Popen[str] | None = None,
    patience: float = PATIENCE,
) -> T:
    """What `condition` returns once that is true. Fails when it never is, or `process` ends."""
    deadline = time.monotonic() + patience
    while not (found := condition()):
        if process is not None and process.poll() is not None:
            out, err = process.communicate()
            raise AssertionError(f"ended with {process.returncode}:\n{out}\n{err}")
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {patience:.0f} s in vain")
        time.sleep(0.01)
    return found


def descendants(pid: int) -> list[int]:
    """The processes that `pid` has started, and those that they have."""
    found: list[int] = []
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            for child in map(int, children.read_text().split()):
                found += [child, *descendants(child)]
    return found


def workers(pid: int) -> list[int]:
    """The processes that run shards for `pid`."""
    return [child for child in descendants(pid) if "popen_loky" in _command_line(child)]


def mapped_packages(pid: int) -> set[str]:
    """The packages that a process has loaded compiled code of."""
    maps = Path(f"/proc/{pid}/maps").read_text()
    return {name.partition(".")[0] for name in re.findall(r"site-packages/([^/\s]+)", maps)}


def lives(pid: int) -> bool:
    """Whether a process is there and has not ended; a zombie has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def assert_gone(pids: list[int]) -> None:
    """Each process ends by itself, long before its idle time is over."""
    wait_until(lambda: not any(map(lives, pids)), patience=20)


def loaded_modules(program: str, env: Mapping[str, str], cwd: Path) -> set[str]:
    """The top-level names of all modules that a program has loaded at its end."""
    tell = "import json, sys; print(json.dumps(sorted({m.split('.')[0] for m in sys.modules})))"
    done = run((sys.executable, "-c", f"{program}\n{tell}"), env, cwd)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout))


def _command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except (FileNotFoundError, ProcessLookupError):
        return ""
