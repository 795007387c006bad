"""The interface to files, on this machine or in an object store.

Paths are full addresses: `str` of a `Location`, or a root, a slash and a name. A disk raises
OSError, an object store StorageError. Both raise FileNotFoundError for a missing file.
"""

import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, Any, BinaryIO, Final, Protocol

from df2_assets.store.lease import Holder

Status = tuple[int, int]
"""The size in bytes, and the time of change in nanoseconds or, for an object, its entity tag."""

NOT_A_FILE: Final = -1
"""The size that stands for a folder, a pipe, a device or a dangling link."""

_TIMES: Final = 2**64
"""The number of times that a table column can represent: nanoseconds from 1677 to 2262."""

Address = str | Path
Enter = Callable[[str], bool]
"""Says whether to enter a folder, by its name relative to the folder that is walked."""


class Lines(Protocol):
    """A journal. After `flush`, a later build can read the lines that were written."""

    def write(self, line: bytes, /) -> object: ...

    def flush(self) -> object: ...


class Store(Protocol):
    """A place for files: `LocalStore` or `ObjectStore`. No code asks which of the two it has."""

    has_folders: bool
    """Whether folders are listed one by one; an object store lists everything below a prefix."""

    # Status

    def stat(self, path: Address, *, follow_symlinks: bool = True) -> os.stat_result: ...

    def is_folder(self, path: Address) -> bool:
        """Return whether a folder exists; in an object store, whether any object is below it."""

    def is_link(self, path: Address) -> bool: ...

    def may_read(self, folder: Address) -> bool:
        """Return whether this user may list a folder, or it does not exist."""

    def resolve(self, path: Address) -> str:
        """Return the address with all links followed."""

    def is_same(self, path: Address, other: Address) -> bool:
        """Return whether two addresses name the same folder."""

    def uri(self, path: Address) -> str:
        """Return an address that a browser can open."""

    def free(self, folder: Address) -> int | None:
        """Return the free bytes on the disk of a folder, existing or not; None without a disk."""

    # Listing

    def names(self, folder: Address) -> Iterator[str]:
        """Yield the names in a folder, in any order; none if it is missing."""

    def folders(self, folder: Address) -> Iterator[str]:
        """Yield the names of the folders in a folder; none if it cannot be read."""

    def files(self, folder: Address) -> Iterator[tuple[str, Status]]:
        """Yield the names in a folder with their status, links followed; none if it is missing."""

    def walk(
        self, folder: Address, enter: Enter = lambda _: True
    ) -> Iterator[tuple[str, Status | None]]:
        """Yield everything below a folder: files, and folders that are empty or not entered.

        Names are relative. The status of a folder is None, the size of a link `NOT_A_FILE`. Raises
        OutputError for a link in the place of a folder to enter.
        """

    def lookup(self, root: Address, folder: Address) -> Callable[[str], bool]:
        """Return a function that takes a path below `root` of a file in `folder`.

        It says whether the file exists.
        """

    # Reading

    def open(self, path: Address, mode: str = "r", **options: Any) -> IO[Any]:
        """Open a file. An object can only be read."""

    def read_end(self, path: Address, size: int) -> bytes:
        """Return the last bytes of a file: at least `size`, or the whole file."""

    def map_bytes(self, path: Address) -> tuple[memoryview, Status]:
        """Return the bytes of a file, mapped into memory. An object is fetched."""

    def open_each(self, paths: Iterable[str]) -> Iterator[BinaryIO | OSError]:
        """Yield each file, to be read as a whole, or the error of opening it.

        A file is closed before the next one is yielded.
        """

    def peek_each(self, paths: Iterable[str]) -> Iterator[BinaryIO | OSError]:
        """Yield each file, to read only its beginning, or the error of opening it."""

    def read_each(self, paths: Iterable[tuple[str, int]]) -> Iterator[bytes | OSError]:
        """Yield the bytes of each file, at most as many as its tuple says (-1: all)."""

    def status(self, file: BinaryIO) -> Status:
        """Return the status that a file of `open_each` had when it was opened."""

    # Writing: a file appears as a whole, or not at all

    def atomic(self, path: Address) -> AbstractContextManager[Path]:
        """Open a temporary local file, which becomes `path` when the block succeeds."""

    def publish(
        self, path: Address, chunks: Iterable[bytes], before_change: Callable[[], None]
    ) -> bool:
        """Write `chunks` to `path` if they differ from its content, and return whether they did.

        `before_change` is called when the new content is complete and the old one still exists.
        """

    def write_each(
        self, root: str, files: Iterable[tuple[str, bytes]]
    ) -> Iterator[tuple[str, bytes, Status]]:
        """Write each file, by its path below `root`, and yield it with its status.

        Raises OutputError.
        """

    def link(self, root: Address, names: Iterable[tuple[str, str]]) -> Iterator[tuple[str, int]]:
        """Link files below `root` to further names, and yield those with the time of the file.

        `names` has pairs of an existing and a new name. Where hard links are impossible, the new
        file is a copy with the same time. An object is copied within the store, with a new stamp.
        """

    def rename(self, folder: Address, moves: Mapping[str, str]) -> None:
        """Rename files in `folder`, from key to value. A new name may be an old name of another."""

    def unlink(self, path: Address, missing_ok: bool = False) -> None: ...

    def remove(self, root: Address, names: Iterable[str]) -> None:
        """Delete files by their paths below `root`, and the folders that are then empty."""

    def remove_empty(self, root: Address, folders: Iterable[str]) -> None:
        """Delete the empty ones of `folders`, and the folders above them that are then empty."""

    def append(self, path: Address) -> AbstractContextManager[Lines]:
        """Open a journal to append whole lines. If a kill left an unfinished one, it is cut off."""

    def read_journal(self, path: Address) -> bytes:
        """Return the content of a journal. Raises FileNotFoundError."""

    def discard(self, path: Address) -> None:
        """Remove a journal, if there is one."""

    # Locks and guards

    def hold(self, lock: Address, split: str, holder: Holder) -> AbstractContextManager[None]:
        """Hold a lock while the block runs. Raises BusyError if another process holds it."""

    def require_usable(self, root: Path) -> None:
        """Raise RootsError or FileAccessError if a folder cannot be SKU_ROOT."""

    def require_no_links(self, folder: Path, *, deep: bool = False) -> None:
        """Raise OutputError if a folder is a link or, if `deep`, anything in it."""


def status_of(result: os.stat_result) -> Status:
    """Return the status of a file. A time that exceeds 64 bits wraps around.

    File systems can have times after 2262. Two different times still differ after wrapping.
    """
    time = result.st_mtime_ns
    if not -_TIMES // 2 <= time < _TIMES // 2:
        time = (time + _TIMES // 2) % _TIMES - _TIMES // 2
    return result.st_size, time


def file_status(store: Store, path: Address) -> Status:
    """Return the status of a file, links followed. Raises FileNotFoundError."""
    try:
        result = store.stat(path)
    except OSError:  # a dangling link
        result = store.stat(path, follow_symlinks=False)
    size, time = status_of(result)
    return (size if stat.S_ISREG(result.st_mode) else NOT_A_FILE), time


def temporary_name(name: str) -> str:
    """Return the name of a file while it is being written, in the same folder."""
    return f".{name}.tmp"


def temporary_path(path: str) -> str:
    """Return the temporary path of a file, in the same folder."""
    folder, name = os.path.split(path)
    return os.path.join(folder, temporary_name(name))
