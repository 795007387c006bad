"""A built split to export, and readers of its exports."""

import json
import shutil
import tarfile
from itertools import chain, cycle, islice, product
from pathlib import Path
from typing import Any, Final

import pandas as pd

from df2_assets.checks.exports import matches_image_text
from df2_assets.checks.finding import Finding
from df2_assets.dataset.skus import sku_id
from df2_assets.dataset.taxonomy import LABELS, LANDMARKS
from df2_assets.dataset.variants import CropVariant
from df2_assets.engines.progress import silent
from df2_assets.engines.serial import SerialEngine
from df2_assets.exports import EXPORTS
from df2_assets.exports.build import export
from df2_assets.exports.folder import ExportResult
from df2_assets.exports.shards import Limits
from df2_assets.pipeline import variants
from df2_assets.pipeline.labels import update_labels
from df2_assets.store import tables
from df2_assets.store.layout import Roots
from df2_assets_tests.checks import clean
from df2_assets_tests.support.builder import DataSet, item
from df2_assets_tests.support.snapshots import Stamp, stamp

SPLIT = "train"
SPLITS = ("train", "validation", "test")
SMALL = Limits(samples=12, bytes=200_000, marked=128)
"""Limits for shards of a few SKUs each."""

PAIRS = 12
_SIZE = (90, 70)


def roots_in(folder: Path) -> Roots:
    return Roots(folder / "df2", folder / "sku", str(folder / "sku"))


def write_and_build(folder: Path) -> Roots:
    """Write and build three splits, the last of them empty.

    A pair has a shop image and two user images, of two tops and another garment, all with different
    labels. The tops have a mask and landmarks; those of the other garment are refused.
    """
    roots = roots_in(folder)
    data = DataSet(roots.df2_root)
    for split, pairs in zip(SPLITS, (PAIRS, 3, 0), strict=True):
        for pair, number in product(range(1, pairs + 1), range(3)):
            other = 2 + pair % 12
            look = (1 + (pair + number) % 3, 1 + pair % 3)
            data.image(split, image_of(pair, number), _SIZE)
            data.annotation(
                split,
                image_of(pair, number),
                "user" if number else "shop",
                pair,
                {
                    1: item(1, 1, (-3, 0, 40, 60), *look, **shapes_in(1, (0, 0, 40, 60))),
                    2: item(1, 2, (30, 10, 80, 70), *look, **shapes_in(1, (30, 10, 80, 70))),
                    4: item(other, 1, (10, 5, 60, 50 + number), *look, segmentation=[[1, 2, 3]]),
                },
            )
        clean.build(roots, split)
        update_labels(roots, split, SerialEngine(), silent)
    return roots


def shapes_in(category: int, box: tuple[int, int, int, int]) -> dict[str, Any]:
    """Return two polygons that overlap, and landmarks: visible, occluded, not labelled, outside."""
    x1, y1, x2, y2 = box
    middle = (x1 + x2) / 2
    tops = [x1 + 0.3, y1 + 4, x2 - 6.1, y1 + 2.7, middle, y2 - 9.5]
    low = [x1 + 2, y2 - 20, x2 - 3.4, y2 - 26, x2 - 8, y2 + 3, x1 + 5.5, y2 - 1]
    points: list[list[float]] = [
        [x1 + 5.5, y1 + 6, 2],
        [middle, y1 + 9.25, 1],
        [0, 0, 0],
        [x2 + 4, y2 - 5, 2],
    ]
    return {
        "segmentation": [tops, low],
        "landmarks": [*chain(*islice(cycle(points), LANDMARKS[category]))],
    }


def image_of(pair: int, number: int) -> int:
    """Return the shop image of a pair, which is its first image."""
    return 10 * pair + number


def copy_split(roots: Roots, folder: Path) -> Roots:
    """Copy a site, for a test to change. Times are kept, so that nothing is rebuilt."""
    shutil.copytree(roots.df2_root, folder / "df2")
    shutil.copytree(roots.sku_root, folder / "sku")
    return roots_in(folder)


def drop_skus_of(roots: Roots, shard: Path) -> None:
    """Remove the garments of a WebDataset shard from the annotations."""
    with tarfile.open(shard) as tar:
        gone = {name.split("-")[1] for name in tar.getnames()}
    for path in (roots.df2_root / SPLIT / "annos").iterdir():
        annotation = json.loads(path.read_text())
        for key, value in list(annotation.items()):
            if key.startswith("item"):
                ids = (annotation["pair_id"], value["style"], value["category_id"])
                if sku_id(*ids) in gone:
                    del annotation[key]
        path.write_text(json.dumps(annotation))


