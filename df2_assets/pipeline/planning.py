"""Planning what a build does to a set of crops, and estimating what that takes."""

import re
from collections.abc import Collection, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, overload

import msgspec
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from msgspec.structs import astuple

from df2_assets.dataset import boxes, rendering
from df2_assets.dataset.cropping import encoder
from df2_assets.dataset.reasons import UNPAIRED
from df2_assets.dataset.record import EDGES
from df2_assets.dataset.skus import CROP_PLACE, add_sku_uids, find_paired
from df2_assets.dataset.tables import CROP_VARIANTS, CROPS, SCHEMAS
from df2_assets.engines.base import Engine, Lost
from df2_assets.errors import ProvenanceError, escape_untrusted
from df2_assets.pipeline.cutting import CropShard, Cut, Probe, SourceImage, probe
from df2_assets.pipeline.scanning import scan_crops
from df2_assets.store import checksums, journal, state, tables
from df2_assets.store.crop_sets import CropRow, CropSet, VariantRow, crops_at
from df2_assets.store.crop_tree import CropTree
from df2_assets.store.layout import Roots
from df2_assets.store.variants import describe_variant

_PROBED: Final = 24
_USUAL: Final = Probe(seconds=0.0027, images=1, pixels=100_000, bytes=25_000)
"""The cost of a typical image of the release, used where no image of a plan can be read."""

_BYTES_PER_CROP_ELSEWHERE: Final = 1_500
"""Bytes per crop of tables, metadata and JSONL together."""

_OWN_PATH: Final = CROP_VARIANTS.field("variant_path").with_name("crop_path")

_ROWS: Final[dict[type[CropRow], pa.Schema]] = {
    CropRow: pa.schema([field for field in CROPS if field.name != "sku_uid"]),
    VariantRow: pa.schema([_OWN_PATH, *list(CROP_VARIANTS)[3:]]),
}
"""The columns of a row while crops are planned and cut: `crop_path` is the path of the file of the
set, and `sku_uid` would only take memory."""

TEXT: Final = pa.string()
Mask = npt.NDArray[np.bool_]

_STAMPS: Final = ("image_size", "image_mtime_ns", "anno_size")
"""What a plan says about the files of an image, as the index recorded it."""

_OF_IMAGE: Final = (
    *("orig_image_path", *_STAMPS),
    *("crop_path", *EDGES, "fingerprint"),
)
"""The columns of a plan that say what is cut from an image."""


class ImagesToCut(Sequence[SourceImage]):
    """The images to decode, by path. They become objects shard by shard, as they are asked for."""

    def __init__(self, roots: Roots, makes: Sequence[pd.DataFrame]) -> None:
        """Take the crops to make in several sets, each as `CropPlan.make` has them."""
        parts = [
            pa.table(
                {name: pa.array(make[name]) for name in _OF_IMAGE}
                | {"recipe": pa.repeat(pa.scalar(recipe, pa.int8()), len(make))}
            )
            for recipe, make in enumerate(makes)
        ]
        self._crops = pa.concat_tables(parts).sort_by("orig_image_path").combine_chunks()
        self._root = str(roots.df2_root)
        counts = self._crops["orig_image_path"].combine_chunks().value_counts()
        ends = np.cumsum(counts.field("counts").to_numpy())
        self._starts: list[int] = [0, *ends.tolist()]

    def __len__(self) -> int:
        return len(self._starts) - 1

    @overload
    def __getitem__(self, index: int) -> SourceImage: ...

    @overload
    def __getitem__(self, index: slice) -> list[SourceImage]: ...

    def __getitem__(self, index: int | slice) -> SourceImage | list[SourceImage]:
        chosen = range(len(self))[index]
        if isinstance(chosen, int):
            return self._images(chosen, chosen + 1)[0]
        if chosen.step == 1:
            return self._images(chosen.start, chosen.stop)
        return [self[position] for position in chosen]

    def _images(self, first: int, after: int) -> list[SourceImage]:
        starts = self._starts[first : after + 1]
        crops = self._crops.slice(starts[0], starts[-1] - starts[0]).to_pydict()
        cuts = list(
            map(
                Cut,
                crops["crop_path"],
                zip(*(crops[edge] for edge in EDGES), strict=True),
                crops["fingerprint"],
                crops["recipe"],
            )
        )
        paths, sizes, times, annotations = (crops[name] for name in _OF_IMAGE[:4])
        return [
            SourceImage(
                f"{self._root}/{paths[start]}",
                sizes[start],
                times[start],
                cuts[start:end],
                annotations[start],
            )
            for start, end in pairwise(position - starts[0] for position in starts)
        ]


