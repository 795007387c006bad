"""The files of embeddings: Parquet parts in a folder, and beside it the record of what they hold.

The name of a part has a digest of its rows and of the encoder, so a part that exists is finished,
and is never changed. The record, a JSON file, lists the parts and the tables that they were made
from. It is written last: until then, the parts that it lists remain.
"""

import hashlib
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from df2_assets.embeddings.encoders import Encoder, folder_name
from df2_assets.errors import MissingTableError, NewerReleaseError, ProvenanceError
from df2_assets.store import tables
from df2_assets.store.layout import Roots

if TYPE_CHECKING:
    import numpy.typing as npt

    from df2_assets.embeddings.encoders import Vectors

FORMAT: Final = 1
"""Raise it with each change that an earlier release would misread."""

_OURS: Final = b"df2_assets"
IDENTITY: Final = ("crop_path", "sku_uid", "digest")
"""The columns of a part that say which crops it is of."""

_PREFIX: Final = "part-"
_SUFFIX: Final = ".parquet"
UNFINISHED: Final = f".{_PREFIX}"
"""How the name of a part begins while it is written."""


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=False):
    """What the parts in a folder hold.

    `encoder` is the name as DF2_ENCODER has it, `fingerprint` its name and version. `inputs` are
    digests of tables by name. `parts` are the names of the files in their order. `dimension` is 0
    where there are no rows.
    """

    encoder: str
    fingerprint: str
    inputs: dict[str, str]
    rows: int
    dimension: int
    dtype: str
    parts: list[str]
    format: int = FORMAT

    @property
    def digest(self) -> str:
        """A digest of the rows and the encoder, which decide the vectors."""
        return hashlib.sha256("\n".join(self.parts).encode()).hexdigest()


@dataclass(frozen=True)
class Embeddings:
    """Crops in the order of their paths, each with a row of `vectors`, an array `(n, d)`.

    `digests` are those of the crops' bytes: SHA-256, hexadecimal.
    """

    crop_paths: list[str]
    sku_uids: list[str]
    digests: list[str]
    vectors: "npt.NDArray[np.float32]"


def read_embeddings(roots: Roots, split: str, encoder: str) -> Embeddings:
    """Return the embeddings of the crops of a split that are on disk now.

    `encoder` is a name as DF2_ENCODER has it; the encoder itself is not loaded. Raises
    MissingTableError, or ProvenanceError where the crops have changed since; each names the command
    to run.
    """
    record = require_record(roots, split, encoder)
    return read_parts(roots, folder_of(roots, split, encoder), record, _command(split, encoder))


def require_record(roots: Roots, split: str, encoder: str) -> Record:
    """Return the record of the embeddings of the crops that are on disk now.

    Raises as `read_embeddings`.
    """
    record = find_record(roots, folder_of(roots, split, encoder))
    command = _command(split, encoder)
    if record is None:
        raise MissingTableError(f"{split} has no embeddings of {encoder}: run {command}")
    if not is_current(roots, split, encoder):
        raise ProvenanceError(
            f"The embeddings of {encoder} are not of the current crops of {split}: run {command}"
        )
    return record


def _command(split: str, encoder: str) -> str:
    return f"df2-assets embed --split {split} --encoder {quote(encoder)}"


def folder_of(roots: Roots, split: str, encoder: str) -> Path:
    """Return the folder with the embeddings of a split by an encoder."""
    return roots.embeddings(folder_name(encoder), split)


def is_current(roots: Roots, split: str, encoder: str) -> bool:
    """Return whether a split has embeddings of an encoder, made from its current crops."""
    record = find_record(roots, folder_of(roots, split, encoder))
    return record is not None and record.inputs == tables.digests(roots, record.inputs, split)


def find_encoders(roots: Roots, split: str) -> list[str]:
    """Return the names of the encoders that a split has embeddings of, current or not, sorted."""
    folders = roots.sku.folders(roots.all_embeddings)
    records = (find_record(roots, roots.embeddings(name, split)) for name in folders)
    return sorted(record.encoder for record in records if record is not None)


def find_unrecorded(roots: Roots, split: str) -> list[str]:
    """Return the names of the encoders that have parts of a split, but no record of them, sorted.

    These are being made, were never finished, or have lost their record.
    """
    names: list[str] = []
    for name in roots.sku.folders(roots.all_embeddings):
        folder = roots.embeddings(name, split)
        if find_record(roots, folder) is None:
            parts = (find_part(roots, folder / file) for file in find_parts(roots, folder))
            names += islice((encoder_of(part) for part in parts if part is not None), 1)
    return sorted(names)


