"""Processes that tests start: the commands as a user runs them, and their end.

Each test process runs in its own process group, which is killed at the end of the test.
"""

import json
import os
import re
import signal
import site
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack, closing, suppress
from importlib.metadata import Distribution
from pathlib import Path
from tempfile import TemporaryFile
from typing import TypeVar

PROJECT = Path(__file__).resolve().parents[2]
DF2_ASSETS = (sys.executable, "-m", "df2_assets")
DAGSTER = (sys.executable, "-m", "dagster")
PATIENCE = 120.0
"""Seconds after which a test stops waiting. This is not a limit that any test checks."""

UNWANTED_IN_WORKERS = {"pydantic_core", "pandas", "pyarrow", "numpy"}
"""Compiled packages that Dagster and the tables load, but that workers do not need."""

Text = subprocess.CompletedProcess[str]
T = TypeVar("T")


def environment(home: Path, **settings: object) -> dict[str, str]:
    """Return this process's environment with only our settings, and DAGSTER_HOME at `home`."""
    ours = ("DF2_ROOT", "SKU_ROOT", "SPLITS", "DAGSTER_HOME", "RAY_ADDRESS")
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name not in ours and not name.startswith("DF2_")
    }
    if not any(Distribution.discover(name="df2-assets", path=site.getsitepackages())):
        inherited["PYTHONPATH"] = str(PROJECT)
    given = {name: str(value) for name, value in settings.items()}
    return inherited | {"DAGSTER_HOME": str(home)} | given


class Started:
    """A running command in its own process group."""

    def __init__(self, command: tuple[str, ...], env: Mapping[str, str], cwd: Path) -> None:
        # Into files: nobody reads along, and a full pipe would stop the process.
        with ExitStack() as stack:
            self._out = stack.enter_context(TemporaryFile("w+"))
            self._err = stack.enter_context(TemporaryFile("w+"))
            self._files = stack.pop_all()
        self.process = subprocess.Popen(
            command,
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=self._out,
            stderr=self._err,
            start_new_session=True,
        )
        self.pid = self.process.pid

    def signal(self, number: int) -> None:
        """Send a signal to the process only."""
        self.process.send_signal(number)

    def signal_group(self, number: int) -> None:
        """Send a signal to the process and all its descendants, as a terminal does."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, number)

    def end(self, patience: float = PATIENCE) -> Text:
        """Wait for the end. Return exit status and output."""
        status = self.process.wait(patience)
        self._out.seek(0)
        self._err.seek(0)
        return Text(self.process.args, status, self._out.read(), self._err.read())

    def close(self) -> None:
        """Kill the whole group."""
        self.signal_group(signal.SIGKILL)
        self.process.wait()
        self._files.close()


def start(
    command: tuple[str, ...], env: Mapping[str, str], cwd: Path
) -> AbstractContextManager[Started]:
    """Start a command. At the end of the block, kill it with all its descendants."""
    return closing(Started(command, env, cwd))


def run(command: tuple[str, ...], env: Mapping[str, str], cwd: Path) -> Text:
    """Run a command to its end. Return exit status and output."""
    with start(command, env, cwd) as started:
        return started.end()


def wait_until(
    condition: Callable[[], T | None],
    started: Started | None = None,
    patience: float = PATIENCE,
) -> T:
    """Wait until `condition` returns a true value, and return that.

    Fail if `started` ends first.
    """
    deadline = time.monotonic() + patience
    while not (found := condition()):
        if started is not None and started.process.poll() is not None:
            raise AssertionError(f"it has ended: {started.end()}")
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {patience:.0f} s without success")
        time.sleep(0.01)
    return found


def descendants(pid: int) -> list[int]:
    """Return the descendants of a process."""
    found: list[int] = []
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            for child in map(int, children.read_text().split()):
                found += [child, *descendants(child)]
    return found


def workers(pid: int) -> list[int]:
    """Return the processes of loky or Ray that run shards for `pid`."""
    found = {child: command_line(child) for child in descendants(pid)}
    return [
        child
        for child, command in found.items()
        if "popen_loky" in command or command.startswith("ray::_run")
    ]


def mapped_packages(pid: int) -> set[str]:
    """Return the packages of which a process has loaded compiled code."""
    maps = Path(f"/proc/{pid}/maps").read_text()
    return {name.partition(".")[0] for name in re.findall(r"site-packages/([^/\s]+)", maps)}


def lives(pid: int) -> bool:
    """Return whether a process exists and has not ended. A zombie has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def assert_gone(pids: list[int], patience: float = 20) -> None:
    """Assert that each process ends by itself, long before its idle time is over."""
    wait_until(lambda: not any(map(lives, pids)), patience=patience)


def loaded_modules(program: str, env: Mapping[str, str], cwd: Path) -> set[str]:
    """Return the top-level names of all modules that a program has loaded at its end."""
    tell = "import json, sys; print(json.dumps(sorted({m.split('.')[0] for m in sys.modules})))"
    done = run((sys.executable, "-c", f"{program}\n{tell}"), env, cwd)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout))


def command_line(pid: int) -> str:
    """Return the command line of a process, or nothing if it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except (FileNotFoundError, ProcessLookupError):
        return ""
