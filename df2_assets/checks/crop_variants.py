"""The check of crop variants: whether the files of each match its manifest and its declaration."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Final

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from df2_assets.checks.crops import CHANGED, DAMAGED, FOREIGN, MISSING, settle_times
from df2_assets.checks.finding import (
    Finding,
    Inspection,
    Problem,
    crop_rows,
    describe_first,
    number_of,
)
from df2_assets.dataset.boxes import Box
from df2_assets.dataset.frames import rows
from df2_assets.dataset.record import AFFINE, EDGES
from df2_assets.dataset.tables import CROP_VARIANTS as SCHEMA
from df2_assets.dataset.variants import CropVariant, plan_cut
from df2_assets.engines.base import Engine
from df2_assets.errors import OutputError, ProvenanceError, escape_untrusted
from df2_assets.pipeline.scanning import scan_crops
from df2_assets.store import tables
from df2_assets.store.checksums import digest_each
from df2_assets.store.crop_sets import is_half_built, variant_crops
from df2_assets.store.crop_tree import CropTree
from df2_assets.store.layout import CROP_VARIANTS, Roots
from df2_assets.store.variants import declared_in, list_names

CHECK: Final = "variants_match"

_HALF_BUILT: Final = "it is half-built: a run is making it or was stopped"
_OTHER_CROPS: Final = "it was made from other crops than the current ones"
NO_MANIFEST: Final = "it has files, but no manifest that can be read"
_UNREADABLE: Final = "the file is not a readable image"
OTHER_SIZE: Final = "the file's width and height are not the recorded ones"
_OTHER_PLACE: Final = "box, map or size are not those of its declaration"
NO_ROW: Final = "a crop has no row in the manifest"
NO_CROP: Final = "there is no such crop"

Read = tuple[str | None, tuple[int, int] | None]
"""The digest, and width and height, of a file that was read back; None where it cannot be."""

ReadBack = Callable[[Sequence[str]], Mapping[str, Read]]
"""A function that reads files back, by their paths relative to SKU_ROOT."""


def variants_match(
    roots: Roots,
    split: str,
    index: pd.DataFrame,
    groups: pd.DataFrame,
    manifest: pd.DataFrame,
    engine: Engine,
) -> Finding:
    """Check for one file per crop in each variant that is on disk, as recorded and declared."""
    return inspect_variants(roots, split, index, groups, manifest, engine)[0].finding


def inspect_variants(
    roots: Roots,
    split: str,
    index: pd.DataFrame,
    groups: pd.DataFrame,
    manifest: pd.DataFrame,
    engine: Engine,
    read_back: ReadBack | None = None,
) -> tuple[Inspection, list[str]]:
    """Return the inspection of all variants, and the files whose damage only their bytes show.

    `index`, `groups` and `manifest` are the tables of the contract's crops. With `read_back`, every
    file is read.
    """
    boxes = _kept_boxes(index, groups, manifest)
    problems: list[tuple[str, str, str]] = []
    damaged: list[str] = []
    counts, copied, foreign = {}, 0, 0
    for name in list_names(roots, split):
        crops = variant_crops(roots, split, name)
        try:
            tree = scan_crops(roots, crops, engine)
        except OutputError as error:
            problems.append((name, "", str(error)))
            continue
        table = tables.find(roots, crops.table, split)
        if table is None:
            table = SCHEMA.empty_table()
            if tree.crops or tree.temporary:
                problems.append((name, "", NO_MANIFEST))
        else:
            counts[name] = table["reason"].null_count
            problems += ((name, "", what) for what in describe_outdated(roots, split, crops.table))
            problems += (
                (name, path, what) for path, what in _misplaced(table, boxes, declared_in(table))
            )
        made = tables.frame(table.filter(pc.is_null(table["reason"])))
        made = made.assign(crop_path=made["variant_path"])
        read = read_back([p for p in made["crop_path"] if p in tree.crops]) if read_back else {}

        digests = partial(digests_of, roots, read if read_back else None)
        tree = settle_times(made, tree, digests)
        of_files = list(compare_files(made, tree, read))
        problems += ((name, path, what) for path, what in of_files)
        damaged += [path for path, what in of_files if what == DAMAGED]
        copied += len(tree.copied)
        foreign += len(tree.foreign)
    finding = _finding(roots, split, counts, problems, foreign)
    repairs = [
        Problem(
            f"{CROP_VARIANTS}: {CHECK}",
            what if path else f"{name}: {what}",
            "you" if what == FOREIGN else "variants",
            path or None,
        )
        for name, path, what in problems
    ]
    return Inspection(finding, repairs, copied), damaged


def digests_of(
    roots: Roots, read: Mapping[str, Read] | None, paths: Iterable[str]
) -> Iterable[str | None]:
    """Return the digests of files, which are read unless `read` already has them."""
    return digest_each(roots.sku_root, paths) if read is None else [read[p][0] for p in paths]


def _kept_boxes(
    index: pd.DataFrame, groups: pd.DataFrame, manifest: pd.DataFrame
) -> dict[str, tuple[Box, int, int]]:
    """Return the box, and the width and height of the image, of each crop that is on disk."""
    kept = groups[groups["crop_path"].isin(manifest["crop_path"][manifest["reason"].isna()])]
    sizes = index[["image_id", "width", "height"]].drop_duplicates("image_id")
    boxes = kept[["crop_path", "image_id", *EDGES]].merge(sizes, "left", "image_id")
    columns = ("crop_path", *EDGES, "width", "height")
    return {path: ((x1, y1, x2, y2), w, h) for path, x1, y1, x2, y2, w, h in rows(boxes, *columns)}


def describe_outdated(roots: Roots, split: str, table: str) -> Iterator[str]:
    """Yield why a set of crops, by its manifest, does not belong to the contract's current ones."""
    if is_half_built(roots, split, table):
        yield _HALF_BUILT
    try:
        tables.require_current(roots, table, split)
    except ProvenanceError:
        yield _OTHER_CROPS


