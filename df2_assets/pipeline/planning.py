"""Planning what a build does to the crops of a split, and estimating what that takes."""

from collections.abc import Iterable, Sequence
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

from df2_assets.dataset import boxes
from df2_assets.dataset.cropping import encoder
from df2_assets.dataset.reasons import UNPAIRED
from df2_assets.dataset.record import EDGES
from df2_assets.dataset.skus import CROP_PATH, find_paired
from df2_assets.dataset.tables import CROPS
from df2_assets.engines.base import Engine, Lost
from df2_assets.errors import ProvenanceError, escape_untrusted
from df2_assets.pipeline.cutting import Cut, Probe, SourceImage, probe
from df2_assets.pipeline.scanning import scan_crops
from df2_assets.settings import Settings
from df2_assets.store import checksums, journal, tables
from df2_assets.store.crop_sets import CropRow, contract_crops
from df2_assets.store.crop_tree import CropTree
from df2_assets.store.layout import Roots
from df2_assets.store.state import mark_incomplete

_PROBED: Final = 24
_USUAL: Final = Probe(seconds=0.0027, images=1, pixels=100_000, bytes=25_000)
"""The cost of a typical image of the release, used where no image of a plan can be read."""

_BYTES_PER_CROP_ELSEWHERE: Final = 1_500
"""Bytes per crop of tables, metadata and JSONL together."""

_ROWS: Final = CROPS.remove(CROPS.get_field_index("sku_uid"))
"""The columns of a row while crops are planned and cut: `sku_uid` would only take memory."""

TEXT: Final = pa.string()
Mask = npt.NDArray[np.bool_]

_OF_IMAGE: Final = (
    *("orig_image_path", "image_size", "image_mtime_ns"),
    *("crop_path", *EDGES, "fingerprint"),
)
"""The columns of a plan that say what is cut from an image."""


class ImagesToCut(Sequence[SourceImage]):
    """The images to decode, by path. They become objects shard by shard, as they are asked for."""

    def __init__(self, roots: Roots, make: pd.DataFrame) -> None:
        """Take the crops to make, as `CropPlan.make` has them."""
        columns = pa.table({name: pa.array(make[name]) for name in _OF_IMAGE})
        self._crops = columns.sort_by("orig_image_path").combine_chunks()
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
            )
        )
        paths, sizes, times = (
            crops[name] for name in ("orig_image_path", "image_size", "image_mtime_ns")
        )
        return [
            SourceImage(f"{self._root}/{paths[start]}", sizes[start], times[start], cuts[start:end])
            for start, end in pairwise(position - starts[0] for position in starts)
        ]


@dataclass(frozen=True)
class CropPlan:
    """Every crop that `sku_groups` wants is in one of `keep`, `skip` and `make`.

    `keep`: rows of the manifest for crops that are on disk as they should be. `skip`: rows for
    crops that are not on disk and not tried again, because they failed or their SKU has lost its
    other domain to failures. `make`: columns of `sku_groups`, and `fingerprint`, `image_size`,
    `image_mtime_ns`; `images`: what has to be decoded for it. `tree`: what is on disk now.
    `known`: the rows of the manifest and the journal. `remove`: files of the project that no crop
    of `keep` or `make` replaces. `rebuild_reason` says why crops that are on disk are made again,
    where the reason is not their image or box. `taken_over`: how many crops of `keep` come from a
    build that was stopped. `only_pairs`: whether a SKU that loses a domain is left out.
    """

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
    settings: Settings,
    split: str,
    groups: pd.DataFrame,
    files: pd.DataFrame,
    engine: Engine,
    *,
    only_pairs: bool = True,
) -> CropPlan:
    """Compare the crops that `groups` wants with the manifest, the journal and the disk.

    `files` is the index's side table; `engine` lists the crops. If `only_pairs`, a SKU with crops
    of one domain is not kept. Opens only crops whose size or time is not the recorded one. Raises
    OutputError where a link leads out of SKU_ROOT.
    """
    roots = settings.roots
    tree = scan_crops(roots, split, engine)
    journaled = journal.read(roots, contract_crops(split))
    known = _merge_journal(roots, split, journaled)
    wanted = _with_fingerprints(groups, files)
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
    _require_own_paths(split, make)
    on_disk, to_make = pa.array(list(tree.crops), TEXT), pa.array(make["crop_path"])
    surplus = without(without(on_disk, keep["crop_path"]), to_make)
    return CropPlan(
        keep,
        pa.concat_tables(skip),
        make,
        ImagesToCut(roots, make),
        tree,
        known,
        sorted(surplus.to_pylist()) + tree.temporary,
        _find_rebuild_reason(on_disk.filter(pc.is_in(on_disk, to_make)), known),
        _count_finished(keep, journaled),
        only_pairs,
    )


def _require_own_paths(split: str, make: pd.DataFrame) -> None:
    """Raise ProvenanceError where groups that somebody edited name other files than crops."""
    ours = make["crop_path"].str.fullmatch(f"{split}/{CROP_PATH}")
    if not ours.all():
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
        for name, kind in zip(_ROWS.names, _ROWS.types, strict=True)
    ]
    return pa.table(columns, schema=_ROWS)


