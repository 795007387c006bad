"""What shards read and write of an object store: many requests under way together."""

import io
from collections.abc import Iterable, Iterator
from itertools import tee
from typing import BinaryIO, Final

from df2_assets.store.objects.client import each, stamp
from df2_assets.store.objects.path import ObjectPath

_BLOCK: Final = 64 * 1024
"""Bytes that are read of an object of which the beginning is wanted."""


class Whole(io.BytesIO):
    """An object in memory, with the stamp of the entity tag that it came with."""

    def __init__(self, data: bytes, stamp: int) -> None:
        super().__init__(data)
        self.status = len(data), stamp


class Beginning(io.RawIOBase):
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
    """See `Access`. Raises StorageError where the store does not do what it is asked."""

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

    def status(self, file: BinaryIO) -> tuple[int, int]:
        assert isinstance(file, Whole)
        return file.status

    def write_each(
        self, root: str, files: Iterable[tuple[str, bytes]]
    ) -> Iterator[tuple[str, bytes, tuple[int, int]]]:
        def put(file: tuple[str, bytes]) -> tuple[str, bytes, tuple[int, int]]:
            path, data = file
            tag = self._client.put(ObjectPath(f"{root}/{path}").key, data)
            return path, data, (len(data), stamp(tag))

        yield from each(put, files)

    def _whole(self, path: str) -> Whole | OSError:
        try:
            data, tag = self._client.get(ObjectPath(path).key)
        except FileNotFoundError as error:
            return error
        return Whole(data, stamp(tag))


def _beginning(path: str) -> BinaryIO | OSError:
    file = io.BufferedReader(Beginning(ObjectPath(path)), _BLOCK)
    try:
        file.peek(1)
    except FileNotFoundError as error:
        return error
    return file