@dataclass(frozen=True)
class CropPlan:
    """A plan for the set `crops`: each crop to have is in one of `keep`, `skip` and `make`.

    `keep`: rows of the manifest for crops that are on disk as they should be. `skip`: rows for
    crops that are not on disk and not tried again, because they failed or their SKU has lost its
    other domain to failures. `make`: columns of `sku_groups`, and `fingerprint`, `image_size`,
    `image_mtime_ns`, `anno_size`; `images`: what has to be decoded for it. `tree`: what is on disk
    now. `known`: the rows of the manifest and the journal. `remove`: files of the project that no
    crop of `keep` or `make` replaces. `rebuild_reason` says why crops that are on disk are made
    again, where the reason is not their image or box. `taken_over`: how many crops of `keep` come
    from a build that was stopped. `only_pairs`: whether a SKU that loses a domain is left out.
    """

    crops: CropSet
    keep: pa.Table
    skip: pa.Table
    make: pd.DataFrame
    images: Sequence[SourceImage]
    tree: CropTree
    known: pa.Table
    remove: list[str]
    rebuild_reason: str | None
    taken_over: int
    only_pairs: bool

    @property
    def nothing_to_do(self) -> bool:
        return self.make.empty and not self.remove and not self.tree.empty


@dataclass(frozen=True)
class Estimate:
    """`bytes` to be written beyond those replaced, `free` bytes on the disk, `seconds` of cutting.

    `free` is None where there is no disk to fill.
    """

    images: int
    crops: int
    bytes: int
    free: int | None
    seconds: float

    @property
    def fits(self) -> bool:
        return self.free is None or self.bytes <= self.free


def plan_crops(
    roots: Roots,
    crops: CropSet,
    groups: pd.DataFrame,
    files: pd.DataFrame,
    engine: Engine,
    *,
    only_pairs: bool = True,
) -> CropPlan:
    """Compare the crops that `groups` wants with the manifest, the journal and the disk.

    `groups` has columns of `sku_groups`, in which `crop_path` is the path of a file of the set.
    `files` is the index's side table; `engine` lists the crops. If `only_pairs`, a SKU with crops
    of one domain is not kept. Opens only crops whose size or time is not the recorded one. Raises
    OutputError where a link leads out of SKU_ROOT.
    """
    tree = scan_crops(roots, crops, engine)
    journaled = journal.read(roots, crops)
    known = _merge_journal(roots, crops, journaled)
    wanted = _with_fingerprints(crops, groups, files)
    paths, prints = pa.array(wanted["crop_path"]), pa.array(wanted["fingerprint"])
    # The row of each wanted crop; all null where there is none, or none of this fingerprint.
    rows = known.take(pc.index_in(paths, known["crop_path"]))
    is_usable = _is_true(pc.equal(rows["fingerprint"], prints))
    reason = rows["reason"]
    has_failed = is_usable & _is_true(pc.and_(pc.is_valid(reason), pc.not_equal(reason, UNPAIRED)))
    is_wanted = ~has_failed
    if only_pairs:
        possible = wanted.loc[~has_failed, ["sku_id", "domain"]]
        is_wanted[~has_failed] = find_paired(possible[["sku_id"]], possible["domain"])
    rows, is_kept = _compare_with_disk(roots, rows, tree, is_usable & is_wanted)
    # A crop of a SKU that cannot be kept is still tried once: whether it fails must not depend on
    # which of the SKU's crops failed first.
    is_unpaired = is_usable & ~is_wanted & ~has_failed
    make = wanted[~(is_kept | has_failed | is_unpaired)]
    keep = rows.filter(pa.array(is_kept))
    skip = [rows.filter(pa.array(has_failed)), as_unpaired(rows.filter(pa.array(is_unpaired)))]
    _require_own_paths(crops, make)
    on_disk, to_make = pa.array(list(tree.crops), TEXT), pa.array(make["crop_path"])
    surplus = without(without(on_disk, keep["crop_path"]), to_make)
    return CropPlan(
        crops,
        keep,
        pa.concat_tables(skip),
        make,
        ImagesToCut(roots, [make]),
        tree,
        known,
        sorted(surplus.to_pylist()) + tree.temporary,
        _find_rebuild_reason(crops, on_disk.filter(pc.is_in(on_disk, to_make)), known),
        _count_finished(keep, journaled),
        only_pairs,
    )


