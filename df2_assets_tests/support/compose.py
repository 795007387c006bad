"""The services of compose.yaml as plain processes on this machine, with free ports."""

import os
import re
import sysconfig
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import Any, Final

import yaml

from df2_assets_tests.support import processes
from df2_assets_tests.support.processes import PROJECT, Started, Text
from df2_assets_tests.support.webserver import Api, Dev, Station, free_port

_MOUNTED: Final = "/etc/df2-assets/workspace.yaml"
_PLATFORM: Final = ("code", "webserver", "daemon", "reports")
"""The services that run this project, each after those that it depends on."""


class Services:
    """The commands of compose.yaml, with free ports of 127.0.0.1 and the folder of a station."""

    def __init__(self, station: Station) -> None:
        self.described: dict[str, Any] = yaml.safe_load(
            (PROJECT / "compose.yaml").read_text(encoding="utf-8")
        )["services"]
        self.station = station
        self.ports = {port: str(free_port()) for port in ("3000", "3001", "4000")}
        workspace = (PROJECT / "deploy" / "workspace.yaml").read_text(encoding="utf-8")
        self._workspace = station.folder / "workspace.yaml"
        self._workspace.write_text(self._moved(workspace.replace("host: code", "host: 127.0.0.1")))
        self._environment = station.environment | {
            "PATH": f"{sysconfig.get_path('scripts')}{os.pathsep}{os.environ['PATH']}",
            "DF2_REPORTS_URL": f"http://127.0.0.1:{self.ports['3001']}",
        }

    def start(self, service: str) -> Started:
        """Start the command of a service. The caller has to close it."""
        command = tuple(map(self._moved, self.described[service]["command"]))
        return Started(command, self._environment, self.station.folder)

    def run(self, *command: str) -> Text:
        """Run a command as in the container of the code server."""
        return processes.run(command, self._environment, self.station.folder)

    def wait_for(self, service: str, started: Started) -> None:
        """Wait until the health check of a service passes."""
        processes.wait_until(lambda: self.check_health(service).returncode == 0, started)

    def check_health(self, service: str) -> Text:
        """Run the health check of a service to its end."""
        kind, *command = self.described[service]["healthcheck"]["test"]
        assert kind == "CMD"
        return self.run(*map(self._moved, command))

    def _moved(self, text: str) -> str:
        text = text.replace(_MOUNTED, str(self._workspace)).replace("0.0.0.0", "127.0.0.1")
        for port, other in self.ports.items():
            text = re.sub(rf"\b{port}\b", other, text)
        return text


@contextmanager
def running(station: Station) -> Iterator[tuple[Services, Dev]]:
    """Start all services, each one when those that it depends on are healthy, as compose does.

    Yields the platform, whose process is the code server: runs are its descendants.
    """
    services = Services(station)
    with ExitStack() as stack:
        started = {}
        for service in _PLATFORM:
            started[service] = stack.enter_context(closing(services.start(service)))
            services.wait_for(service, started[service])
        yield services, Dev(started["code"], station, Api(int(services.ports["3000"])))
