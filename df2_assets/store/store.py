"""What a place for files can do, whether it is a folder of this machine or an object store.

Paths are addresses in full: `str` of a `Location`, or a root, a slash and a name. Errors of a disk
are OSErrors, errors of an object store StorageErrors; what is missing is a FileNotFoundError.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, Any, BinaryIO, Final, Protocol

from df2_assets.store.lease import Holder

Status = tuple[int, int]
"""Bytes, and nanoseconds of the last change or, of an object, the stamp of its entity tag."""

NOT_A_FILE: Final = -1
"""The size of a folder, a pipe, a device or a dangling link with a file's name."""

_TIMES: Final = 2**64
"""How many times a column of a table can tell apart: nanoseconds from 1677 to 2262."""

Address = str | Path
Enter = Callable[[str], bool]
"""Whether to look into a folder, by its name below the one that is walked."""


class Lines(Protocol):
    """What lines are appended to; `flush` leaves them where a later build finds them."""

    def write(self, line: bytes, /) -> object: ...

    def flush(self) -> object: ...


class Store(Protocol):
    """Two kinds: `LocalStore` and `ObjectStore`. Nothing asks which one it has."""

    has_folders: bool
    """Whether folders are listed one by one; an object store lists all that lies below."""

    # Looking

    def stat(self, path: Address, *, follow_symlinks: bool = True) -> os.stat_result: ...

    def is_folder(self, path: Address) -> bool:
        """Return whether a folder is there; in an object store, whether anything lies below."""

    def is_link(self, path: Address) -> bool: ...

    def may_read(self, folder: Address) -> bool:
        """Return whether the system lets this user list a folder, if it is there."""

    def resolve(self, path: Address) -> str:
        """Return the address with all links followed, and one spelling of each scheme."""

    def is_same(self, path: Address, other: Address) -> bool:
        """Return whether two addresses name one folder."""

    def uri(self, path: Address) -> str:
        """Return an address for a browser."""

    def free(self, folder: Address) -> int | None:
        """Return the free bytes on the disk of a folder, existing or not; None without a disk."""

    # Listing

    def names(self, folder: Address) -> Iterator[str]:
        """Yield the names in a folder, in any order; none where it is missing."""

    def folders(self, folder: Address) -> Iterator[str]:
        """Yield the names of the folders in a folder; none where it cannot be read."""

    def files(self, folder: Address) -> Iterator[tuple[str, Status]]:
        """Yield what lies in a folder, links followed; none where it is missing."""

    def walk(
        self, folder: Address, enter: Enter = lambda _: True
    ) -> Iterator[tuple[str, Status | None]]:
        """Yield what lies below a folder: files, and folders that are empty or not entered.

        Names are relative, the status of a folder is None, that of a link `NOT_A_FILE`. Raises
        OutputError for a link in place of a folder that would be entered.
        """

    def lookup(self, root: Address, folder: Address) -> Callable[[str], bool]:
        """Return what tells whether a file of `folder` is there, by its name below `root`."""

    # Reading

    def open(self, path: Address, mode: str = "r", **options: Any) -> IO[Any]:
        """Open a file; an object only to be read."""

    def read_end(self, path: Address, size: int) -> bytes:
        """Return the last bytes of a file, at least `size` where there are as many."""

    def mapped(self, path: Address) -> tuple[memoryview, Status]:
        """Return the bytes of a file, not read before they are looked at; an object is fetched."""

    def open_each(self, paths: Iterable[str]) -> Iterator[BinaryIO | OSError]:
        """Yield each file, to be read whole, or the error of opening it.

        A file is closed when the next one is asked for.
        """

    def peek_each(self, paths: Iterable[str]) -> Iterator[BinaryIO | OSError]:
        """Yield each file, of which only the beginning will be read, or the error of opening it."""

    def read_each(self, paths: Iterable[tuple[str, int]]) -> Iterator[bytes | OSError]:
        """Yield the bytes of each file, at most the number beside its path (-1: all)."""

    def status(self, file: BinaryIO) -> Status:
        """Return the status of a file of `open_each`, as it was when it was opened."""

    # Writing: whole or not at all

    def atomic(self, path: Address) -> AbstractContextManager[Path]:
        """Open a local file to write to, which becomes `path` when the block ends well."""

    def publish(
        self, path: Address, chunks: Iterable[bytes], before_change: Callable[[], None]
    ) -> bool:
        """Write `chunks` to `path` where they differ from its content; return whether they did.

        `before_change` is called when the new content is whole and the old content still there.
        """

    def write_each(
        self, root: str, files: Iterable[tuple[str, bytes]]
    ) -> Iterator[tuple[str, bytes, Status]]:
        """Write each file, named below `root`, and yield it with its status.

        Raises OutputError.
        """

    def link(self, root: Address, names: Iterable[tuple[str, str]]) -> Iterator[tuple[str, int]]:
        """Give files below `root` another name; yield that name with the file's time.

        `names` are of a file and its other name. It is a copy with the file's time where there are
        no links; of an object it is a copy within the store, with a stamp of its own.
        """

    def rename(self, folder: Address, moves: Mapping[str, str]) -> None:
        """Give files in `folder` other names; those may be names of others that are moved."""

    def unlink(self, path: Address, missing_ok: bool = False) -> None: ...

    def remove(self, root: Address, names: Iterable[str]) -> None:
        """Delete files by their names below `root`, and the folders that this leaves empty."""

    def remove_empty(self, root: Address, folders: Iterable[str]) -> None:
        """Delete those of `folders` that are empty, and those above them that this empties."""

    def append(self, path: Address) -> AbstractContextManager[Lines]:
        """Open a journal to append whole lines to; what a kill left of a line is cut off."""

    def appended(self, path: Address) -> bytes:
        """Return the content of a journal. Raises FileNotFoundError."""

    def discard(self, path: Address) -> None:
        """Remove a journal, if there is one."""

    # Guarding

    def hold(self, lock: Address, split: str, holder: Holder) -> AbstractContextManager[None]:
        """Hold a lock. Raises BusyError, naming the holder, where another does."""

    def require_usable(self, root: Path) -> None:
        """Raise RootsError or FileAccessError where SKU_ROOT cannot be this folder."""

    def require_no_links(self, folder: Path, *, deep: bool = False) -> None:
        """Raise OutputError where a folder, or if `deep` anything in it, is a link."""


def status_of(found: os.stat_result) -> Status:
    """Return the status of a file. A time that no 64 bits can hold is folded into them.

    File systems know times beyond 2262; folded ones still differ where the times do.
    """
    time = (found.st_mtime_ns + _TIMES // 2) % _TIMES - _TIMES // 2
    return found.st_size, time


def temporary_name(name: str) -> str:
    """Return what a file is called while it is being written, in the same folder."""
    return f".{name}.tmp"


def aside(path: str) -> str:
    """Return the temporary name of a file that has a path, in the same folder."""
    folder, name = os.path.split(path)
    return os.path.join(folder, temporary_name(name))
