"""Files that are there whole or not at all."""

import filecmp
import mmap
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Final

from df2_assets.errors import OutputError
from df2_assets.store.objects.path import ObjectPath

Status = tuple[int, int]
"""Bytes, and nanoseconds of the last change or, of an object, the stamp of its entity tag."""

NOT_A_FILE: Final = -1
"""Recorded as the size of a folder, a pipe, a device or a dangling link with a file's name."""


def temporary_name(name: str) -> str:
    """What a file is called while it is being written, in the same folder."""
    return f".{name}.tmp"


def atomic(path: Path) -> AbstractContextManager[Path]:
    """A file to write to, which becomes `path` when the block ends well, and is else removed."""
    if isinstance(path, ObjectPath):
        from df2_assets.store.objects import files

        return files.atomic(path)
    return _atomic(path)


def publish(path: Path, chunks: Iterable[bytes], before_change: Callable[[], None]) -> bool:
    """Write `chunks` to `path` where they differ from what is there; whether they did.

    `before_change` is called when the new content is whole and the old one still there.
    """
    if isinstance(path, ObjectPath):
        from df2_assets.store.objects import files

        return files.publish(path, chunks, before_change)
    return _publish(path, chunks, before_change)


def under(folder: Path) -> Iterator[str]:
    """The names of all files below a folder, relative to it; none where it is not there."""
    if isinstance(folder, ObjectPath):
        from df2_assets.store.objects import files

        return files.under(folder)
    found = (path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())
    return (path.relative_to(folder).as_posix() for path in found)


def mapped(path: Path) -> tuple[memoryview, Status]:
    """The bytes of a file, not read before they are looked at; an object is fetched whole.

    Raises FileNotFoundError.
    """
    if isinstance(path, ObjectPath):
        from df2_assets.store.objects import files

        return files.fetched(path)
    with path.open("rb") as file:
        status = os.fstat(file.fileno())
        # A file of no bytes cannot be mapped.
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if status.st_size else b""
    return memoryview(data), (status.st_size, status.st_mtime_ns)


def statuses(folder: Path) -> dict[str, Status]:
    """All files below a folder, by their names relative to it; a link is what it is itself.

    Raises OutputError for a link to another folder.
    """
    if isinstance(folder, ObjectPath):
        from df2_assets.store.objects import files

        return files.statuses(folder)
    found = {}
    for place, folders, names in os.walk(folder):
        for name in folders:
            refuse_link(Path(place, name))
        top = "" if place == str(folder) else Path(place).relative_to(folder).as_posix() + "/"
        for name in names:
            status = os.lstat(f"{place}/{name}")
            found[top + name] = status.st_size, status.st_mtime_ns
    return found


def refuse_link(path: Path) -> None:
    """Raise OutputError where a link stands for a folder that is written to."""
    if path.is_symlink():
        raise OutputError(f"{path} is a link: files are only written to real folders. Remove it.")


def links(root: Path, names: Iterable[tuple[str, str]]) -> Iterator[tuple[str, int]]:
    """Give files below `root` another name there; that name, with the time that it has.

    `names` are of a file and its other name. It is a copy with the file's time where there can be
    no link; of an object it is a copy with a tag, and so a stamp, of its own.
    """
    if isinstance(root, ObjectPath):
        from df2_assets.store.objects import files

        yield from files.copies(root, names)
        return
    for name, other in names:
        _link(root / name, root / other)
        yield other, os.lstat(root / other).st_mtime_ns


def rename(folder: Path, moves: Mapping[str, str]) -> None:
    """Give files in `folder` other names there; those may be names of others that are moved."""
    aside = {old: _aside(new) for old, new in moves.items()}
    if isinstance(folder, ObjectPath):
        from df2_assets.store.objects import files

        files.rename(folder, moves, aside)
        return
    for old in moves:
        (folder / old).replace(folder / aside[old])
    for old, new in moves.items():
        (folder / aside[old]).replace(folder / new)


def remove(root: Path, names: Iterable[str]) -> None:
    """Delete files by their names below `root`, and the folders there that this leaves empty."""
    if isinstance(root, ObjectPath):
        from df2_assets.store.objects import files

        return files.remove(root, names)
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
    """Bytes free on the disk that holds, or would hold, `folder`; None: as many as it takes."""
    if isinstance(folder, ObjectPath):
        return None
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


@contextmanager
def _atomic(path: Path) -> Iterator[Path]:
    """A temporary name beside `path`, renamed to it at the end."""
    temporary = _beside(path)
    try:
        yield temporary
        _flush(temporary)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _publish(path: Path, chunks: Iterable[bytes], before_change: Callable[[], None]) -> bool:
    temporary = _beside(path)
    try:
        with temporary.open("xb") as file:
            file.writelines(chunks)
        if path.is_file() and filecmp.cmp(temporary, path, shallow=False):
            return False
        _flush(temporary)
        before_change()
        temporary.replace(path)
        return True
    finally:
        temporary.unlink(missing_ok=True)


def _link(source: Path, path: Path) -> None:
    temporary = _beside(path)
    try:
        try:
            temporary.hardlink_to(source)
        except OSError:  # another disk, or a file system without links
            shutil.copy2(source, temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _beside(path: Path) -> Path:
    """The temporary name beside `path`, free: what lies there may be a link to anything."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(temporary_name(path.name))
    temporary.unlink(missing_ok=True)
    return temporary


def _aside(name: str) -> str:
    folder, name = os.path.split(name)
    return os.path.join(folder, temporary_name(name))


def _flush(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
