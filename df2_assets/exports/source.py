"""The source of every export: the crops of a complete split, with labels and prompts."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby, repeat, tee
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from df2_assets.dataset.boxes import Box
from df2_assets.dataset.documents import IMAGE_TEXT, image_text_schema
from df2_assets.dataset.record import AFFINE, ANNOTATED, EDGES, MORE_LABELS
from df2_assets.dataset.tables import LABELS, SKU_GROUPS
from df2_assets.dataset.taxonomy import DOMAINS
from df2_assets.dataset.variants import Affine
from df2_assets.embeddings.files import require_record
from df2_assets.errors import OutputError, ProvenanceError
from df2_assets.exports.shapes import COLUMNS as SHAPES
from df2_assets.exports.shapes import CropShapes
from df2_assets.store import checksums, state, tables
from df2_assets.store.crop_tree import is_own
from df2_assets.store.layout import CROP_VARIANTS, Roots
from df2_assets.store.store import Status
from df2_assets.store.variants import read_variant

_FURTHER: Final = ("sku_uid", *MORE_LABELS)
"""The columns of exports that the JSONL does not have."""

_MANIFEST: Final = ("size", "sha256", "width", "height")
_CORNER: Final = ("left", "top")
"""The columns of `read_crops` for the corner of the crop, whichever box a variant has."""

_ROWS: Final = 4096
"""The most rows that are Python objects at the same time."""


class Row(NamedTuple):
    """A crop, or the file of a crop variant.

    `fields` has the columns of `Source.schema`; its `bbox` is the box that is cut, its `image_path`
    the file. `annotated` is the annotated box. `size` is in bytes, `sha256` in hexadecimal. `width`
    and `height` are those of the file, in pixels. `shapes` is None without `Source.has_shapes`.
    """

    fields: dict[str, Any]
    annotated: Box
    size: int
    sha256: str
    width: int
    height: int
    shapes: CropShapes | None = None

    @property
    def path(self) -> str:
        """The path of the file, relative to SKU_ROOT."""
        return str(self.fields["image_path"])


def list_files(roots: Roots, split: str, variant: str = "") -> dict[str, Status]:
    """Return the status of each crop, or of each file of a variant, by path below SKU_ROOT.

    Raises OutputError where a link leads out of SKU_ROOT.
    """
    folder = _folder(roots, split, variant)
    top = folder.relative_to(roots.sku_root).as_posix()
    entries = roots.sku.walk(folder, is_own)
    return {f"{top}/{name}": status for name, status in entries if status is not None}


def _folder(roots: Roots, split: str, variant: str) -> Path:
    """Return the folder that holds `catalog` and `query`."""
    return roots.variant(variant, split) if variant else roots.crops(split)


@dataclass(frozen=True)
class Source:
    """A complete split, with the crops of the contract or with a crop variant of them.

    `digest` changes with the prompts, the labels and the bytes of the files. `image_text` is the
    SHA-256 of the JSONL. `captions` has the keys of the texts in a line: `text`, and those of
    further texts. `only_pairs` says whether SKUs with one domain were left out. `variant` is the
    name of the variant, or empty. `has_shapes` says whether rows have masks and landmarks.
    `encoder` is that of the vectors that a format may use, or empty.
    """

    roots: Roots
    split: str
    digest: str
    image_text: str
    captions: tuple[str, ...]
    only_pairs: bool
    variant: str = ""
    has_shapes: bool = False
    encoder: str = ""

    @cached_property
    def crops(self) -> pa.Table:
        """The table of `read_crops`, with one row per file."""
        return read_crops(self.roots, self.split, self.variant)

    @property
    def folder(self) -> str:
        """The folder that holds `catalog` and `query`, relative to SKU_ROOT."""
        folder = _folder(self.roots, self.split, self.variant)
        return folder.relative_to(self.roots.sku_root).as_posix()

    @property
    def suffix(self) -> str:
        """The end of the names of the files, such as `jpg`."""
        return str(self.crops["path"][0]).rpartition(".")[2] if self.crops.num_rows else "jpg"

    @cached_property
    def schema(self) -> pa.Schema:
        """The columns of every export with labels.

        They are the fields of the JSONL, with `sku_uid` after `sku_id`, and further labels before
        the texts.
        """
        fields = list(image_text_schema(self.captions[1:]))
        text = IMAGE_TEXT.get_field_index("text")
        fields[text:text] = map(SKU_GROUPS.field, MORE_LABELS)
        fields.insert(IMAGE_TEXT.get_field_index("sku_id") + 1, SKU_GROUPS.field("sku_uid"))
        return pa.schema(fields)

    def rows(self) -> Iterator[Row]:
        """Yield all crops that have a file, in the order of the JSONL. Each call reads it again."""
        names = self.schema.names
        crops, files, boxes, manifest = (
            iterate_rows(self.crops.select(columns))
            for columns in (("crop_path", *_FURTHER), ("path", *EDGES), ANNOTATED, _MANIFEST)
        )
        for (path, *more), (file, *cut), box, recorded, shapes, values in zip(
            crops, files, boxes, manifest, self._shapes(), self._lines(), strict=True
        ):
            if values["image_path"] != path:
                raise _stale_lines_error(self.roots, self.split)
            values |= zip(_FURTHER, more, strict=True)
            values |= {"image_path": file, "bbox": cut}
            size, sha256, width, height = recorded
            fields = {name: values[name] for name in names}
            yield Row(fields, box, size, sha256, width, height, shapes)

    def _lines(self) -> Iterator[dict[str, Any]]:
        """Yield the lines of the JSONL, without those of crops that the variant refused."""
        decode = msgspec.json.Decoder(dict[str, Any]).decode
        with self.roots.image_text(self.split).open("rb") as file:
            lines = map(decode, file)
            if not self.variant:
                yield from lines
                return
            paths = {*self.crops["crop_path"].to_pylist()}
            yield from (line for line in lines if line["image_path"] in paths)

    @cached_property
    def lacks_labels(self) -> bool:
        """Whether rows should have masks and landmarks, but there is no table `labels`."""
        return self.has_shapes and tables.find(self.roots, "labels", self.split) is None

    def _shapes(self) -> Iterator[CropShapes | None]:
        """Yield the shapes of each crop of `crops`. Without labels, they are null."""
        if not self.has_shapes:
            yield from repeat(None, self.crops.num_rows)
            return
        labels = LABELS.empty_table()
        if not self.lacks_labels:
            labels = tables.read(self.roots, "labels", self.split)
        places = pc.index_in(self.crops["crop_path"], labels["crop_path"].combine_chunks())
        table = self.crops.select([*_CORNER, "width", "height", *(AFFINE if self.variant else ())])
        for name in SHAPES:
            table = table.append_column(name, labels[name].take(places))
        names = table.column_names
        for values in iterate_rows(table):
            fields = dict(zip(names, values, strict=True))
            affine = Affine(*map(fields.pop, AFFINE)) if self.variant else None
            yield CropShapes(**fields, affine=affine)

    def labelled_rows(self) -> Iterator[tuple[int, Row]]:
        """Yield all crops with the number of their SKU: from 0, in the order of the SKU ids."""
        groups = groupby(self.rows(), key=lambda row: row.fields["sku_id"])
        for label, (_, rows) in enumerate(groups):
            for row in rows:
                yield label, row

    def with_bytes(self, rows: Iterable[Row]) -> Iterator[tuple[Row, bytes]]:
        """Yield rows with the bytes of their crops.

        Raises OutputError if a crop has changed since it was built.
        """
        root = str(self.roots.sku_root)
        rows, ahead = tee(rows)
        results = self.roots.sku.read_each((f"{root}/{row.path}", -1) for row in ahead)
        for row, data in zip(rows, results, strict=True):
            if isinstance(data, OSError) and not isinstance(data, FileNotFoundError):
                raise data
            if isinstance(data, OSError) or hashlib.sha256(data).hexdigest() != row.sha256:
                command = "variants" if self.variant else "build"
                raise OutputError(
                    f"{row.path} has changed since it was built: run df2-assets verify --deep "
                    f"--split {self.split}; df2-assets {command} --split {self.split}"
                )
            yield row, data


def open_source(
    roots: Roots, split: str, variant: str = "", *, has_shapes: bool = False, encoder: str = ""
) -> Source:
    """Return the split as it is on disk, with the crops of the contract or of a crop variant.

    Raises IncompleteSplitError, MissingTableError, or ProvenanceError, which names the command to
    run, if the JSONL or the variant was not made from the current crops.
    """
    digest = current_digest(roots, split, variant, has_shapes=has_shapes, encoder=encoder)
    current = state.load(roots, split)
    try:
        version = checksums.digest(roots.image_text(split))
    except FileNotFoundError:
        version = None
    mismatches = version != current.image_text or state.mismatches(roots, split, current)
    if version is None or mismatches:
        raise _stale_lines_error(roots, split)
    captions = ("text", *current.texts.keys)
    only_pairs = current.only_pairs
    return Source(roots, split, digest, version, captions, only_pairs, variant, has_shapes, encoder)


def current_digest(
    roots: Roots, split: str, variant: str = "", *, has_shapes: bool = False, encoder: str = ""
) -> str:
    """Return the current `Source.digest`, without reading any rows.

    Raises IncompleteSplitError, MissingTableError or ProvenanceError.
    """
    state.require_complete(roots, split)
    for asset in ("sku_groups", "crops"):  # a build that a check stopped leaves a newer index
        tables.require_current(roots, asset, split)
    content = f"{state.load(roots, split).image_text} {state.source_of_metadata(roots, split)}"
    if variant:
        read_variant(roots, split, variant)
    inputs = [*([f"{CROP_VARIANTS}/{variant}"] if variant else []), *(["labels"] * has_shapes)]
    if inputs:
        content += f" {tables.digests(roots, inputs, split)}"
    if encoder:
        content += f" {encoder} {require_record(roots, split, encoder).digest}"
    return hashlib.sha256(content.encode()).hexdigest()


def read_crops(roots: Roots, split: str, variant: str = "") -> pa.Table:
    """Return the rows of `sku_groups` for the crops that have a file, in the order of the JSONL.

    Columns for the path, size, digest, width and height of the file and for the corner of the crop
    are added. With a variant, the box is the one that was cut for it, and the columns of the affine
    map are added. Raises MissingTableError or ProvenanceError.
    """
    of_crops = tables.read(roots, "crops", split)
    manifest = read_variant(roots, split, variant) if variant else of_crops
    manifest = manifest.filter(pc.field("reason").is_null())
    groups = tables.read(roots, "sku_groups", split)
    places = pc.index_in(groups["crop_path"], value_set=manifest["crop_path"].combine_chunks())
    groups, manifest = groups.filter(places.is_valid()), manifest.take(places.drop_null())
    groups = groups.append_column("path", manifest["variant_path" if variant else "crop_path"])
    for name in (*_MANIFEST, *(AFFINE if variant else ())):
        groups = groups.append_column(name, manifest[name])
    for name, edge in zip(_CORNER, EDGES, strict=False):
        groups = groups.append_column(name, groups[edge])
    for edge in EDGES if variant else ():
        groups = groups.set_column(groups.schema.get_field_index(edge), edge, manifest[edge])
    return groups


def count_skus(crops: pa.Table) -> pd.DataFrame:
    """Return the number of `catalog` and `query` crops of each SKU of `read_crops`.

    The index has the name of the category and the id of the SKU.
    """
    frame = tables.frame(crops.select(["category_name", "sku_id", "domain"]))
    skus = pd.crosstab([frame["category_name"], frame["sku_id"]], frame["domain"])
    return skus.reindex(columns=[*DOMAINS.values()], fill_value=0)


def iterate_rows(table: pa.Table) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of a table as tuples. Few are Python objects at the same time."""
    for batch in table.to_batches(max_chunksize=_ROWS):
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


def _stale_lines_error(roots: Roots, split: str) -> ProvenanceError:
    return ProvenanceError(
        f"{roots.image_text(split)} was not built from the current crops: run df2-assets "
        f"build --split {split}"
    )
