"""An S3 server on loopback that counts what it is asked, and fails when a test wants it to.

The server is moto's, and what it holds is put and read with boto3: not with what is tested.
"""

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

KEY, SECRET = "AKIAQ7EXAMPLEOFAKEY7", "hQ2nTsecretOfTheTestsZ8vQ0pLr5"
REGION = "eu-central-1"
BUCKET = "garments"

PICTURES = "get of a picture"
"""Counted apart from other gets: a warm rerun draws a few crops for its contact sheet."""

Environ = dict[str, Any]
Fault = Callable[[str, str], str | None]
"""Given an operation and a path: `500`, `503`, `hang`, `cut` (the answer breaks off), or None."""


def no_fault(operation: str, path: str) -> None:
    """All is well."""


class Gate:
    """In front of the server: sees each request, and lets it through or fails it."""

    def __init__(self, application: Callable[..., Iterable[bytes]]) -> None:
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
            time.sleep(20)  # longer than a client waits for a byte
        elif fault in ("500", "503"):
            code = {"500": "InternalError", "503": "ServiceUnavailable"}[fault]
            text = f"<Error><Code>{code}</Code><Message>so the test wants it</Message></Error>"
            start_response(f"{fault} {code}", [("Content-Type", "application/xml")])
            return [text.encode()]
        answer = b"".join(self._application(environ, start_response))
        return [answer[: len(answer) // 2]] if fault == "cut" else [answer]


def _operation(environ: Environ) -> str:
    method, query = environ["REQUEST_METHOD"], environ["QUERY_STRING"]
    if method == "GET" and "list-type=2" in query:
        return "list"
    return "delete" if method == "POST" and "delete" in query else str(method).lower()


class ObjectStore:
    """The server with its gate and one bucket, `BUCKET`."""

    def __init__(self, gate: Gate, url: str) -> None:
        import boto3

        self.gate = gate
        self.environment = {
            "AWS_ENDPOINT_URL": url,
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": REGION,
        }
        self.client = boto3.client(
            "s3",
            endpoint_url=url,
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
            region_name=REGION,
        )
        where = {"LocationConstraint": REGION}
        self.client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=where)

    @contextmanager
    def counting(self) -> Iterator[Counter[str]]:
        """What the block asks the server, by operation; whole when the block has ended."""
        before = self.gate.asked.copy()
        asked: Counter[str] = Counter()
        yield asked
        asked.update(self.gate.asked - before)

    @contextmanager
    def failing(self, fault: Fault) -> Iterator[None]:
        """Requests fail as `fault` says until the block ends."""
        self.gate.fault = fault
        try:
            yield
        finally:
            self.gate.fault = no_fault


class Place:
    """What lies below a prefix of the bucket; names are relative to it."""

    def __init__(self, store: ObjectStore, prefix: str) -> None:
        self.store = store
        self.prefix = prefix
        self.url = f"s3://{BUCKET}/{prefix}"

    @property
    def root(self) -> Path:
        """As the platform knows it."""
        return locate(self.url)

    def __truediv__(self, name: str) -> "Place":
        return Place(self.store, f"{self.prefix}/{name}")

    def put(self, name: str, data: bytes) -> None:
        self.store.client.put_object(Bucket=BUCKET, Key=f"{self.prefix}/{name}", Body=data)

    def get(self, name: str) -> bytes:
        answer = self.store.client.get_object(Bucket=BUCKET, Key=f"{self.prefix}/{name}")
        data: bytes = answer["Body"].read()
        return data

    def delete(self, name: str) -> None:
        self.store.client.delete_object(Bucket=BUCKET, Key=f"{self.prefix}/{name}")

    def tags(self) -> dict[str, tuple[str, Any]]:
        """Entity tag and time of each object, by name."""
        pages = self.store.client.get_paginator("list_objects_v2").paginate(
            Bucket=BUCKET, Prefix=f"{self.prefix}/"
        )
        return {
            one["Key"].removeprefix(f"{self.prefix}/"): (one["ETag"], one["LastModified"])
            for page in pages
            for one in page.get("Contents", ())
        }

    def contents(self) -> dict[str, bytes]:
        """All objects by name."""
        return {name: self.get(name) for name in self.tags()}

    def upload(self, folder: Path) -> None:
        """Put all files of a folder."""
        files = {path.relative_to(folder): path for path in folder.rglob("*") if path.is_file()}
        with ThreadPoolExecutor(8) as pool:
            done = [
                pool.submit(self.put, name.as_posix(), path.read_bytes())
                for name, path in files.items()
            ]
        for put in done:
            put.result()


@contextmanager
def serving() -> Iterator[ObjectStore]:
    """A running server with an empty bucket."""
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    gate = Gate(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, gate, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield ObjectStore(gate, f"http://127.0.0.1:{server.port}")
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def sprinkled(kinds: Mapping[int, str]) -> Fault:
    """Every so many requests one of a kind fails; only what is got can be `cut`."""
    numbers = count(1)

    def fault(operation: str, path: str) -> str | None:
        number = next(numbers)
        due = (kind for every, kind in kinds.items() if number % every == 0)
        return next((kind for kind in due if kind != "cut" or operation == "get"), None)

    return fault
