"""What is known of an export beside its folder: its record, and the list of its digests."""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from df2_assets.errors import OutputError
from df2_assets.store.files import atomic, temporary_name
from df2_assets.store.layout import Roots


class File(msgspec.Struct, frozen=True):
    """A file as it was left; `key` names what a shard was made from, empty for other files."""

    size: int
    mtime_ns: int
    sha256: str
    key: str = ""


class Record(msgspec.Struct):
    """`made_from` is the digest of the source, None from the first change until the last file.

    `files` are by path below the export's folder, without those that are names of crops.
    """

    made_from: str | None = None
    rows: int = 0
    files: dict[str, File] = {}


def record_path(roots: Roots, name: str, split: str) -> Path:
    return roots.export(name, split).with_suffix(".json")


def digests_path(roots: Roots, name: str, split: str) -> Path:
    """In the form of `sha256sum`, for `sha256sum -c` in SKU_ROOT."""
    return roots.export(name, split).with_suffix(".sha256")


def is_made(roots: Roots, name: str, split: str) -> bool:
    """Whether the export was ever asked for."""
    return record_path(roots, name, split).exists()


def load(roots: Roots, name: str, split: str) -> Record:
    """The record of an export; an empty one where there is none that can be read."""
    try:
        return msgspec.json.decode(record_path(roots, name, split).read_bytes(), type=Record)
    except (FileNotFoundError, msgspec.DecodeError):
        return Record()


def save(roots: Roots, name: str, split: str, record: Record) -> None:
    """Write the record, unless it is there already."""
    path = record_path(roots, name, split)
    if path.exists() and load(roots, name, split) == record:
        return
    with atomic(path) as temporary:
        temporary.write_bytes(msgspec.json.format(msgspec.json.encode(record), indent=2) + b"\n")


def refuse_links(roots: Roots, folder: Path) -> None:
    """Raise OutputError where a link stands for the folder of an export, or for one below it."""
    for place in (roots.own, folder.parent.parent, folder.parent, folder):
        _refuse_link(place)
    for _ in files_below(folder):
        pass


def files_below(folder: Path) -> Iterator[str]:
    """The paths of all files below a folder. Raises OutputError for a link to another folder."""
    for place, folders, names in os.walk(folder):
        for name in folders:
            _refuse_link(Path(place, name))
        for name in names:
            yield Path(place, name).relative_to(folder).as_posix()


def _refuse_link(path: Path) -> None:
    if path.is_symlink():
        raise OutputError(f"{path} is a link: exports are only written to real folders. Remove it.")


def is_own(name: str, own: re.Pattern[str]) -> bool:
    """Whether a path below the folder is one that the export can have, or has while it writes."""
    place, slash, last = name.rpartition("/")
    whole = last[1:].removesuffix(".tmp")
    if last == temporary_name(whole):
        name = f"{place}{slash}{whole}"
    return own.fullmatch(name) is not None


def is_as_left(path: Path, file: File) -> bool:
    """Whether a file has the size and time that were recorded."""
    with suppress(OSError):
        status = path.stat(follow_symlinks=False)
        return (status.st_size, status.st_mtime_ns) == (file.size, file.mtime_ns)
    return False


def is_same_file(path: Path, crop: Path) -> bool:
    """Whether a file is another name of a crop, or the copy that was made where it cannot be."""
    with suppress(OSError):
        one, other = (place.stat(follow_symlinks=False) for place in (path, crop))
        return os.path.samestat(one, other) or (
            (one.st_size, one.st_mtime_ns) == (other.st_size, other.st_mtime_ns)
        )
    return False