def _misplaced(
    table: pa.Table, boxes: Mapping[str, tuple[Box, int, int]], variant: CropVariant
) -> Iterator[tuple[str, str]]:
    """Yield crops without a row, and rows that are not what the variant cuts from their image."""
    columns = ("crop_path", "variant_path", "reason", *EDGES, *AFFINE, "width", "height")
    recorded = set()
    for crop_path, path, reason, *place in zip(
        *(table[name].to_pylist() for name in columns), strict=True
    ):
        recorded.add(crop_path)
        if crop_path not in boxes:
            yield path, NO_CROP
        elif reason is None and place != _place(variant, *boxes[crop_path]):
            yield path, _OTHER_PLACE
    yield from ((path, NO_ROW) for path in sorted(boxes.keys() - recorded))


def _place(variant: CropVariant, box: Box, width: int, height: int) -> list[float]:
    """Return box, map and size of a crop as the manifest has them."""
    cut = plan_cut(variant, box, width, height)
    return [*cut.box, *cut.affine, cut.width, cut.height]


def compare_files(
    made: pd.DataFrame, tree: CropTree, read: Mapping[str, Read]
) -> Iterator[tuple[str, str]]:
    """Yield files that are missing, changed, half-written or foreign, with what is wrong."""
    columns = ("crop_path", "size", "mtime_ns", "sha256", "width", "height")
    recorded = set()
    for path, size, mtime_ns, sha256, width, height in rows(made, *columns):
        recorded.add(path)
        digest, pixels = read.get(path, (sha256, (width, height)))
        if path not in tree.crops:
            yield path, MISSING
        elif tree.crops[path] != (size, mtime_ns):
            yield path, CHANGED
        elif digest != sha256:
            yield path, DAMAGED
        elif pixels is None:
            yield path, _UNREADABLE
        elif pixels != (width, height):
            yield path, OTHER_SIZE
    others = {
        "the manifest does not list it": sorted(tree.crops.keys() - recorded),
        "half-written by a run that was killed": tree.temporary,
        "an empty folder": tree.empty,
        FOREIGN: tree.foreign,
    }
    yield from ((path, what) for what, paths in others.items() for path in paths)


def _finding(
    roots: Roots,
    split: str,
    counts: Mapping[str, int],
    problems: list[tuple[str, str, str]],
    foreign: int,
) -> Finding:
    total = sum(counts.values())
    numbers: dict[str, int | float] = {"variants": len(counts), "files": total, "foreign": foreign}
    of_each = ", ".join(f"{name} {number_of(count, 'file')}" for name, count in counts.items())
    by_variant = pd.DataFrame(
        {
            "variant": [*counts],
            "files": [*counts.values()],
            "problems": [sum(name == other for other, _, _ in problems) for name in counts],
        }
    )
    shown = {"variants": by_variant} if counts else {}
    if not problems:
        summary = f"{number_of(len(counts), 'variant')}: {of_each or 'none'}, all as recorded."
        return Finding(True, "error", total, summary, numbers=numbers, tables=shown)
    names, paths, whats = zip(*problems, strict=True)
    first = describe_first([(path or name, what) for name, path, what in problems], foreign)
    offenders = crop_rows(_contract_path(roots, split, name, path) for name, path, _ in problems)
    offenders = offenders.assign(
        split=split,
        variant=[*names],
        crop_path=[escape_untrusted(path, 1000) for path in paths],
        what=[*whats],
    )
    summary = f"{first}. Run df2-assets variants --split {split}"
    return Finding(False, "error", total, summary, offenders, numbers, shown)


def _contract_path(roots: Roots, split: str, name: str, path: str) -> str:
    """Return the path of the contract's crop of the same item as a file of a variant."""
    below = path.removeprefix(variant_crops(roots, split, name).folder)
    return path if below == path else f"{split}{below.rpartition('.')[0]}.jpg"
