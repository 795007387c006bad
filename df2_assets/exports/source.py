"""What every export is made from: the lines of a complete split, and its crops' digests."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby, tee
from typing import Any, NamedTuple

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from df2_assets.dataset.documents import image_text_schema
from df2_assets.dataset.taxonomy import DOMAINS
from df2_assets.errors import OutputError, ProvenanceError
from df2_assets.store import checksums, state, tables
from df2_assets.store.access import access
from df2_assets.store.layout import Roots


class Row(NamedTuple):
    """A crop: its line in the JSONL, as an object and as it stands, and the manifest's word on it.

    `size` is in bytes, `sha256` hexadecimal.
    """

    fields: dict[str, Any]
    line: bytes
    size: int
    sha256: str

    @property
    def path(self) -> str:
        """The crop, relative to SKU_ROOT."""
        return str(self.fields["image_path"])


@dataclass(frozen=True)
class Source:
    """A complete split. `digest` changes with any line of its JSONL and any byte of its crops.

    `captions` are the keys of a line's texts: `text`, and those of further prompts.
    """

    roots: Roots
    split: str
    digest: str
    image_text: str
    captions: tuple[str, ...]

    def rows(self) -> Iterator[Row]:
        """All crops, in the order of the JSONL, which is read anew at each call."""
        domains = (_by_sku(self._crops, f"{self.split}/{name}/") for name in DOMAINS.values())
        of_skus = zip(*domains, strict=True)
        decode = msgspec.json.Decoder(dict[str, Any]).decode
        known: dict[str, tuple[int, str]] = {}
        sku_id = None
        with self.roots.image_text(self.split).open("rb") as lines:
            for line in lines:
                fields = decode(line)
                if fields["sku_id"] != sku_id:
                    sku_id = fields["sku_id"]
                    catalog, query = next(of_skus)
                    known = catalog | query
                yield Row(fields, line.rstrip(b"\n"), *known[fields["image_path"]])

    @cached_property
    def _crops(self) -> pa.Table:
        return _crops(self.roots, self.split).select(["crop_path", "size", "sha256"])

    def columns(self) -> list[pa.Field]:
        """The fields of a line: names and types, without what is said of them."""
        _, *more = self.captions
        return [column.remove_metadata() for column in image_text_schema(more)]

    def with_bytes(self, rows: Iterable[Row]) -> Iterator[tuple[Row, bytes]]:
        """Rows with the bytes of their crops. Raises OutputError where those are not as built."""
        root = str(self.roots.sku_root)
        rows, ahead = tee(rows)
        found = access(root).read_each((f"{root}/{row.path}", -1) for row in ahead)
        for row, data in zip(rows, found, strict=True):
            if isinstance(data, OSError) and not isinstance(data, FileNotFoundError):
                raise data
            if isinstance(data, OSError) or hashlib.sha256(data).hexdigest() != row.sha256:
                raise OutputError(
                    f"{row.path} is not the crop that was built: run df2-assets verify --deep "
                    f"--split {self.split}, then df2-assets build."
                )
            yield row, data


def open_source(roots: Roots, split: str) -> Source:
    """The split as it is built. Raises IncompleteSplitError, or ProvenanceError naming what to run.

    Its JSONL has to be the one that was written.
    """
    digest = current_digest(roots, split)
    recorded = state.load(roots, split)
    path = roots.image_text(split)
    try:
        version = checksums.digest(path)
    except FileNotFoundError:
        version = "none"
    if version != recorded.image_text or state.mismatches(roots, split, recorded):
        raise ProvenanceError(
            f"{path} is not what was built of the crops at hand: run df2-assets build --split "
            f"{split}."
        )
    captions = ("text", *(variant.key for variant in recorded.variants))
    return Source(roots, split, digest, version, captions)


def current_digest(roots: Roots, split: str) -> str:
    """What an export made now would say that it was made from. Raises IncompleteSplitError.

    Raises MissingTableError where there is no manifest.
    """
    state.require_complete(roots, split)
    crops = tables.digest(_crops(roots, split).select(["crop_path", "sha256"]))
    recorded = state.load(roots, split)
    return hashlib.sha256(f"{recorded.image_text} {crops}".encode()).hexdigest()


def _crops(roots: Roots, split: str) -> pa.Table:
    """The rows of the manifest for the crops on disk."""
    return tables.read(roots, "crops", split).filter(pc.field("reason").is_null())


def _by_sku(crops: pa.Table, top: str) -> Iterator[dict[str, tuple[int, str]]]:
    """Size and digest by path, SKU by SKU, of a domain; the manifest is sorted by path."""
    of_domain = crops.filter(pc.starts_with(crops["crop_path"], top))
    rows = (
        row
        for batch in of_domain.to_batches(max_chunksize=4096)
        for row in zip(*(column.to_pylist() for column in batch.columns), strict=True)
    )
    for _, group in groupby(rows, key=lambda row: row[0].rpartition("/")[0]):
        yield {path: (size, sha256) for path, size, sha256 in group}
