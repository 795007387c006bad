"""What is known of an export beside its folder: its record, and the list of its digests."""

import re
from pathlib import Path

import msgspec

from df2_assets.store.checksums import read_list
from df2_assets.store.files import Status, publish, temporary_name
from df2_assets.store.layout import Roots


class File(msgspec.Struct, frozen=True):
    """A file as it was written; `key` is a digest of what a shard was made from."""

    size: int
    mtime_ns: int
    sha256: str
    key: str = ""

    @property
    def status(self) -> Status:
        return self.size, self.mtime_ns


class Record(msgspec.Struct):
    """`made_from` is the digest of the source, None from the first change until the last file.

    `rows` counts the rows of each table. `files` are by path below the export's folder, without
    crops that have the status of their originals: hard links, and copies that kept the time.
    """

    made_from: str | None = None
    rows: dict[str, int] = {}
    files: dict[str, File] = {}


def digests_path(folder: Path) -> Path:
    """In the form of `sha256sum`, for `sha256sum -c` in SKU_ROOT."""
    return folder.with_suffix(".sha256")


def digests(folder: Path) -> dict[str, str]:
    """Return the list beside the folder of an export: digest by path below it."""
    top = "/".join(folder.parts[-4:]) + "/"
    listed = read_list(digests_path(folder))
    return {path.removeprefix(top): sha256 for path, sha256 in listed.items()}


def is_made(roots: Roots, name: str, split: str) -> bool:
    """Whether the export was ever asked for."""
    return _path(roots.export(name, split)).exists()


def load(folder: Path) -> Record:
    """Return the record of an export; an empty one where none can be read."""
    try:
        return msgspec.json.decode(_path(folder).read_bytes(), type=Record)
    except (FileNotFoundError, msgspec.DecodeError):
        return Record()


def save(folder: Path, record: Record) -> None:
    """Write the record, unless the file has it already."""
    text = msgspec.json.format(msgspec.json.encode(record), indent=2) + b"\n"
    publish(_path(folder), [text], lambda: None)


def _path(folder: Path) -> Path:
    return folder.with_suffix(".json")


def is_own(name: str, own: re.Pattern[str]) -> bool:
    """Whether a path below the folder is one that the export can have, or has while it writes."""
    place, slash, last = name.rpartition("/")
    whole = last[1:].removesuffix(".tmp")
    if last == temporary_name(whole):
        name = f"{place}{slash}{whole}"
    return name == "README.md" or own.fullmatch(name) is not None


def is_as_written(
    status: Status | None, file: File | None, sha256: str, crop: Status | None = None
) -> bool:
    """Whether a file is what was written, judged by its status and the record.

    A crop among an export's files also is if it has the status of the `crop` itself.
    """
    if status is None:
        return False
    return status == crop or (file is not None and (status, sha256) == (file.status, file.sha256))
