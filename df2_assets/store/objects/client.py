"""Requests to an object store, through fsspec; every error of one is said in a line.

Credentials, endpoint and retries are the client's own configuration: nothing here reads, keeps or
shows them. An error names the address and the store's code, never what the store or client wrote.
"""

import errno
import hashlib
import os
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from functools import cache
from typing import Any, Final, NamedTuple, TypeVar

from df2_assets.errors import StorageError

AT_ONCE: Final = 16
"""Requests of one process that may be under way together."""

_TAGS: Final = ("ETag", "etag", "md5Hash", "contentHash", "mtime", "updated", "created")
"""What stores other than S3 call what changes with an object's content."""

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
                f"{protocol}:// cannot be used ({error}). For s3:// install df2-assets[s3]."
            ) from None

    def get(self, path: str, start: int | None = None, end: int | None = None) -> tuple[bytes, str]:
        """The bytes of an object, or some of them, and its tag; negative `start`: the last ones."""
        return self.told(path, self.fs.cat_file, path, start=start, end=end), self.head(path).tag

    def get_aged(self, path: str) -> tuple[bytes, str, float]:
        """The bytes of an object, its tag, and how many seconds ago it was put."""
        data, tag = self.get(path)
        return data, tag, time.time() - self.told(path, self.fs.modified, path).timestamp()

    def head(self, path: str) -> Found:
        """An object by its path, without its bytes."""
        about = self.told(path, self.fs.info, path)
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
        self.told(path, self.fs.pipe_file, path, data, mode=mode)
        return self.head(path).tag

    def copy(self, path: str, target: str) -> str:
        """Write an object once more, under another path, without fetching it; the tag of that."""
        self.told(path, self.fs.cp_file, path, target)
        return self.head(target).tag

    def listed(self, path: str, *, deep: bool, limit: int | None = None) -> Iterator[Found]:
        """What lies below `path`; at any depth (`deep`), or folders as one entry each."""
        find = self.fs.find if deep else self.fs.ls
        try:
            found = self.told(path, find, path, detail=True)
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
                self.told(path, self.fs.rm_file, path)
            except FileNotFoundError:
                continue

    def told(self, path: str, call: Callable[..., T], *arguments: Any, **named: Any) -> T:
        """`call`, its errors put into words."""
        try:
            return call(*arguments, **named)
        except FileExistsError:
            raise Conflict(path) from None
        except Exception as error:
            if isinstance(error, FileNotFoundError) and code(error) != "NoSuchBucket":
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path) from None
            if code(error) in ("PreconditionFailed", "ConditionalRequestConflict", "412"):
                raise Conflict(path) from None
            raise StorageError(f"{self.protocol}://{path}: {_said(error)}") from None


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
        from df2_assets.store.objects.s3 import S3

        return S3(protocol)
    return Client(protocol)


def _found(name: str, about: dict[str, Any]) -> Found:
    tag = next((about[name] for name in _TAGS if about.get(name) is not None), "")
    # A time may be a number in a listing, and a date of an object asked for alone.
    tag = str(tag.timestamp() if isinstance(tag, datetime) else tag)
    return Found(name, about["size"] if about["type"] == "file" else None, tag)


def code(error: BaseException) -> str:
    """What S3 calls an error; nothing for one of another kind."""
    while error.__cause__ is not None:
        error = error.__cause__
    return str(getattr(error, "response", {}).get("Error", {}).get("Code", ""))


def _said(error: Exception) -> str:
    """What is wrong, and what to do."""
    name, known = type(error).__name__, code(error)
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
