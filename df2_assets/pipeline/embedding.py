"""Encoding the crops of a split. Only crops whose bytes have no vector yet are opened."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from df2_assets.embeddings import files
from df2_assets.embeddings.encoders import Encoder
from df2_assets.embeddings.encoding import Batch, encode_batch
from df2_assets.embeddings.files import Record
from df2_assets.engines.base import Engine, Lost
from df2_assets.engines.progress import Progress
from df2_assets.store import tables
from df2_assets.store.layout import Roots

if TYPE_CHECKING:
    from df2_assets.embeddings.encoders import Vectors

_BATCH: Final = 64
"""Crops that an encoder takes at the same time."""

_MOST: Final = 4096
_ENOUGH: Final = 2048
_MARK: Final = "00"
"""A part has at most `_MOST` rows. Once it has `_ENOUGH`, it ends before a crop whose digest begins
with the mark, so that an added crop changes only the parts up to the next such end."""


@dataclass(frozen=True)
class Embedded:
    """The record of the embeddings, the one before, and how many crops were encoded just now."""

    record: Record
    before: Record | None
    encoded: int


@dataclass
class _Part:
    """A part to write: its rows, how many batches are `missing`, and what the others returned."""

    name: str
    rows: pa.Table
    missing: int = 0
    fresh: "dict[str, Vectors]" = field(default_factory=dict)


def embed_split(
    roots: Roots, split: str, encoder: Encoder, engine: Engine, progress: Progress
) -> Embedded:
    """Bring the embeddings of a split up to date. Raises as `encode_crops`, or MissingTableError.

    `df2_assets.embeddings.files.read_embeddings` reads them.
    """
    manifest = tables.read(roots, "crops", split).filter(pc.field("reason").is_null())
    crops = manifest.select(["crop_path", "sku_uid", "sha256"]).rename_columns([*files.IDENTITY])
    return encode_crops(
        roots,
        files.folder_of(roots, split, encoder.setting),
        crops,
        tables.digests(roots, ("crops",), split),
        encoder,
        engine,
        progress,
        title=f"encoding crops of {split}",
        remedy=f"df2-assets build --split {split}",
    )


def encode_crops(
    roots: Roots,
    folder: Path,
    crops: pa.Table,
    inputs: Mapping[str, str],
    encoder: Encoder,
    engine: Engine,
    progress: Progress,
    *,
    title: str,
    remedy: str,
) -> Embedded:
    """Bring the embeddings in `folder` up to date: those of `crops`, and no others.

    `crops` has the columns `files.IDENTITY`: paths relative to SKU_ROOT, SKUs, and SHA-256 of the
    files. `inputs` are the digests of the tables that it comes from; the record has them. `title`
    is for the progress, and `remedy` is the command that makes missing crops.

    A crop whose digest has a vector of this encoder in `folder` is not opened again, and of several
    crops with the same digest only one is. A part is written as soon as it is complete, so that a
    run that is stopped loses little. Raises EncoderError or ProvenanceError as `encode_batch`.
    """
    before = files.find_record(roots, folder)
    stock = _Stock(roots, folder, encoder)
    parts = [*_split(crops.sort_by("crop_path"), encoder)]
    todo = [part for part in parts if part.name not in stock.intact]
    batches = [*_plan(roots, todo, stock, encoder, remedy)]
    encoded = sum(len(batch.digests) for batch, _ in batches)
    runner = engine if encoder.in_workers else engine.for_models()
    with (
        progress(title, encoded, "crops") as advance,
        closing(runner.map(encode_batch, [batch for batch, _ in batches])) as results,
    ):
        stock.write_complete(todo)
        for batch, result in results:
            if isinstance(result, Lost):
                raise batch.error(f"ended the process that ran it ({result.cause})")
            stock.require_same_kind(result, batch)
            part = batches[batch.number - 1][1]
            part.fresh.update(zip(batch.digests, result, strict=True))
            part.missing -= 1
            stock.write_complete(todo)
            advance(len(batch.digests))
    dimension, dtype = stock.kind or (0, np.dtype(np.float32))
    record = Record(
        encoder.setting,
        encoder.fingerprint,
        dict(inputs),
        crops.num_rows,
        dimension,
        dtype.name,
        [part.name for part in parts],
    )
    if record != before:
        files.write_record(roots, folder, record)
    _remove_others(roots, folder, record)
    return Embedded(record, before, encoded)


class _Stock:
    """The vectors in the parts of a folder, by the digest of the crop. One part is in memory.

    `intact` are the names of all parts of the encoder that can be read. `kind` is the dimension and
    the type of its vectors, if there are any.
    """

    def __init__(self, roots: Roots, folder: Path, encoder: Encoder) -> None:
        self._roots = roots
        self._folder = folder
        self._encoder = encoder
        self._places: dict[str, tuple[str, int]] = {}
        self._last: tuple[str, Vectors] | None = None
        self.kind: tuple[int, np.dtype[np.floating[Any]]] | None = None
        self.intact: set[str] = set()
        for name in files.find_parts(roots, folder):
            part = files.find_part(roots, folder / name)
            if part is not None and files.fingerprint_of(part) == encoder.fingerprint:
                self._add(name, part["digest"].to_pylist(), files.vectors_of(part))

    def __contains__(self, digest: str) -> bool:
        return digest in self._places

    def _add(self, name: str, digests: Sequence[str], vectors: "Vectors") -> None:
        self.intact.add(name)
        self.kind = vectors.shape[1], vectors.dtype
        for row, digest in enumerate(digests):
            self._places.setdefault(digest, (name, row))

    def _find(self, digest: str) -> "Vectors":
        name, row = self._places[digest]
        if self._last is None or self._last[0] != name:
            part = files.find_part(self._roots, self._folder / name)
            assert part is not None, f"{name} has been removed by another program"
            self._last = name, files.vectors_of(part)
        vector: Vectors = self._last[1][row]
        return vector

    def require_same_kind(self, vectors: "Vectors", batch: Batch) -> None:
        """Raise EncoderError where vectors have another dimension or type than those before."""
        kind = vectors.shape[1], vectors.dtype
        if self.kind is None:
            self.kind = kind
        if kind != self.kind:
            now, before = (f"{size} values of {dtype}" for size, dtype in (kind, self.kind))
            raise batch.error(
                f"returned vectors of {now}, and of {before} before: give it a new version if this "
                "is meant"
            )

    def write_complete(self, todo: "list[_Part]") -> None:
        """Write the first parts of `todo` as long as they lack no batch, and drop them from it."""
        while todo and not todo[0].missing:
            part = todo.pop(0)
            digests = part.rows["digest"].to_pylist()
            by_place = sorted(
                range(len(digests)), key=lambda row: self._places.get(digests[row], ())
            )
            assert self.kind is not None
            vectors = np.empty((len(digests), self.kind[0]), self.kind[1])
            for row in by_place:
                digest = digests[row]
                fresh = part.fresh.get(digest)
                vectors[row] = self._find(digest) if fresh is None else fresh
            path = self._folder / part.name
            files.write_part(self._roots, path, part.rows, vectors, self._encoder)
            self._add(part.name, digests, vectors)
            part.fresh.clear()


def _split(crops: pa.Table, encoder: Encoder) -> Iterator[_Part]:
    """Yield crops as parts, in their order."""
    starts = [0]
    for row, digest in enumerate(crops["digest"].to_pylist()):
        size = row - starts[-1]
        if size == _MOST or (size >= _ENOUGH and digest.startswith(_MARK)):
            starts.append(row)
    for number, (start, end) in enumerate(pairwise([*starts, crops.num_rows])):
        if rows := crops.slice(start, end - start):
            content = files.digest_rows(rows, encoder.fingerprint)
            yield _Part(files.name_part(number, content), rows)


def _plan(
    roots: Roots, todo: Sequence[_Part], stock: _Stock, encoder: Encoder, remedy: str
) -> Iterator[tuple[Batch, _Part]]:
    """Yield the batches to encode, each with its part, and count them in the parts."""
    planned: set[str] = set()
    number = 0
    for part in todo:
        crops = {}
        for path, _, digest in zip(
            *(part.rows[n].to_pylist() for n in files.IDENTITY), strict=True
        ):
            if digest not in stock and digest not in planned:
                crops[digest] = path
        planned.update(crops)
        new = [*crops.items()]
        for start in range(0, len(new), _BATCH):
            digests, paths = zip(*new[start : start + _BATCH], strict=True)
            number += 1
            part.missing += 1
            root = str(roots.sku_root)
            yield (
                Batch(
                    encoder.setting, encoder.fingerprint, number, remedy, root, [*digests], [*paths]
                ),
                part,
            )


def _remove_others(roots: Roots, folder: Path, record: Record) -> None:
    """Remove the parts that a record does not list, and what a killed run left unfinished."""
    place = folder.relative_to(roots.sku_root).as_posix()
    old = {*files.find_parts(roots, folder)} - {*record.parts}
    names = {name for name, _ in roots.sku.files(folder)}
    unfinished = {name for name in names if name.startswith(files.UNFINISHED)}
    roots.sku.remove(str(roots.sku_root), [f"{place}/{name}" for name in sorted(old | unfinished)])
