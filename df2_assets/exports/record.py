"""What is known of an export beside its folder: its record, and the list of its digests."""

import re

import msgspec

from df2_assets.store.checksums import read_list
from df2_assets.store.layout import Roots
from df2_assets.store.store import Status, temporary_name


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
    """`source_digest` is the digest of the source, None from the first change until the last file.

    `rows` counts the rows of each table. `files` are by path below the export's folder, without
    crops that have the status of their originals: hard links, and copies that kept the time.
    """

    source_digest: str | None = None
    rows: dict[str, int] = {}
    files: dict[str, File] = {}


def digests(roots: Roots, name: str, split: str) -> dict[str, str]:
    """Return the list beside the folder of an export: digest by path below it."""
    top = roots.export(name, split).relative_to(roots.sku_root).as_posix() + "/"
    listed = read_list(roots.export_digests(name, split))
    return {path.removeprefix(top): sha256 for path, sha256 in listed.items()}


def was_requested(roots: Roots, name: str, split: str) -> bool:
    """Whether the export was ever asked for."""
    return roots.export_record(name, split).exists()


def load(roots: Roots, name: str, split: str) -> Record:
    """Return the record of an export; an empty one where none can be read."""
    try:
        return msgspec.json.decode(roots.export_record(name, split).read_bytes(), type=Record)
    except (FileNotFoundError, msgspec.DecodeError):
        return Record()


def save(roots: Roots, name: str, split: str, record: Record) -> None:
    """Write the record, unless the file has it already."""
    text = msgspec.json.format(msgspec.json.encode(record), indent=2) + b"\n"
    roots.sku.publish(roots.export_record(name, split), [text], lambda: None)


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
