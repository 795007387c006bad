"""The record of an export, and the list of its digests, next to its folder.

The name of an export is that of its format, such as `coco`, or `coco@square224` if it has the files
of the crop variant `square224`.
"""

import re
from shlex import quote
from typing import Final

import msgspec

from df2_assets.store.checksums import read_list
from df2_assets.store.layout import Roots
from df2_assets.store.store import Status, temporary_name

_VARIANT_MARK: Final = "@"


class File(msgspec.Struct, frozen=True):
    """A file as it was written. `key` is the digest of the rows of a shard."""

    size: int
    mtime_ns: int
    sha256: str
    key: str = ""

    @property
    def status(self) -> Status:
        return self.size, self.mtime_ns


class Record(msgspec.Struct):
    """The state of an export.

    - `source_digest`: the digest of the source; None while the export is half-written.
    - `rows`: the number of rows of each table.
    - `files`: the files by path in the folder. Crops with the same status as the original (hard
      links, and copies with the same time) are left out.
    - `encoder`: the encoder whose vectors the export was made with; empty for none.
    """

    source_digest: str | None = None
    rows: dict[str, int] = {}
    files: dict[str, File] = {}
    encoder: str = ""


def export_name(form: str, variant: str = "") -> str:
    """Return the name of the export of a format, with the files of a crop variant or the crops."""
    return f"{form}{_VARIANT_MARK}{variant}" if variant else form


def form_of(name: str) -> str:
    """Return the format of an export, by its name."""
    return name.partition(_VARIANT_MARK)[0]


def export_command(name: str, encoder: str = "") -> str:
    """Return the command that writes an export, without `df2-assets` and the split."""
    form, _, variant = name.partition(_VARIANT_MARK)
    options = f" --variant {variant}" if variant else ""
    if encoder:
        options += f" --encoder {quote(encoder)}"
    return f"export {form}{options}"


def requested_variants(roots: Roots, split: str, form: str) -> list[str]:
    """Return the variants whose exports of a format were ever requested, sorted.

    The export of the contract's crops is the empty variant.
    """
    names = (name.partition(_VARIANT_MARK) for name in roots.sku.folders(roots.exports))
    variants = {variant for name, _, variant in names if name == form}
    return sorted(v for v in variants if was_requested(roots, export_name(form, v), split))


def digests(roots: Roots, name: str, split: str) -> dict[str, str]:
    """Return the digests of the files of an export, by path in its folder."""
    top = roots.export(name, split).relative_to(roots.sku_root).as_posix() + "/"
    listed = read_list(roots.export_digests(name, split))
    return {path.removeprefix(top): sha256 for path, sha256 in listed.items()}


def was_requested(roots: Roots, name: str, split: str) -> bool:
    """Return whether the export was ever requested."""
    return roots.export_record(name, split).exists()


def load(roots: Roots, name: str, split: str) -> Record:
    """Return the record of an export, or an empty one if it cannot be read."""
    try:
        return msgspec.json.decode(roots.export_record(name, split).read_bytes(), type=Record)
    except (FileNotFoundError, msgspec.DecodeError):
        return Record()


def save(roots: Roots, name: str, split: str, record: Record) -> None:
    """Write the record, if it has changed."""
    text = msgspec.json.format(msgspec.json.encode(record), indent=2) + b"\n"
    roots.sku.publish(roots.export_record(name, split), [text], lambda: None)


def is_own(name: str, own: re.Pattern[str]) -> bool:
    """Return whether a path is one that a file of the export has, or has while it is written."""
    place, slash, last = name.rpartition("/")
    whole = last[1:].removesuffix(".tmp")
    if last == temporary_name(whole):
        name = f"{place}{slash}{whole}"
    return name == "README.md" or own.fullmatch(name) is not None


def is_as_written(
    status: Status | None, file: File | None, sha256: str, crop: Status | None = None
) -> bool:
    """Return whether a file is unchanged, according to its status and the record.

    A copy of a crop is also unchanged if it has the same status as the `crop`.
    """
    if status is None:
        return False
    return status == crop or (file is not None and (status, sha256) == (file.status, file.sha256))