def _require_own_paths(crops: CropSet, make: pd.DataFrame) -> None:
    """Raise ProvenanceError where groups that somebody edited name other files than crops."""
    ours = make["crop_path"].str.fullmatch(f"{re.escape(crops.folder)}/{CROP_PLACE}{crops.suffix}")
    if not ours.all():
        split = crops.split
        path = escape_untrusted(make["crop_path"][~ours].iloc[0])
        raise ProvenanceError(
            f"sku_groups of {split} names {path}, which is not a crop of {split}: rerun "
            f"sku_groups, or build_dataset, for {split}."
        )


def as_unpaired(crops: pa.Table) -> pa.Table:
    """Return the rows of crops that are not kept, since their SKU lost its other domain."""
    detail = "its SKU has no crop left of the other domain"
    kept = {name: crops[name] for name in ("crop_path", "fingerprint")}
    constant = {"reason": UNPAIRED, "detail": detail}
    columns = [
        kept.get(name, pa.repeat(pa.scalar(constant.get(name), kind), len(crops)))
        for name, kind in zip(crops.schema.names, crops.schema.types, strict=True)
    ]
    return pa.table(columns, schema=crops.schema.remove_metadata())


def crop_table(kind: type[CropRow], rows: Collection[CropRow]) -> pa.Table:
    """Return rows of one kind as a table."""
    columns = [*zip(*map(astuple, rows), strict=True)] or [()] * len(_ROWS[kind])
    return pa.table([*map(list, columns)], schema=_ROWS[kind])


def read_known_crops(roots: Roots, crops: CropSet) -> pa.Table:
    """Return the rows of the manifest; those of the journal replace older ones."""
    return _merge_journal(roots, crops, journal.read(roots, crops))


def _merge_journal(roots: Roots, crops: CropSet, journaled: list[CropRow]) -> pa.Table:
    schema = _ROWS[crops.row]
    manifest = tables.find(roots, crops.table, crops.split)
    if manifest is None:
        manifest = schema.empty_table()
    elif crops.row is VariantRow:
        manifest = manifest.drop_columns(["crop_path", "sku_uid"]).rename_columns(schema.names)
    else:
        manifest = manifest.select(schema.names)
    if not journaled:
        return manifest
    newest = {row.crop_path: row for row in journaled}
    is_older = pc.is_in(manifest["crop_path"], pa.array(list(newest), TEXT))
    older = manifest.filter(pc.invert(is_older)).cast(schema)
    return pa.concat_tables([older, crop_table(crops.row, newest.values())]).combine_chunks()


def make_manifest(crops: CropSet, rows: pa.Table) -> pa.Table:
    """Return the rows of a set as its manifest, sorted by path."""
    schema = SCHEMAS[crops.table.partition("/")[0]]
    rows = rows.sort_by("crop_path")
    if crops.variant is not None:
        columns = [contract_paths(crops, rows["crop_path"]), *rows.columns]
        names = [name for name in schema.names if name != "sku_uid"]
        rows = pa.table(columns, names=names)
        rows = add_sku_uids(rows, schema).cast(schema)
        return rows.replace_schema_metadata(describe_variant(crops.variant))
    return add_sku_uids(rows, schema)


