"""How shards get at bytes in worker processes: files of this machine, or objects.

Paths are what `str` gives of a location. Methods that take many go through them in order; what is
not there is yielded as the error that opening it raised, so that the caller can refuse it alone.
"""

import os
from collections.abc import Iterable, Iterator
from typing import BinaryIO, Protocol

from df2_assets.errors import OutputError
from df2_assets.store.files import Status, temporary_name
from df2_assets.store.location import is_url


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
        status = os.fstat(file.fileno())
        return status.st_size, status.st_mtime_ns

    def write_each(
        self, root: str, files: Iterable[tuple[str, bytes]]
    ) -> Iterator[tuple[str, bytes, Status]]:
        for path, data in files:
            yield path, data, _write(root, path, data)


def access(place: str) -> Access:
    """What reads and writes at a root, or at a path of it."""
    if not is_url(place):
        return LocalAccess()
    from df2_assets.store.objects.access import ObjectAccess

    return ObjectAccess(place)


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
            status = os.fstat(file.fileno())
        os.replace(temporary, f"{folder}/{name}")
    except OSError as error:
        if os.path.exists(temporary):
            os.unlink(temporary)
        reason = os.strerror(error.errno or 0)
        raise OutputError(
            f"Cannot write {path} under {root}: {reason}. "
            "Finished crops are kept; mend this and build again."
        ) from None
    return status.st_size, status.st_mtime_ns