def read_parts(roots: Roots, folder: Path, record: Record, command: str) -> Embeddings:
    """Return what the parts of a record hold, with one part at a time in memory twice.

    Raises ProvenanceError, which names `command`, where a part is missing or damaged.
    """
    vectors = np.empty((record.rows, record.dimension), np.float32)
    columns: dict[str, list[str]] = {name: [] for name in IDENTITY}
    end = 0
    for name in record.parts:
        part = find_part(roots, folder / name)
        if part is None or end + part.num_rows > record.rows:
            raise ProvenanceError(f"{folder / name} is missing or damaged: run {command}")
        start, end = end, end + part.num_rows
        vectors[start:end] = vectors_of(part)
        for column, values in columns.items():
            values += part[column].to_pylist()
    if end != record.rows:
        raise ProvenanceError(f"{folder} lacks rows: run {command}")
    return Embeddings(columns["crop_path"], columns["sku_uid"], columns["digest"], vectors)


def vectors_of(part: pa.Table) -> "Vectors":
    """Return the vectors of a part as an array `(n, d)`."""
    column = part["vector"].combine_chunks()
    flat = column.flatten().to_numpy(zero_copy_only=False)
    vectors: Vectors = flat.reshape(len(column), column.type.list_size)
    return vectors


def find_part(roots: Roots, path: Path) -> pa.Table | None:
    """Return a part; None where it is missing, damaged or not one of these files."""
    try:
        file = pq.ParquetFile(tables.parquet(path), page_checksum_verification=True)
        part = file.read()
    except (FileNotFoundError, pa.ArrowInvalid, OSError):
        return None
    if _OURS not in (part.schema.metadata or {}):
        return None
    return part if part.schema.names == [*IDENTITY, "vector"] else None


def find_parts(roots: Roots, folder: Path) -> list[str]:
    """Return the names of the parts in a folder, sorted."""
    names = (name for name, _ in roots.sku.files(folder))
    return sorted(n for n in names if n.startswith(_PREFIX) and n.endswith(_SUFFIX))


def encoder_of(part: pa.Table) -> str:
    """Return the name of the encoder that made a part."""
    return str(msgspec.json.decode(part.schema.metadata[_OURS])["encoder"])


def fingerprint_of(part: pa.Table) -> str:
    """Return the fingerprint of the encoder that made a part."""
    return str(msgspec.json.decode(part.schema.metadata[_OURS])["fingerprint"])


def name_part(number: int, content: str) -> str:
    """Return the name of a part: its number and the beginning of `digest_rows`."""
    return f"{_PREFIX}{number:05d}-{content[:16]}{_SUFFIX}"


def digest_rows(rows: pa.Table, fingerprint: str) -> str:
    """Return a digest of crops and their encoder: of everything that their vectors depend on."""
    content = hashlib.sha256(fingerprint.encode())
    for name in IDENTITY:
        content.update("\n".join(rows[name].to_pylist()).encode())
    return content.hexdigest()


def write_part(
    roots: Roots, path: Path, rows: pa.Table, vectors: "Vectors", encoder: Encoder
) -> None:
    """Write a part: the columns of `rows`, which are `IDENTITY`, and `vector`."""
    kind = pa.list_(pa.from_numpy_dtype(vectors.dtype), vectors.shape[1])
    column = pa.FixedSizeListArray.from_arrays(pa.array(vectors.reshape(-1)), type=kind)
    ours = {
        "encoder": encoder.setting,
        "fingerprint": encoder.fingerprint,
        "inputs": {"rows": digest_rows(rows, encoder.fingerprint)},
        "format": FORMAT,
    }
    part = rows.select(IDENTITY).append_column("vector", column)
    part = part.replace_schema_metadata({_OURS: msgspec.json.encode(ours)})
    with roots.sku.atomic(path) as temporary:
        pq.write_table(
            part,
            temporary,
            compression="zstd",
            use_dictionary=["sku_uid"],
            write_page_checksum=True,
        )


def find_record(roots: Roots, folder: Path) -> Record | None:
    """Return the record of a folder; None where there is none, or it cannot be read.

    Raises NewerReleaseError.
    """
    path = record_path(folder)
    try:
        with roots.sku.open(path, "rb") as file:
            record = msgspec.json.decode(file.read(), type=Record)
    except (FileNotFoundError, msgspec.MsgspecError, UnicodeDecodeError):
        return None
    if record.format > FORMAT:
        raise NewerReleaseError(
            f"{path} was written by a newer release of df2-assets (format {record.format}; this "
            f"one knows {FORMAT}): use that release, or set SKU_ROOT to another folder."
        )
    return record


def write_record(roots: Roots, folder: Path, record: Record) -> None:
    with roots.sku.atomic(record_path(folder)) as temporary:
        temporary.write_bytes(msgspec.json.format(msgspec.json.encode(record), indent=2))


def record_path(folder: Path) -> Path:
    """Return the path of the record of a folder, next to it."""
    return folder.with_name(f"{folder.name}.json")
