"""The server of the reports, running in a thread."""

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import uvicorn

from df2_assets.report.addresses import data_set_id
from df2_assets.report.server import make_app
from df2_assets.settings import Settings
from df2_assets_tests.support import processes
from df2_assets_tests.support.webserver import free_port

DEFAULT = Settings().reports_url


class Served(NamedTuple):
    """A running server, and the two folders that it serves."""

    settings: Settings
    port: int

    @property
    def folders(self) -> dict[str, Path]:
        roots = self.settings.roots
        return {"sku": roots.sku_root, "df2": roots.df2_root}

    def get(
        self, path: str, *, host: str = "127.0.0.1", method: str = "GET", **headers: str
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        """Request exactly this path. Usual clients would normalize it."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        connection.putrequest(method, "/", skip_host=True)
        connection._buffer[0] = f"{method} {path} HTTP/1.1".encode("latin-1")  # type: ignore[attr-defined]
        for name, value in {"Host": host, **headers}.items():
            connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        found = answer.status, answer.headers, answer.read()
        connection.close()
        return found

    def get_file(self, name: str, **options: str) -> tuple[int, http.client.HTTPMessage, bytes]:
        return self.get(f"/{data_set_id(self.settings.roots)}/{name}", **options)


@contextmanager
def running(settings: Settings) -> Iterator[Served]:
    """Run the server of a data set until the end of the block, on a free port."""
    port = urlsplit(settings.reports_url).port if settings.reports_url != DEFAULT else free_port()
    assert port is not None
    config = uvicorn.Config(
        make_app(settings), port=port, log_level="error", lifespan="off", ws="none"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        processes.wait_until(lambda: server.started)
        yield Served(settings, port)
    finally:
        server.should_exit = True
        thread.join()
