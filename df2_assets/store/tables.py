"""Tables as Parquet files, each with a digest of its content and those of its inputs."""

import ctypes
import hashlib
import json
import weakref
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from df2_assets.dataset.frames import frame as frame
from df2_assets.dataset.frames import from_frame as from_frame
from df2_assets.dataset.skus import add_sku_uids
from df2_assets.dataset.tables import SCHEMAS
from df2_assets.errors import MissingTableError, NewerReleaseError, ProvenanceError
from df2_assets.store import crop_lines
from df2_assets.store.layout import Roots
from df2_assets.store.store import Status, Store, status_of

FORMAT: Final = 1
"""Raise it with each change that an earlier release would misread."""

_OURS = b"df2_assets"
_NOT_CONTENT: Final = (_OURS, b"pandas")
"""The metadata of a table that does not count as its content."""

_JOBS: Final = {"labels": "build_labels", "crop_quality": "measure_crops"}
"""The jobs that make tables which `build_dataset` does not make."""

_END: Final = 64 * 1024
"""Bytes at the end of a table's file that are enough to read its schema."""

_M_MMAP_THRESHOLD: Final = -3
"""The parameter of glibc's `mallopt` (malloc.h)."""

_LARGE: Final = 256 * 1024
"""Blocks of so many bytes go back to the system when they are freed."""

_shared: dict[Path, tuple[Status, pa.Table]] = {}
"""Tables that were read, by path, with the size and time of their files."""

_sharing = 0
_digests: dict[int, str] = {}
"""Digests of tables in memory, by `id`: a table is described with its digest before it is written
with it."""


@dataclass(frozen=True)
class Origin:
    """The digest of a table's content, and the digests of its inputs by name."""

    digest: str
    inputs: Mapping[str, str]


@contextmanager
def shared(roots: Roots, split: str) -> Iterator[None]:
    """Keep the tables of a split in memory until the block ends, so that each is read only once.

    A table whose file has changed since is read again.
    """
    global _sharing
    _return_freed_memory()
    _sharing += 1
    try:
        yield
    finally:
        _sharing -= 1
        of_split = [path for path in _shared if path.stem == split]
        for path in [path for path in of_split if path.is_relative_to(roots.own)]:
            _shared.pop(path)


def _return_freed_memory() -> None:
    """Give the memory of freed columns back to the system: 150 MiB of a build at full size.

    By default, Arrow's pool keeps freed memory, and glibc raises `_LARGE` up to 32 MiB.
    """
    pa.set_memory_pool(pa.system_memory_pool())
    with suppress(AttributeError):  # another C library
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _LARGE)


def digest(table: pa.Table) -> str:
    """Return the SHA-256 of a table's values without volatile columns, whatever wrote it.

    Metadata of the table counts, such as the rule by which SKUs were selected.
    """
    key = id(table)
    if key not in _digests:
        _digests[key] = _digest(table)
        weakref.finalize(table, _digests.pop, key)
    return _digests[key]


def _digest(table: pa.Table) -> str:
    stable = [f.name for f in table.schema if not (f.metadata or {}).get(b"volatile")]
    rules = _rules(table)
    table = table.select(stable).replace_schema_metadata(None).combine_chunks()
    columns, inner = [], []
    for column in table.columns:
        if pa.types.is_list(column.type):
            inner.append(pc.list_flatten(column))
            column = pc.list_value_length(column)
        # The bytes under a null are arbitrary, so values and nulls are hashed separately.
        text = pa.types.is_string(column.type) or pa.types.is_binary(column.type)
        nothing = pa.scalar("" if text else 0).cast(column.type)
        columns += [column.fill_null(nothing), column.is_null()]
    names = [str(position) for position in range(len(columns))]
    flat = pa.table(columns, names=names).combine_chunks().replace_schema_metadata(rules or None)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, flat.schema) as writer:
        writer.write_table(flat)
    whole = hashlib.sha256(sink.getvalue())
    for values in inner:  # how lists are stored is arbitrary, too: only their values count
        whole.update(_digest(pa.table({"values": values})).encode())
    return whole.hexdigest()


def _rules(table: pa.Table) -> dict[bytes, bytes]:
    """Return the metadata of a table that counts as content."""
    metadata = table.schema.metadata or {}
    return {name: metadata[name] for name in sorted(metadata.keys() - {*_NOT_CONTENT})}


def write(roots: Roots, asset: str, split: str, table: pa.Table, inputs: Mapping[str, str]) -> str:
    """Write the table of `asset` for `split`, and return its digest.

    A table that is on disk already is not touched. The journal beside it is removed, since the
    table has all its rows. The lines beside a table of `crop_lines.COLUMNS` are written as well.
    """
    path = roots.table(asset, split)
    content = digest(table)
    ours = {"digest": content, "format": FORMAT, "inputs": dict(inputs)}
    own = {_OURS: json.dumps(ours, sort_keys=True).encode()}
    table = table.replace_schema_metadata(own | _rules(table))
    before = find(roots, asset, split) if _sharing else None
    if before is not None and before.schema.metadata == table.schema.metadata and before == table:
        crop_lines.write_lines(roots, asset, split, table, content, inputs)
        roots.sku.discard(path.with_suffix(".journal"))
        return content
    with roots.sku.atomic(path) as temporary:
        pq.write_table(table, temporary, compression="zstd", write_page_checksum=True)
    crop_lines.write_lines(roots, asset, split, table, content, inputs)
    roots.sku.discard(path.with_suffix(".journal"))
    return content


