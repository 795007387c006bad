"""A PostgreSQL server for a test, from Debian's package, in a temporary folder."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from df2_assets_tests.support import processes
from df2_assets_tests.support.webserver import free_port

NOBODY = "nobody"
DATABASE = "dagster"
USER = "dagster"
PASSWORD = "100% of the test@home"
"""A password with characters that have a meaning in an address."""

# PostgreSQL refuses to run as root.
_AS_NOBODY: dict[str, Any] = (
    {"user": NOBODY, "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}
)


class Server:
    """A server on 127.0.0.1 that can be stopped and started again with the same data."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        """Return the variables that `deploy/dagster.yaml` needs."""
        return {
            "DAGSTER_PG_HOST": "127.0.0.1",
            "DAGSTER_PG_PORT": str(self.port),
            "DAGSTER_PG_DB": DATABASE,
            "DAGSTER_PG_USERNAME": USER,
            "DAGSTER_PG_PASSWORD": PASSWORD,
        }

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def initialise(self) -> None:
        """Create the data folder and an empty database, and start the server."""
        password = self.folder / "password"
        password.write_text(PASSWORD)
        if _AS_NOBODY:
            for path in (self.folder, password):
                shutil.chown(path, NOBODY)
        self._run("initdb", "-D", "data", "-U", USER, "--auth=scram-sha-256", "--pwfile=password")
        self.start()
        self.query(f"CREATE DATABASE {DATABASE}", database="postgres")

    def start(self) -> None:
        options = (
            "listen_addresses=127.0.0.1",
            f"port={self.port}",
            "unix_socket_directories=",
            "fsync=off",
        )
        command = [_program("postgres"), "-D", "data", *(f"-c{option}" for option in options)]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **_AS_NOBODY,
            )
        processes.wait_until(self._answers)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop the server with SIGINT, as the upgrade of a package does.

        This cuts all connections.
        """
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(processes.PATIENCE)
            self._process = None

    def query(self, sql: str, database: str = DATABASE) -> str:
        """Return the output of `psql`: one line per row, with columns separated by `|`."""
        where = ("-h", "127.0.0.1", "-p", str(self.port), "-U", USER, "-d", database)
        shown = ("--no-psqlrc", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1")
        return self._run("psql", *where, *shown, "-c", sql).strip()

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self.folder / "log").read_text()
        command = [_program("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(command, check=False).returncode == 0

    def _run(self, program: str, *arguments: str) -> str:
        done: subprocess.CompletedProcess[str] = subprocess.run(
            [_program(program), *arguments],
            cwd=self.folder,
            env=os.environ | {"PGPASSWORD": PASSWORD},
            capture_output=True,
            text=True,
            check=False,
            **_AS_NOBODY,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@contextmanager
def server() -> Iterator[Server]:
    """Run a fresh server with an empty database. At the end, everything is deleted."""
    with tempfile.TemporaryDirectory(prefix="postgres-") as folder:
        one = Server(Path(folder))
        try:
            one.initialise()
            yield one
        finally:
            one.stop()


def _program(name: str) -> Path | str:
    """Return a program of the newest server that Debian has installed, or the one on the path."""
    installed = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=_version)
    return installed[-1] if installed else name


def _version(path: Path) -> float:
    return float(path.parts[-3])
