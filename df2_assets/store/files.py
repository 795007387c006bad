"""Files and objects that are there whole or not at all.

A file is written under a temporary name and renamed. An object is put whole; before each put and
each removal the lock of the split has to be held still (LostLockError).
"""

import filecmp
import mmap
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from df2_assets.errors import OutputError, os_errors_name
from df2_assets.store.lock import require_held_locks
from df2_assets.store.objects.client import each, stamp
from df2_assets.store.objects.path import ObjectPath

Status = tuple[int, int]
"""Bytes, and nanoseconds of the last change or, of an object, the stamp of its entity tag."""

_TIMES: Final = 2**64
"""How many times a column of a table can tell apart: nanoseconds from 1677 to 2262."""

NOT_A_FILE: Final = -1
"""Recorded as the size of a folder, a pipe, a device or a dangling link with a file's name."""


def status_of(found: os.stat_result) -> Status:
    """Return the status of a file. A time that no 64 bits can hold is folded into them.

    File systems know times beyond 2262; folded ones still differ where the times do.
    """
    time = (found.st_mtime_ns + _TIMES // 2) % _TIMES - _TIMES // 2
    return found.st_size, time


def temporary_name(name: str) -> str:
    """Return what a file is called while it is being written, in the same folder."""
    return f".{name}.tmp"


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Open a file to write to, which becomes `path` when the block ends well, else is removed."""
    if isinstance(path, ObjectPath):
        with TemporaryDirectory(prefix="df2-assets-") as folder:
            local = Path(folder) / path.name
            yield local
            put(path, local.read_bytes())
        return
    with _beside(path) as temporary:
        yield temporary
        _flush(temporary)
        temporary.replace(path)


def publish(path: Path, chunks: Iterable[bytes], before_change: Callable[[], None]) -> bool:
    """Write `chunks` to `path` where they differ from what is there; return whether they did.

    `before_change` is called when the new content is whole and the old content still there.
    """
    if isinstance(path, ObjectPath):
        data = b"".join(chunks)
        with suppress(FileNotFoundError):
            if path.read_bytes() == data:
                return False
        before_change()
        put(path, data)
        return True
    with _beside(path) as temporary:
        with temporary.open("xb") as file:
            file.writelines(chunks)
        if path.is_file() and filecmp.cmp(temporary, path, shallow=False):
            return False
        _flush(temporary)
        before_change()
        temporary.replace(path)
        return True


def put(path: ObjectPath, data: bytes) -> None:
    """Write an object. Raises LostLockError where another build may be writing it."""
    require_held_locks()
    path.client.put(path.key, data)


def under(folder: Path) -> Iterator[str]:
    """Yield the names of all files below a folder, relative to it; none where there is none."""
    if isinstance(folder, ObjectPath):
        yield from (entry.name for entry in folder.client.listed(folder.key, deep=True))
        return
    for path in folder.rglob("*"):
        if path.is_symlink() or not path.is_dir():
            yield path.relative_to(folder).as_posix()


def mapped(path: Path) -> tuple[memoryview, Status]:
    """Return the bytes of a file, not read before they are looked at; an object is fetched whole.

    Raises FileNotFoundError.
    """
    if isinstance(path, ObjectPath):
        content, tag = path.client.get(path.key)
        return memoryview(content), (len(content), stamp(tag))
    with path.open("rb") as file:
        status = os.fstat(file.fileno())
        # A file of no bytes cannot be mapped.
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if status.st_size else b""
    return memoryview(data), status_of(status)


def statuses(folder: Path) -> dict[str, Status]:
    """Return the status of all files below a folder, by their names relative to it.

    A link is what it is itself. Raises OutputError for a link to another folder.
    """
    if isinstance(folder, ObjectPath):
        listed = folder.client.listed(folder.key, deep=True)
        return {entry.name: (entry.size or 0, stamp(entry.tag)) for entry in listed}
    by_name = {}
    for place, folders, names in os.walk(folder):
        for name in folders:
            require_real_folder(Path(place, name))
        top = "" if place == str(folder) else Path(place).relative_to(folder).as_posix() + "/"
        for name in names:
            by_name[top + name] = status_of(os.lstat(f"{place}/{name}"))
    return by_name


def require_real_folder(path: Path) -> None:
    """Raise OutputError where a link stands for a folder that is written to."""
    if path.is_symlink():
        raise OutputError(f"{path} is a link: files are only written to real folders. Remove it.")


def links(root: Path, names: Iterable[tuple[str, str]]) -> Iterator[tuple[str, int]]:
    """Give files below `root` another name there; yield that name, with the time that it has.

    `names` are of a file and its other name. It is a copy with the file's time where there can be
    no link; of an object it is a copy within the store, with a tag and so a stamp of its own.
    """
    if isinstance(root, ObjectPath):

        def copy(pair: tuple[str, str]) -> tuple[str, int]:
            require_held_locks()
            old, new = (root / name for name in pair)
            return pair[1], stamp(root.client.copy(old.key, new.key))

        yield from each(copy, names)
        return
    for name, other in names:
        _link(root / name, root / other)
        yield other, status_of(os.lstat(root / other))[1]


def rename(folder: Path, moves: Mapping[str, str]) -> None:
    """Give files in `folder` other names there; those may be names of others that are moved."""
    aside = {old: _aside(new) for old, new in moves.items()}
    for pairs in (aside.items(), [(aside[old], new) for old, new in moves.items()]):
        if isinstance(folder, ObjectPath):
            for _ in links(folder, pairs):
                pass
        else:
            for old, new in pairs:
                (folder / old).replace(folder / new)
    if isinstance(folder, ObjectPath):
        remove(folder, {*aside.values(), *moves}.difference(moves.values()))


def remove(root: Path, names: Iterable[str]) -> None:
    """Delete files by their names below `root`, and the folders there that this leaves empty."""
    if isinstance(root, ObjectPath):
        require_held_locks()
        root.client.delete([(root / name).key for name in names])
        return
    folders = set()
    for name in names:
        (root / name).unlink(missing_ok=True)
        folders.add(os.path.dirname(name))
    remove_empty(root, folders)


def remove_empty(root: Path, folders: Iterable[str]) -> None:
    """Delete those of `folders` that are empty, and those above them that this empties."""
    if isinstance(root, ObjectPath):  # where there are none
        return
    for folder in folders:
        while folder:
            try:
                (root / folder).rmdir()
            except OSError:
                break
            folder = os.path.dirname(folder)


def free(folder: Path) -> int | None:
    """Return the bytes free on the disk of `folder`, existing or not; None in an object store."""
    if isinstance(folder, ObjectPath):
        return None
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def _link(source: Path, path: Path) -> None:
    with _beside(path) as temporary:
        try:
            temporary.hardlink_to(source)
        except OSError:  # another disk, or a file system without links
            shutil.copy2(source, temporary)
        temporary.replace(path)


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """Open a temporary name beside `path`: free at first, since what lies there may be a link to
    anything, and gone at the end."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(temporary_name(path.name))
    temporary.unlink(missing_ok=True)
    try:
        with os_errors_name(path):
            yield temporary
    finally:
        temporary.unlink(missing_ok=True)


def _aside(name: str) -> str:
    folder, name = os.path.split(name)
    return os.path.join(folder, temporary_name(name))


def _flush(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
