"""Files that are there whole or not at all."""

import filecmp
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

NOT_A_FILE: Final = -1
"""Recorded as the size of a folder, a pipe, a device or a dangling link with a file's name."""


def temporary_name(name: str) -> str:
    """What a file is called while it is being written, in the same folder."""
    return f".{name}.tmp"


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """A temporary name beside `path`, renamed to it when the block ends well, else removed."""
    temporary = _beside(path)
    try:
        yield temporary
        _flush(temporary)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def publish(path: Path, chunks: Iterable[bytes], before_change: Callable[[], None]) -> bool:
    """Write `chunks` to `path` where they differ from what is there; whether they did.

    `before_change` is called when the new content is whole on disk and the old one still there.
    """
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


def link(source: Path, path: Path) -> None:
    """Make `path` another name of the file `source`; a copy with its time where that cannot be."""
    temporary = _beside(path)
    try:
        try:
            temporary.hardlink_to(source)
        except OSError:  # another disk, or a file system without links
            shutil.copy2(source, temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def free(folder: Path) -> int:
    """Bytes free on the disk that holds, or would hold, `folder`."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def _beside(path: Path) -> Path:
    """The temporary name beside `path`, free: what lies there may be a link to anything."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(temporary_name(path.name))
    temporary.unlink(missing_ok=True)
    return temporary


def _flush(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
