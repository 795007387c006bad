"""What is known of an export beside its folder: its record, and the list of its digests."""

import re
from pathlib import Path

import msgspec

from df2_assets.store.checksums import read_list
from df2_assets.store.files import Status, publish, require_real_folder, temporary_name
from df2_assets.store.layout import Roots


class File(msgspec.Struct, frozen=True):
    """A file as it was left; `key` names what a shard was made from, empty for other files."""

    size: int
    mtime_ns: int
    sha256: str
    key: str = ""

    @property
    def status(self) -> Status:
        return self.size, self.mtime_ns


class Record(msgspec.Struct):
    """`made_from` is the digest of the source, None from the first change until the last file.

    `files` are by path below the export's folder, without crops that have the status of their
    originals: further names of them, and copies that took it along.
    """

    made_from: str | None = None
    rows: int = 0
    files: dict[str, File] = {}


def digests(folder: Path) -> dict[str, str]:
    """The list beside the folder of an export: digest by path below it."""
    top = "/".join(folder.parts[-4:]) + "/"
    listed = read_list(folder.with_suffix(".sha256"))
    return {path.removeprefix(top): sha256 for path, sha256 in listed.items()}


def is_made(roots: Roots, name: str, split: str) -> bool:
    """Whether the export was ever asked for."""
    return roots.export_record(name, split).exists()


def load(roots: Roots, name: str, split: str) -> Record:
    """The record of an export; an empty one where there is none that can be read."""
    try:
        return msgspec.json.decode(roots.export_record(name, split).read_bytes(), type=Record)
    except (FileNotFoundError, msgspec.DecodeError):
        return Record()


def save(roots: Roots, name: str, split: str, record: Record) -> None:
    """Write the record, unless it is there already."""
    text = msgspec.json.format(msgspec.json.encode(record), indent=2) + b"\n"
    publish(roots.export_record(name, split), [text], lambda: None)


def refuse_links(roots: Roots, folder: Path) -> None:
    """Raise OutputError where a link stands for the folder of an export, or for one above it."""
    for place in (roots.own, folder.parent.parent, folder.parent, folder):
        require_real_folder(place)


def is_own(name: str, own: re.Pattern[str]) -> bool:
    """Whether a path below the folder is one that the export can have, or has while it writes."""
    place, slash, last = name.rpartition("/")
    whole = last[1:].removesuffix(".tmp")
    if last == temporary_name(whole):
        name = f"{place}{slash}{whole}"
    return own.fullmatch(name) is not None


def is_as_left(
    there: Status | None, file: File | None, sha256: str, crop: Status | None = None
) -> bool:
    """Whether a file is what was written, by what is recorded of it.

    A crop among an export's files is so too by the status of the crop itself.
    """
    if there is None:
        return False
    return there == crop or (file is not None and (there, sha256) == (file.status, file.sha256))