def crop_table(rows: Iterable[CropRow]) -> pa.Table:
    """Return rows of the manifest as a table, without `sku_uid`."""
    columns = [*zip(*map(astuple, rows), strict=True)] or [()] * len(_ROWS)
    return pa.table([*map(list, columns)], schema=_ROWS)


def read_known_crops(roots: Roots, split: str) -> pa.Table:
    """Return the rows of the manifest; those of the journal replace older ones. No `sku_uid`."""
    return _merge_journal(roots, split, journal.read(roots, contract_crops(split)))


def _merge_journal(roots: Roots, split: str, journaled: list[CropRow]) -> pa.Table:
    manifest = tables.find(roots, "crops", split)
    manifest = _ROWS.empty_table() if manifest is None else manifest.select(_ROWS.names)
    if not journaled:
        return manifest
    newest = {row.crop_path: row for row in journaled}
    is_older = pc.is_in(manifest["crop_path"], pa.array(list(newest), TEXT))
    older = manifest.filter(pc.invert(is_older)).cast(_ROWS)
    return pa.concat_tables([older, crop_table(newest.values())]).combine_chunks()


def mark_damaged(roots: Roots, split: str, crop_paths: Iterable[str]) -> list[str]:
    """Make the next build cut those of the crops again whose bytes are not the recorded ones.

    Returns their paths. They lose their fingerprint in the journal, and the split is incomplete
    until it is built. The caller holds the split for writing.
    """
    known = read_known_crops(roots, split)
    marked = known.filter(pc.is_in(known["crop_path"], pa.array([*crop_paths], TEXT)))
    rows = (CropRow(**row) for row in marked.to_pylist())
    damaged = [row for row in rows if _is_damaged(roots, row)]
    if damaged:
        mark_incomplete(roots, split)
        with journal.journal(roots, contract_crops(split)) as lines:
            lines.add([msgspec.structs.replace(row, fingerprint=None) for row in damaged])
    return [row.crop_path for row in damaged]


def estimate(
    roots: Roots, plan: CropPlan, engine: Engine, images_per_second: float | None = None
) -> Estimate:
    """Return what the crops of a plan take, at a known rate or at that of a short probe."""
    images, make = plan.images, plan.make
    if not images:
        return Estimate(0, 0, 0, roots.sku.free(roots.sku_root), 0.0)
    probed = _USUAL
    with closing(engine.map(probe, [images[:: -(-len(images) // _PROBED)]])) as results:
        for _, result in results:
            if not isinstance(result, Lost) and result.images and result.pixels:
                probed = result
    rate = images_per_second or engine.workers * probed.images / max(probed.seconds, 1e-6)
    width, height = boxes.size((make["x1"], make["y1"], make["x2"], make["y2"]))
    size = int((width * height).sum() * probed.bytes / probed.pixels)
    on_disk = plan.tree.crops
    replaced = sum(on_disk[path][0] for path in make["crop_path"] if path in on_disk)
    return Estimate(
        len(images),
        len(make),
        max(0, size - replaced) + _BYTES_PER_CROP_ELSEWHERE * len(make),
        roots.sku.free(roots.sku_root),
        len(images) / rate,
    )


def _find_rebuild_reason(remade: pa.Array, known: pa.Table) -> str | None:
    """Return why crops that are on disk are made again, besides a change of image or box."""
    if len(remade) and not known.num_rows:
        return "no manifest says what the crops on disk were made from"
    before = known.filter(pc.is_in(known["crop_path"], remade))["fingerprint"].drop_null()
    now = encoder()
    others = before.filter(pc.invert(pc.ends_with(before, f" {now}")))
    encoders = {fingerprint.split(" ", 3)[3] for fingerprint in others.to_pylist()}
    return f"{', '.join(sorted(encoders))} -> {now}" if encoders else None


def _with_fingerprints(groups: pd.DataFrame, files: pd.DataFrame) -> pd.DataFrame:
    """Return `groups` with `image_size`, `image_mtime_ns` and `fingerprint` of each crop."""
    rows = pc.index_in(pa.array(groups["image_id"]), pa.array(files["image_id"]))
    stamps = [pa.array(files[name]).take(rows) for name in ("image_size", "image_mtime_ns")]
    texts = [pc.cast(column, TEXT) for column in (*stamps, *(pa.array(groups[e]) for e in EDGES))]
    box = pc.binary_join_element_wise(*texts[2:], ",")
    fingerprint = pc.binary_join_element_wise(*texts[:2], box, encoder(), " ")
    return groups.assign(
        image_size=pd.arrays.ArrowExtensionArray(stamps[0]),
        image_mtime_ns=pd.arrays.ArrowExtensionArray(stamps[1]),
        fingerprint=pd.arrays.ArrowExtensionArray(fingerprint),
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
        column = _ROWS.get_field_index("mtime_ns")
        rows = rows.set_column(column, _ROWS.field(column), time)
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