def origin(roots: Roots, asset: str, split: str) -> Origin | None:
    """Return the origin that a table records; None where no table can be read.

    Raises NewerReleaseError, as every function here that reads a table.
    """
    path = roots.table(asset, split)
    try:
        return _origin_in(_schema(roots.sku, path), path)
    except (pa.ArrowInvalid, OSError):
        return None


def _origin_in(schema: pa.Schema, path: Path) -> Origin | None:
    try:
        ours = json.loads(schema.metadata[_OURS])
        own, number = Origin(ours["digest"], ours["inputs"]), int(ours.get("format", 1))
    except (KeyError, TypeError, ValueError):
        return None
    if number > FORMAT:
        raise NewerReleaseError(
            f"{path} was written by a newer release of df2-assets (format {number}; this one "
            f"knows {FORMAT}): use that release, or set SKU_ROOT to another folder."
        )
    return own


def parquet(path: Path) -> pa.BufferReader:
    """Return a Parquet file as pyarrow takes it. Raises FileNotFoundError.

    The bytes are in memory of Arrow. Its threads may free them while the interpreter ends; if
    they belonged to Python, that would abort the process (apache/arrow#34314).
    """
    copy = pa.BufferOutputStream()
    copy.write(path.read_bytes())
    return pa.BufferReader(copy.getvalue())


def _schema(store: Store, path: Path) -> pa.Schema:
    """Return the schema of a Parquet file. Usually only the end of the file is read."""
    with suppress(pa.ArrowInvalid):
        return pq.read_schema(pa.BufferReader(store.read_end(path, _END)))
    return pq.read_schema(parquet(path))


def require_known_format(roots: Roots, split: str) -> None:
    """Raise NewerReleaseError where a newer release wrote a table of the split."""
    for asset in SCHEMAS:
        origin(roots, asset, split)


def digests(roots: Roots, assets: Iterable[str], split: str) -> dict[str, str]:
    """Return the digests of those tables that exist, by asset."""
    origins = {asset: origin(roots, asset, split) for asset in assets}
    return {asset: own.digest for asset, own in origins.items() if own is not None}


def find(roots: Roots, asset: str, split: str) -> pa.Table | None:
    """Return the table of `asset`; None where it is missing, damaged or has another schema.

    A table that was written before there was `sku_uid` is returned with it, so that no crop has to
    be cut again. The next build writes it with the column.
    """
    path = roots.table(asset, split)
    try:
        status = status_of(roots.sku.stat(path))
        if _shared.get(path, (None,))[0] == status:
            return _shared[path][1]
        table = pq.ParquetFile(parquet(path), page_checksum_verification=True).read()
    except (FileNotFoundError, pa.ArrowInvalid, OSError):
        return None
    schema = SCHEMAS[asset.partition("/")[0]]
    place = schema.get_field_index("sku_uid")
    if place >= 0 and table.schema.equals(schema.remove(place)):
        table = add_sku_uids(table, schema)
    if _origin_in(table.schema, path) is None or not table.schema.equals(schema):
        return None
    if _sharing:
        _shared[path] = status, table
    return table


def lines_match(roots: Roots, asset: str, split: str, table: pa.Table) -> bool:
    """Return whether the JSON lines of a table on disk are those of its rows."""
    own = origin(roots, asset, split)
    return own is not None and crop_lines.lines_match(
        roots, asset, split, table, own.digest, own.inputs
    )


def find_column(roots: Roots, asset: str, split: str, name: str) -> pa.ChunkedArray | None:
    """Return a column of the table of `asset`; None where it is missing or damaged."""
    path = roots.table(asset, split)
    try:
        file = pq.ParquetFile(parquet(path), page_checksum_verification=True)
        if _origin_in(file.schema_arrow, path) is None or name not in file.schema_arrow.names:
            return None
        return file.read([name])[name]
    except (FileNotFoundError, pa.ArrowInvalid, OSError):
        return None


def read(roots: Roots, asset: str, split: str) -> pa.Table:
    """Return the table of `asset`; its inputs must not have changed since it was made.

    Raises MissingTableError, or ProvenanceError naming what to rerun.
    """
    table = find(roots, asset, split)
    if table is None:
        path = roots.table(asset, split)
        state = "cannot be read" if path.exists() else "does not exist"
        raise MissingTableError(
            f"The table of {asset} for {split} {state} ({path}): materialize {asset} first."
        )
    require_current(roots, asset, split)
    return table


def read_colours(roots: Roots, split: str) -> pa.Table:
    """Return the colours of the crops that are on disk now.

    Raises MissingTableError where they have not been measured.
    """
    table = find(roots, "colours", split)
    with suppress(ProvenanceError):
        require_current(roots, "colours", split)
        if table is not None:
            return table
    raise MissingTableError(
        f"The colours of the current crops of {split} have not been measured, and its prompts name "
        f"them: rerun image_text, or build_dataset, for {split}."
    )


def require_current(roots: Roots, asset: str, split: str) -> None:
    """Raise ProvenanceError where a table that `asset` was made from has changed since."""
    own = origin(roots, asset, split)
    for source, recorded in own.inputs.items() if own else ():
        current = origin(roots, source, split)
        if current is None or current.digest != recorded:
            raise ProvenanceError(
                f"{asset} of {split} was made from another {source} than the current one: "
                f"rerun {asset}, or {_JOBS.get(asset, 'build_dataset')}, for {split}."
            )