def contract_paths(crops: CropSet, paths: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return the paths of the contract's crops of the same items as files of a set."""
    form = rf"^{re.escape(crops.folder)}/(.*){crops.suffix}$"
    return pc.replace_substring_regex(paths, form, rf"{crops.split}/\1.jpg")


def mark_damaged(roots: Roots, split: str, paths: Iterable[str]) -> list[str]:
    """Make the next run make those crops again whose bytes are not the recorded ones.

    `paths` are files of the contract's crops and of variants. Returns those that are marked. They
    lose their fingerprint in the journal, and their set is incomplete until it is made again. The
    caller holds the split for writing.
    """
    of_sets: dict[CropSet, list[str]] = {}
    for path in paths:
        of_sets.setdefault(crops_at(roots, split, path), []).append(path)
    return [p for crops, of_set in of_sets.items() for p in _mark_damaged(roots, crops, of_set)]


def _mark_damaged(roots: Roots, crops: CropSet, crop_paths: list[str]) -> list[str]:
    known = read_known_crops(roots, crops)
    marked = known.filter(pc.is_in(known["crop_path"], pa.array(crop_paths, TEXT)))
    rows = (crops.row(**row) for row in marked.to_pylist())
    damaged = [row for row in rows if _is_damaged(roots, row)]
    if damaged:
        mark_incomplete(roots, crops)
        with journal.journal(roots, crops) as lines:
            lines.add([msgspec.structs.replace(row, fingerprint=None) for row in damaged])
    return [row.crop_path for row in damaged]


def mark_incomplete(roots: Roots, crops: CropSet) -> None:
    """Mark a set incomplete, before the first change to any of its files.

    The contract's is so until the split is complete, any other as long as it has a journal.
    """
    if crops.is_contract:
        state.mark_incomplete(roots, crops.split)
        return
    with journal.journal(roots, crops) as lines:
        lines.add([])


def estimate(
    roots: Roots,
    plans: Sequence[CropPlan],
    engine: Engine,
    images_per_second: float | None = None,
) -> Estimate:
    """Return what the crops of plans take, at a known rate or at that of a short probe."""
    images = join_images(roots, plans)
    if not images:
        return Estimate(0, 0, 0, roots.sku.free(roots.sku_root), 0.0)
    probed = _USUAL
    sample = crop_shard(roots, plans, images[:: -(-len(images) // _PROBED)])
    with closing(engine.map(probe, [sample])) as results:
        for _, result in results:
            if not isinstance(result, Lost) and result.images and result.pixels:
                probed = result
    rate = images_per_second or engine.workers * probed.images / max(probed.seconds, 1e-6)
    pixels = replaced = count = 0
    for plan in plans:
        make, on_disk = plan.make, plan.tree.crops
        width, height = boxes.size((make["x1"], make["y1"], make["x2"], make["y2"]))
        pixels += (width * height).sum()
        replaced += sum(on_disk[path][0] for path in make["crop_path"] if path in on_disk)
        count += len(make)
    size = int(pixels * probed.bytes / probed.pixels)
    return Estimate(
        len(images),
        count,
        max(0, size - replaced) + _BYTES_PER_CROP_ELSEWHERE * count,
        roots.sku.free(roots.sku_root),
        len(images) / rate,
    )


def join_images(roots: Roots, plans: Sequence[CropPlan]) -> Sequence[SourceImage]:
    """Return the images to decode for all plans, each once."""
    return plans[0].images if len(plans) == 1 else ImagesToCut(roots, [p.make for p in plans])


def crop_shard(roots: Roots, plans: Sequence[CropPlan], images: Sequence[SourceImage]) -> CropShard:
    """Return images as a shard for the workers, with the recipes of all plans."""
    return CropShard(str(roots.sku_root), tuple(plan.crops.variant for plan in plans), images)


def _encoder(crops: CropSet) -> str:
    """Return what decides the bytes of a crop, given image and box."""
    return encoder() if crops.variant is None else rendering.fingerprint(crops.variant)


def _find_rebuild_reason(crops: CropSet, remade: pa.Array, known: pa.Table) -> str | None:
    """Return why crops that are on disk are made again, besides a change of image or box."""
    if len(remade) and not known.num_rows:
        return "no manifest says what the crops on disk were made from"
    before = known.filter(pc.is_in(known["crop_path"], remade))["fingerprint"].drop_null()
    now = _encoder(crops)
    others = before.filter(pc.invert(pc.ends_with(before, f" {now}")))
    encoders = {fingerprint.split(" ", 3)[3] for fingerprint in others.to_pylist()}
    return f"{', '.join(sorted(encoders))} -> {now}" if encoders else None


def _with_fingerprints(crops: CropSet, groups: pd.DataFrame, files: pd.DataFrame) -> pd.DataFrame:
    """Return `groups` with the sizes and times of files, and the `fingerprint` of each crop."""
    rows = pc.index_in(pa.array(groups["image_id"]), pa.array(files["image_id"]))
    stamps = {name: pa.array(files[name]).take(rows) for name in _STAMPS}
    image = [stamps["image_size"], stamps["image_mtime_ns"]]
    made_from = [pa.array(groups[edge]) for edge in EDGES]
    if crops.variant is not None and crops.variant.cut_out is not None:
        made_from += [stamps["anno_size"], pa.array(files["anno_mtime_ns"]).take(rows)]
    texts = [pc.cast(column, TEXT) for column in (*image, *made_from)]
    box = pc.binary_join_element_wise(*texts[2:], ",")
    fingerprint = pc.binary_join_element_wise(*texts[:2], box, _encoder(crops), " ")
    columns = stamps | {"fingerprint": fingerprint}
    return groups.assign(
        **{name: pd.arrays.ArrowExtensionArray(column) for name, column in columns.items()}
    )


def _compare_with_disk(
    roots: Roots, rows: pa.Table, tree: CropTree, is_candidate: Mask
) -> tuple[pa.Table, Mask]:
    """Return which candidates are on disk as recorded, and `rows` with the times of their files.

    Size and time are the recorded ones, or else size and digest: a copy of a data set has other
    times.
    """
    on_disk = pa.array(list(tree.crops), TEXT)
    sizes, times = np.array([*tree.crops.values()], "int64").reshape(-1, 2).T
    places = pc.index_in(rows["crop_path"], on_disk)
    has_size = is_candidate & _is_true(pc.equal(rows["size"], pa.array(sizes).take(places)))
    time = pa.array(times).take(places)
    is_kept = has_size & _is_true(pc.equal(rows["mtime_ns"], time))
    suspects = np.flatnonzero(has_size & ~is_kept)
    if len(suspects):
        recorded = rows.select(["crop_path", "sha256"]).take(suspects).to_pydict()
        digests = checksums.digest_each(roots.sku_root, recorded["crop_path"])
        is_kept[suspects] = np.array(recorded["sha256"]) == np.array([*digests])
        column = rows.schema.get_field_index("mtime_ns")
        rows = rows.set_column(column, rows.schema.field(column), time)
    return rows, is_kept


def _count_finished(keep: pa.Table, journaled: list[CropRow]) -> int:
    """Return how many crops to keep are from a build that was stopped."""
    finished = pa.array([row.crop_path for row in journaled], TEXT)
    return pc.sum(pc.is_in(keep["crop_path"], finished), min_count=0).as_py() or 0


def without(paths: pa.ChunkedArray, others: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return those of the paths that are not among the others."""
    return paths.filter(pc.invert(pc.is_in(paths, others)))


def _is_true(values: pa.ChunkedArray) -> Mask:
    """Return a mask as numpy; a null is false."""
    mask: Mask = pc.fill_null(values, False).to_numpy()
    return mask


def _is_damaged(roots: Roots, row: CropRow) -> bool:
    if row.reason is not None:
        return False
    try:
        return checksums.digest(roots.crop(row.crop_path)) != row.sha256
    except OSError:
        return True
