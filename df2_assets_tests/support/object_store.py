"""An object store on loopback that counts requests, and fails them when a test asks for it."""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from df2_assets.store.location import locate
from df2_assets_tests.support.object_servers import (
    SERVERS,
    Application,
    Connection,
    Environ,
    Stored,
)

PICTURES = "get of a picture"
"""Gets of crops, counted separately: an unchanged rerun reads a few for its contact sheet."""

Fault = Callable[[str, str], str | None]
"""A function from operation and path to a key of `ANSWERS`, `hang`, `cut` (the answer breaks off),
or None.
"""

ANSWERS = {
    "500": (500, "InternalError", "the test injects this error"),
    "503": (503, "ServiceUnavailable", "the test injects this error"),
    # What S3 answers to an old session token, and Azure to an old token of its directory.
    "expired in s3": (400, "ExpiredToken", "The provided token has expired."),
    "expired in az": (401, "InvalidAuthenticationInfo", "Lifetime validation failed."),
}
"""The faults that are an answer: status, code and message."""


def no_fault(operation: str, path: str) -> None:
    """Inject nothing."""


class Gate:
    """A WSGI application before the server that sees each request, and passes it on or fails it."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._lock = threading.Lock()
        self.fault: Fault = no_fault
        self.asked: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        operation, path = _operation(environ), environ["PATH_INFO"]
        picture = operation == "get" and path.endswith(".jpg")
        fault = self.fault(operation, path)
        with self._lock:
            self.asked[PICTURES if picture else operation] += 1
            if fault:
                self.failed[fault] += 1
        if fault == "hang":
            time.sleep(35)  # longer than the 30 seconds for which a client waits for a byte
        elif fault in ANSWERS:
            status, code, message = ANSWERS[fault]
            text = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
            start_response(f"{status} {code}", [("Content-Type", "application/xml")])
            return [text.encode()]
        answer = b"".join(self._application(environ, start_response))
        return [answer[: len(answer) // 2]] if fault == "cut" else [answer]


def _operation(environ: Environ) -> str:
    """Return what a request to any of the stores is: `list`, `delete`, `get`, `head` or `put`."""
    method, query = environ["REQUEST_METHOD"], environ["QUERY_STRING"]
    if method == "GET" and ("list-type=2" in query or "comp=list" in query):
        return "list"
    batch = method == "POST" and ("delete" in query or "comp=batch" in query)
    return "delete" if batch else str(method).lower()


class ObjectStore:
    """A server of one kind of `SERVERS`, with its gate and one bucket at `url`."""

    def __init__(self, kind: str, gate: Gate, url: str, connection: Connection) -> None:
        self.kind = kind
        self.gate = gate
        self.url = url
        self.environment, self.bucket = connection

    @property
    def secrets(self) -> list[str]:
        """The values of its environment that must stay secret."""
        secret = ("_KEY", "_KEY_ID", "_TOKEN")
        return [text for name, text in self.environment.items() if name.endswith(secret)]

    @contextmanager
    def counting(self) -> Iterator[Counter[str]]:
        """Count the requests of the block by operation. The counts are complete after the block."""
        before = self.gate.asked.copy()
        asked: Counter[str] = Counter()
        yield asked
        asked.update(self.gate.asked - before)

    @contextmanager
    def failing(self, fault: Fault) -> Iterator[None]:
        """Fail requests according to `fault` until the block ends."""
        self.gate.fault = fault
        try:
            yield
        finally:
            self.gate.fault = no_fault


class Place:
    """Everything below a prefix of the bucket. Names are relative to it."""

    def __init__(self, store: ObjectStore, prefix: str) -> None:
        self.store = store
        self.prefix = prefix
        self.url = f"{store.url}/{prefix}"

    @property
    def root(self) -> Path:
        """The root in the form that the platform uses."""
        return locate(self.url)

    def __truediv__(self, name: str) -> "Place":
        return Place(self.store, f"{self.prefix}/{name}")

    def put(self, name: str, data: bytes) -> None:
        self.store.bucket.put(f"{self.prefix}/{name}", data)

    def get(self, name: str) -> bytes:
        return self.store.bucket.get(f"{self.prefix}/{name}")

    def delete(self, name: str) -> None:
        self.store.bucket.delete(f"{self.prefix}/{name}")

    def tags(self) -> dict[str, Stored]:
        """Return tag and time of each object, by name."""
        below = f"{self.prefix}/"
        return {key.removeprefix(below): stored for key, stored in self.store.bucket.list(below)}

    def contents(self) -> dict[str, bytes]:
        """Return all objects by name."""
        return {name: self.get(name) for name in self.tags()}

    def upload(self, folder: Path) -> None:
        """Upload all files of a folder."""
        files = {path.relative_to(folder): path for path in folder.rglob("*") if path.is_file()}
        with ThreadPoolExecutor(8) as pool:
            done = [
                pool.submit(self.put, name.as_posix(), path.read_bytes())
                for name, path in files.items()
            ]
        for put in done:
            put.result()


@contextmanager
def serving(kind: str) -> Iterator[ObjectStore]:
    """Run a server of `SERVERS` with an empty bucket."""
    from werkzeug.serving import make_server

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = SERVERS[kind]
    with server.run() as application:
        gate = Gate(application)
        front = make_server("127.0.0.1", 0, gate, threaded=True)
        thread = threading.Thread(target=front.serve_forever, daemon=True)
        thread.start()
        try:
            yield ObjectStore(
                kind, gate, server.url, server.connect(f"http://127.0.0.1:{front.port}")
            )
        finally:
            front.shutdown()
            front.server_close()
            thread.join()


def sprinkled(kinds: Mapping[int, str]) -> Fault:
    """Return a fault that fails one in some requests of a kind. Only a get can be `cut`."""
    numbers = count(1)

    def fault(operation: str, path: str) -> str | None:
        number = next(numbers)
        due = (kind for every, kind in kinds.items() if number % every == 0)
        return next((kind for kind in due if kind != "cut" or operation == "get"), None)

    return fault