def export_all(roots: Roots, split: str = SPLIT, variant: str = "") -> dict[str, ExportResult]:
    return {name: export(roots, split, name, limits=SMALL, variant=variant) for name in EXPORTS}


def check(roots: Roots, name: str, split: str = SPLIT) -> Finding:
    return matches_image_text(roots, split, name, "")


def lines(roots: Roots, split: str = SPLIT) -> list[dict[str, Any]]:
    """Return the lines of the JSONL."""
    return [json.loads(line) for line in roots.image_text(split).read_text().splitlines()]


def records(roots: Roots, split: str = SPLIT) -> list[dict[str, Any]]:
    """Return the content of exports for each crop: its line in the JSONL, `sku_uid` and labels."""
    groups = pd.read_parquet(roots.table("sku_groups", split)).set_index("crop_path")
    labels = {name: groups[name].to_dict() for name in LABELS}
    return [
        line
        | {"sku_uid": f"{split}/{line['sku_id']}"}
        | {name: of[line["image_path"]] for name, of in labels.items()}
        for line in lines(roots, split)
    ]


def annotated(roots: Roots, record: dict[str, Any], split: str = SPLIT) -> dict[str, Any]:
    """Return the item of a record in its annotation file."""
    path = roots.annotations(split) / f"{record['image_id']}.json"
    fields: dict[str, Any] = json.loads(path.read_text())[f"item{record['item_idx']}"]
    return fields


def landmarks_of(
    roots: Roots, record: dict[str, Any], left: float = 0, top: float = 0
) -> list[list[float]] | None:
    """Return the landmarks of a record as annotated, from a corner on; None if refused."""
    numbers = annotated(roots, record)["landmarks"]
    if len(numbers) != 3 * LANDMARKS[record["category_id"]]:
        return None
    points = [numbers[start : start + 3] for start in range(0, len(numbers), 3)]
    return [[x - left, y - top, v] if v else [0, 0, 0] for x, y, v in points]


def content(roots: Roots, split: str = SPLIT) -> dict[str, bytes]:
    """Return every file of every export, and the lists of digests, by path below the exports."""
    top = roots.own / "exports"
    files = [path for name in EXPORTS for path in (top / name / split).rglob("*") if path.is_file()]
    files += [top / name / f"{split}.sha256" for name in EXPORTS]
    return {path.relative_to(top).as_posix(): path.read_bytes() for path in files}


def stamps(roots: Roots, name: str, split: str = SPLIT) -> dict[str, Stamp]:
    """Return the stamp of each file of an export, by path in its folder."""
    folder = roots.export(name, split)
    return {
        path.relative_to(folder).as_posix(): stamp(path)
        for path in folder.rglob("*")
        if path.is_file()
    }


def list_rewritten(before: dict[str, Stamp], after: dict[str, Stamp], ending: str) -> set[str]:
    """Return the files with an ending that were written again, by their current names."""
    known = {at.inode for at in before.values()}
    return {name for name, at in after.items() if name.endswith(ending) and at.inode not in known}


VARIANTS: Final = (
    CropVariant("letterbox", square="pad", fill="#102030", size=48),
    CropVariant("cut", margin=0.1, cut_out="alpha", format="png"),
    CropVariant("wide", square="widen", fill="edge", size=40, format="webp", quality=80),
)
"""A variant of each format. In `cut`, crops without a mask are refused."""


def make_variants(roots: Roots, split: str = SPLIT) -> None:
    """Make `VARIANTS` of a split."""
    groups, manifest = (tables.read(roots, asset, split) for asset in ("sku_groups", "crops"))
    variants.make_variants(
        roots, split, VARIANTS, tables.frame(groups), manifest, SerialEngine(), silent
    )


def files_of(roots: Roots, variant: str, split: str = SPLIT) -> dict[str, dict[str, Any]]:
    """Return the rows of a variant's manifest that have a file, by the path of their crop."""
    rows = tables.read(roots, f"crop_variants/{variant}", split).to_pylist()
    return {row["crop_path"]: row for row in rows if row["reason"] is None}
