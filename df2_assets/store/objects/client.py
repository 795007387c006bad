"""Requests to an object store, through fsspec; every error of one is said in a line.

Credentials, endpoint and retries are the client's own configuration: nothing here reads, keeps or
shows them. An error names the address and the store's code, never what the store or client wrote.
"""

import errno
import hashlib
import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any, Final, NamedTuple, TypeVar

from df2_assets.errors import StorageError

AT_ONCE: Final = 16
"""Requests of one process that may be under way together."""

_TAGS: Final = ("ETag", "etag", "md5Hash", "contentHash", "mtime", "updated", "created")
"""What stores other than S3 call what changes with an object's content."""

S = TypeVar("S")
T = TypeVar("T")


class Found(NamedTuple):
    """An object: its name below what was listed, its bytes (None: a folder), its entity tag."""

    name: str
    size: int | None
    tag: str


class Conflict(Exception):
    """An object is not what a conditional put took it for."""


def stamp(tag: str) -> int:
    """An entity tag as a number of 63 bits: what a time of change is for a file."""
    return int.from_bytes(hashlib.sha256(tag.encode()).digest()[:8]) >> 1


class Client:
    """Any store that fsspec knows. Paths are without their protocol: `bucket/key`.

    All methods raise StorageError, and FileNotFoundError for an object that is not there.
    """

    def __init__(self, protocol: str, **options: Any) -> None:
        import fsspec

        self.protocol = protocol
        try:
            self.fs = fsspec.filesystem(
                protocol, use_listings_cache=False, skip_instance_cache=True, **options
            )
        except (ImportError, ValueError) as error:
            raise StorageError(
                f"{protocol}:// cannot be used ({error}). For s3:// pip install 'df2-assets[s3]'"
            ) from None

    def get(self, path: str, start: int | None = None, end: int | None = None) -> tuple[bytes, str]:
        """The bytes of an object, or some of them, and its tag; negative `start`: the last ones."""
        return self._told(path, self.fs.cat_file, path, start=start, end=end), self.head(path).tag

    def get_aged(self, path: str) -> tuple[bytes, str, float]:
        """The bytes of an object, its tag, and how many seconds ago it was put."""
        data, tag = self.get(path)
        return data, tag, time.time() - self._told(path, self.fs.modified, path).timestamp()

    def head(self, path: str) -> Found:
        """An object by its path, without its bytes."""
        about = self._told(path, self.fs.info, path)
        if about["type"] != "file":
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        return _found(path.rpartition("/")[2], about)

    def put(
        self, path: str, data: bytes, *, only_new: bool = False, instead_of: str | None = None
    ) -> str:
        """Write an object whole; its tag.

        Raises Conflict where it is there (`only_new`), or has another tag than `instead_of`.
        """
        if instead_of is not None and self.head(path).tag != instead_of:
            raise Conflict(path)
        mode = "create" if only_new else "overwrite"
        self._told(path, self.fs.pipe_file, path, data, mode=mode)
        return self.head(path).tag

    def copy(self, path: str, target: str) -> str:
        """Write an object once more, under another path, without fetching it; the tag of that."""
        self._told(path, self.fs.cp_file, path, target)
        return self.head(target).tag

    def listed(self, path: str, *, deep: bool, limit: int | None = None) -> Iterator[Found]:
        """What lies below `path`; at any depth (`deep`), or folders as one entry each."""
        find = self.fs.find if deep else self.fs.ls
        try:
            found = self._told(path, find, path, detail=True)
        except FileNotFoundError:
            return
        whole = found if isinstance(found, list) else list(found.values())
        start = self.fs._strip_protocol(path) + "/"
        for about in whole[:limit]:
            if about["name"].startswith(start):
                yield _found(about["name"].removeprefix(start), about)

    def delete(self, paths: Iterable[str]) -> None:
        """Remove objects; one that is not there is none the worse."""
        for path in paths:
            try:
                self._told(path, self.fs.rm_file, path)
            except FileNotFoundError:
                continue

    def _told(self, path: str, call: Callable[..., T], *arguments: Any, **named: Any) -> T:
        """Return what `call` returns, its errors put into words."""
        try:
            return call(*arguments, **named)
        except FileExistsError:
            raise Conflict(path) from None
        except Exception as error:
            if isinstance(error, FileNotFoundError) and _code(error) != "NoSuchBucket":
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path) from None
            if _code(error) in ("PreconditionFailed", "ConditionalRequestConflict", "412"):
                raise Conflict(path) from None
            raise StorageError(f"{self.protocol}://{path}: {_remedy(error)}") from None


