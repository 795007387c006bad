"""How shards read and write bytes in worker processes: files of this machine, or objects.

Paths are what `str` gives of a location. Methods that take many go through them in order; what is
not there is yielded as the error that opening it raised, so that the caller can refuse it alone.
"""

import io
import os
from collections.abc import Iterable, Iterator
from itertools import tee
from typing import BinaryIO, Final, Protocol

from df2_assets.errors import OutputError
from df2_assets.store.files import Status, status_of, temporary_name
from df2_assets.store.location import is_url
from df2_assets.store.objects.client import each, stamp
from df2_assets.store.objects.path import ObjectPath

_BLOCK: Final = 64 * 1024
"""Bytes that are read of an object of which the beginning is wanted."""


class Access(Protocol):
    """Two kinds: see `access`."""

    def open_each(self, paths: Iterable[str]) -> Iterator[BinaryIO | OSError]:
        """Each file to be read whole; it is closed when the next one is asked for."""

    def peek_each(self, paths: Iterable[str]) -> Iterator[BinaryIO | OSError]:
        """Each file, of which only the beginning will be read."""

    def read_each(self, paths: Iterable[tuple[str, int]]) -> Iterator[bytes | OSError]:
        """The bytes of each file, at most as many as the number beside its path (-1: all)."""

    def status(self, file: BinaryIO) -> Status:
        """Of a file of `open_each`, as it was when it was opened."""

    def write_each(
        self, root: str, files: Iterable[tuple[str, bytes]]
    ) -> Iterator[tuple[str, bytes, Status]]:
        """Write each file, named below `root`, whole or not at all, and say what it became.

        Raises OutputError, or StorageError.
        """


class LocalAccess:
    """Files, one after the other: the system's cache is the only one."""

    def open_each(self, paths: Iterable[str]) -> Iterator[BinaryIO | OSError]:
        for path in paths:
            try:
                file = open(path, "rb")  # noqa: SIM115 - closed below
            except OSError as error:
                yield error
                continue
            with file:
                yield file

    peek_each = open_each

    def read_each(self, paths: Iterable[tuple[str, int]]) -> Iterator[bytes | OSError]:
        for path, most in paths:
            try:
                with open(path, "rb", buffering=0) as file:
                    data = file.read(most)
            except OSError as error:
                yield error
                continue
            yield data

    def status(self, file: BinaryIO) -> Status:
        return status_of(os.fstat(file.fileno()))

    def write_each(
        self, root: str, files: Iterable[tuple[str, bytes]]
    ) -> Iterator[tuple[str, bytes, Status]]:
        for path, data in files:
            yield path, data, _write(root, path, data)


class _Whole(io.BytesIO):
    """An object in memory, with the stamp of the entity tag that it came with."""

    def __init__(self, data: bytes, stamp: int) -> None:
        super().__init__(data)
        self.status = len(data), stamp


class _Beginning(io.RawIOBase):
    """An object that is read from its beginning, a block a request."""

    def __init__(self, path: ObjectPath) -> None:
        self._path = path
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence == io.SEEK_END:
            raise io.UnsupportedOperation("its length is not asked for")
        self._at = offset + (self._at if whence == io.SEEK_CUR else 0)
        return self._at

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]
        data, _ = self._path.client.get(self._path.key, self._at, self._at + len(buffer))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


class ObjectAccess:
    """Objects, many requests under way together. Raises StorageError where the store fails."""

    def __init__(self, root: str) -> None:
        # Made here, once: the threads below find it made.
        self._client = ObjectPath(root).client

    def open_each(self, paths: Iterable[str]) -> Iterator[BinaryIO | OSError]:
        yield from each(self._whole, paths)

    def peek_each(self, paths: Iterable[str]) -> Iterator[BinaryIO | OSError]:
        yield from each(_beginning, paths)

    def read_each(self, paths: Iterable[tuple[str, int]]) -> Iterator[bytes | OSError]:
        ahead, wanted = tee(paths)
        found = each(self._whole, (path for path, _ in ahead))
        for (_, most), file in zip(wanted, found, strict=True):
            yield file if isinstance(file, OSError) else file.read(most)

    def status(self, file: BinaryIO) -> Status:
        assert isinstance(file, _Whole)
        return file.status

    def write_each(
        self, root: str, files: Iterable[tuple[str, bytes]]
    ) -> Iterator[tuple[str, bytes, Status]]:
        def put(file: tuple[str, bytes]) -> tuple[str, bytes, Status]:
            path, data = file
            tag = self._client.put(ObjectPath(f"{root}/{path}").key, data)
            return path, data, (len(data), stamp(tag))

        yield from each(put, files)

    def _whole(self, path: str) -> _Whole | OSError:
        try:
            data, tag = self._client.get(ObjectPath(path).key)
        except FileNotFoundError as error:
            return error
        return _Whole(data, stamp(tag))


def access(place: str) -> Access:
    """Return what reads and writes at a root, or at a path of it."""
    return ObjectAccess(place) if is_url(place) else LocalAccess()


def _write(root: str, path: str, data: bytes) -> Status:
    """Write under a temporary name, then rename: the file is there whole or not at all."""
    folder, name = os.path.split(f"{root}/{path}")
    temporary = f"{folder}/{temporary_name(name)}"
    try:
        if not os.path.isdir(folder):
            os.makedirs(folder, exist_ok=True)
        if os.path.lexists(temporary):  # of a killed build, or a link to anything
            os.unlink(temporary)
        with open(temporary, "xb") as file:
            file.write(data)
            file.flush()
            status = status_of(os.fstat(file.fileno()))
        os.replace(temporary, f"{folder}/{name}")
    except OSError as error:
        if os.path.exists(temporary):
            os.unlink(temporary)
        reason = os.strerror(error.errno or 0)
        raise OutputError(
            f"Cannot write {path} under {root}: {reason}. "
            "Finished crops are kept; mend this and build again."
        ) from None
    return status


def _beginning(path: str) -> BinaryIO | OSError:
    file = io.BufferedReader(_Beginning(ObjectPath(path)), _BLOCK)
    try:
        file.peek(1)
    except FileNotFoundError as error:
        return error
    return file
