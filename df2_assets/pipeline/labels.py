"""The table `labels` of a split. An annotation is read again only when it changes."""

from contextlib import closing
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from df2_assets.dataset.record import EDGES
from df2_assets.dataset.shapes import LABELS_VERSION, CropLabels, ShapeReason
from df2_assets.dataset.tables import INPUTS, LABELS
from df2_assets.engines.base import Engine, Lost
from df2_assets.engines.progress import Progress
from df2_assets.engines.shards import map_shards
from df2_assets.pipeline.changes import Changes, count_changes
from df2_assets.pipeline.indexing import read_files
from df2_assets.pipeline.planning import without
from df2_assets.pipeline.shapes import (
    LabelledCrop,
    LabelShard,
    LabelTask,
    label_shard,
    refuse_crashing_annotation,
)
from df2_assets.store import tables
from df2_assets.store.layout import Roots, require_input

_SHARD: Final = 200
"""Images per shard, at most: about half a second of work."""

_READ: Final = pa.schema([LABELS.field(name) for name in ("crop_path", *CropLabels._fields)])
"""What a worker returns for each crop."""

_TODO: Final = ("image_id", "anno_size", "crop_path", "item_idx", *EDGES)


@dataclass(frozen=True)
class Labelled:
    """The table, how many annotations were read, and what changed since the last build.

    A crop counts as made again where its annotation was read again.
    """

    table: pa.Table
    annotations_read: int
    changes: Changes


def build_labels(
    roots: Roots,
    split: str,
    groups: pa.Table,
    manifest: pa.Table,
    engine: Engine,
    progress: Progress,
) -> Labelled:
    """Return the labels of all crops on disk, in the order of the manifest. Write nothing.

    Raises MissingTableError, ProvenanceError where the index is of another DF2_ROOT, or LayoutError
    where annotations are to be read and DF2_ROOT does not have the split.
    """
    crops = _list_crops(roots, split, groups, manifest)
    before = tables.find(roots, "labels", split)
    known = LABELS.empty_table() if before is None else before
    place = pc.index_in(crops["crop_path"], known["crop_path"])
    same = pc.equal(known["fingerprint"].take(place), crops["fingerprint"])
    is_kept = pc.fill_null(same, False)
    kept = known.take(place.filter(is_kept))
    images = _list_images(crops.filter(pc.invert(is_kept)))
    if images:
        require_input(roots, split)
    new = _complete(_read(roots, split, images, engine, progress), crops)
    table = pa.concat_tables([kept.cast(LABELS), new]).combine_chunks().sort_by("crop_path")
    was_known = pc.is_in(new["crop_path"], known["crop_path"])
    changes = count_changes(
        new["crop_path"].filter(pc.invert(was_known)).to_pylist(),
        without(known["crop_path"], crops["crop_path"]).to_pylist(),
        new["crop_path"].filter(was_known).to_pylist(),
        kept.num_rows,
    )
    return Labelled(table, len(images), changes)


def update_labels(roots: Roots, split: str, engine: Engine, progress: Progress) -> Labelled:
    """Bring the table `labels` of a split up to date, for whatever needs it, and write it.

    Raises what `build_labels` does.
    """
    groups, manifest = (tables.read(roots, asset, split) for asset in INPUTS["labels"])
    labelled = build_labels(roots, split, groups, manifest, engine, progress)
    inputs = tables.digests(roots, INPUTS["labels"], split)
    tables.write(roots, "labels", split, labelled.table, inputs)
    return labelled


def _list_crops(roots: Roots, split: str, groups: pa.Table, manifest: pa.Table) -> pa.Table:
    """Return the crops on disk with their items, their boxes and their fingerprints."""
    made = manifest.filter(pc.is_null(manifest["reason"])).select(["crop_path", "sku_uid"])
    place = pc.index_in(made["crop_path"], groups["crop_path"])
    columns = groups.select(["image_id", "item_idx", *EDGES]).take(place)
    files = read_files(roots, split)
    stamps = files.select(["anno_size", "anno_mtime_ns"]).take(
        pc.index_in(columns["image_id"], files["image_id"])
    )
    crops = made
    for name in ("image_id", "item_idx", *EDGES):
        crops = crops.append_column(name, columns[name])
    crops = crops.append_column("anno_size", stamps["anno_size"])
    decides = [*stamps.columns, *(columns[edge] for edge in EDGES)]
    texts = [column.cast(pa.string()) for column in decides]
    version = pa.scalar(f"v{LABELS_VERSION}")
    return crops.append_column("fingerprint", pc.binary_join_element_wise(*texts, version, " "))


def _list_images(crops: pa.Table) -> list[LabelTask]:
    """Return the images of crops, each with its crops."""
    ordered = crops.sort_by("image_id")
    values = zip(*(ordered[name].to_pylist() for name in _TODO), strict=True)
    images: list[LabelTask] = []
    for image_id, anno_size, path, item_idx, *box in values:
        if not images or images[-1].image_id != image_id:
            images.append(LabelTask(image_id, anno_size, []))
        images[-1].crops.append(LabelledCrop(path, item_idx, tuple(box)))
    return images


def _read(
    roots: Roots, split: str, images: list[LabelTask], engine: Engine, progress: Progress
) -> pa.Table:
    """Read the shapes of images on the engine; return the columns of `_READ`, in any order."""
    whole = LabelShard(str(roots.annotations(split)), images)
    parts = [_READ.empty_table()]
    with (
        progress(f"reading shapes of {split}", len(images), "files") as advance,
        closing(map_shards(engine, label_shard, whole, _SHARD)) as results,
    ):
        for shard, result in results:
            if isinstance(result, Lost):
                result = refuse_crashing_annotation(shard.images[0])
            parts.append(pa.table(result, schema=_READ))
            advance(len(shard.images))
    return pa.concat_tables(parts)


def _complete(read: pa.Table, crops: pa.Table) -> pa.Table:
    """Return rows of `labels`. The next build reads those again that could not be read."""
    place = pc.index_in(read["crop_path"], crops["crop_path"])
    can_be_read = pc.not_equal(pc.fill_null(read["reason"], ""), ShapeReason.UNREADABLE.value)
    fingerprint = pc.if_else(can_be_read, crops["fingerprint"].take(place), None)
    values = {name: read[name] for name in _READ.names}
    values |= {"sku_uid": crops["sku_uid"].take(place), "fingerprint": fingerprint}
    return pa.table([values[name] for name in LABELS.names], schema=LABELS)