class S3(Client):
    """S3, and what speaks its protocol: tags come with each answer, listings in pages of 1000."""

    def __init__(self, protocol: str) -> None:
        super().__init__(protocol, config_kwargs={"max_pool_connections": AT_ONCE})

    def get(self, path: str, start: int | None = None, end: int | None = None) -> tuple[bytes, str]:
        """See `Client.get`: one request, and another one after an answer that broke off."""
        return self._told(path, self._read, path, _range(start, end))

    def get_aged(self, path: str) -> tuple[bytes, str, float]:
        """See `Client.get_aged`: two requests, both times by the store's own clock."""
        data, tag = self.get(path)
        answer = self._call(path, "head_object")
        now = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
        return data, tag, (now - answer["LastModified"]).total_seconds()

    def head(self, path: str) -> Found:
        """See `Client.head`: one request."""
        answer = self._call(path, "head_object")
        return Found(path.rpartition("/")[2], answer["ContentLength"], answer["ETag"])

    def put(
        self, path: str, data: bytes, *, only_new: bool = False, instead_of: str | None = None
    ) -> str:
        """See `Client.put`: one request, the condition being the store's to hold."""
        condition = {"IfNoneMatch": "*"} if only_new else {}
        if instead_of is not None:
            condition["IfMatch"] = instead_of
        tag: str = self._call(path, "put_object", Body=data, **condition)["ETag"]
        return tag

    def copy(self, path: str, target: str) -> str:
        """See `Client.copy`: one request."""
        bucket, _, key = path.partition("/")
        answer = self._call(target, "copy_object", CopySource={"Bucket": bucket, "Key": key})
        tag: str = answer["CopyObjectResult"]["ETag"]
        return tag

    def listed(self, path: str, *, deep: bool, limit: int | None = None) -> Iterator[Found]:
        """See `Client.listed`: a request a thousand entries."""
        bucket, _, key = path.partition("/")
        prefix = f"{key}/" if key else ""
        options: dict[str, Any] = {"Prefix": prefix, **({} if deep else {"Delimiter": "/"})}
        if limit is not None:
            options["MaxKeys"] = limit
        while True:
            page = self._call(bucket, "list_objects_v2", **options)
            for folder in page.get("CommonPrefixes", ()):
                yield Found(folder["Prefix"].removeprefix(prefix)[:-1], None, "")
            for entry in page.get("Contents", ()):
                if not entry["Key"].endswith("/"):  # what some tools leave in place of a folder
                    yield Found(entry["Key"].removeprefix(prefix), entry["Size"], entry["ETag"])
            if limit is not None or not page.get("IsTruncated"):
                return
            options["ContinuationToken"] = page["NextContinuationToken"]

    def delete(self, paths: Iterable[str]) -> None:
        """See `Client.delete`: a request a thousand objects."""
        wanted = [path.partition("/") for path in paths]
        for start in range(0, len(wanted), 1000):
            part = wanted[start : start + 1000]
            keys = [{"Key": key} for _, _, key in part]
            bucket = part[0][0]
            answer = self._call(bucket, "delete_objects", Delete={"Objects": keys, "Quiet": True})
            for refused in answer.get("Errors", ()):
                raise StorageError(
                    f"{self.protocol}://{bucket}/{refused['Key']} cannot be deleted "
                    f"({refused['Code']}): give these credentials the right to."
                )

    def _call(self, path: str, method: str, **arguments: Any) -> dict[str, Any]:
        """One request about a bucket, or an object in it."""
        bucket, _, key = path.partition("/")
        of = {"Bucket": bucket, **({"Key": key} if key else {})}
        return self._told(path, self.fs.call_s3, method, **of, **arguments)

    def _read(self, path: str, part: dict[str, str]) -> tuple[bytes, str]:
        from fsspec.asyn import sync
        from s3fs.core import S3_RETRYABLE_ERRORS

        bucket, _, key = path.partition("/")
        for tries_left in reversed(range(self.fs.retries)):
            try:
                answer = self.fs.call_s3("get_object", Bucket=bucket, Key=key, **part)
            except OSError as error:
                if _code(error) == "InvalidRange":  # an object without a byte
                    return b"", self.head(path).tag
                raise
            try:
                return sync(self.fs.loop, _whole, answer["Body"]), answer["ETag"]
            except S3_RETRYABLE_ERRORS:
                if not tries_left:
                    raise
        raise AssertionError("s3fs tries at least once")


def store_of(protocol: str) -> str:
    """What is the same for protocols that are names of one store, as `s3` and `s3a` are."""
    from fsspec.registry import known_implementations

    known = known_implementations.get(protocol)
    return str(known["class"]) if known else protocol


def client(protocol: str) -> Client:
    """The process's client for a protocol: after a fork, and in each worker, it is a new one."""
    return _client(protocol, os.getpid())


@cache
def _client(protocol: str, process: int) -> Client:
    if protocol in ("s3", "s3a"):
        return S3(protocol)
    return Client(protocol)


def each(function: Callable[[S], T], arguments: Iterable[S]) -> Iterator[T]:
    """Yield `function` of each argument, in order: many requests under way, a few ahead."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        ahead: deque[Future[T]] = deque()
        try:
            for argument in arguments:
                ahead.append(pool.submit(function, argument))
                if len(ahead) >= 2 * AT_ONCE:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
        finally:
            for future in ahead:
                future.cancel()


def _found(name: str, about: dict[str, Any]) -> Found:
    tag = next((about[name] for name in _TAGS if about.get(name) is not None), "")
    # A time may be a number in a listing, and a date of an object asked for alone.
    tag = str(tag.timestamp() if isinstance(tag, datetime) else tag)
    return Found(name, about["size"] if about["type"] == "file" else None, tag)


def _code(error: BaseException) -> str:
    """Return what S3 calls an error; nothing for another kind of error."""
    while error.__cause__ is not None:
        error = error.__cause__
    return str(getattr(error, "response", {}).get("Error", {}).get("Code", ""))


def _remedy(error: Exception) -> str:
    """Return what is wrong, and what to do."""
    name, known = type(error).__name__, _code(error)
    if "Credential" in name or "Token" in name:
        return (
            f"no credentials that can be used ({name}): set AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY, or AWS_PROFILE."
        )
    if known == "NoSuchBucket":
        return "there is no such bucket: make it, or name another one."
    if isinstance(error, PermissionError):
        return f"access is denied ({known or name}): these credentials lack a right that is needed."
    if "Connect" in name or "Timeout" in name or "HTTPClient" in name:
        return f"the store does not answer ({name}): look at AWS_ENDPOINT_URL and the network."
    return (
        f"the store answers with an error ({known or name}). What was finished is kept: "
        "try again later."
    )


async def _whole(body: Any) -> bytes:
    """The bytes of an answer, its connection given back also where it breaks off."""
    async with body as opened:
        data: bytes = await opened.read()
    return data


def _range(start: int | None, end: int | None) -> dict[str, str]:
    if start is None:
        return {}
    if start < 0:
        return {"Range": f"bytes={start}"}
    return {"Range": f"bytes={start}-{'' if end is None else end - 1}"}
