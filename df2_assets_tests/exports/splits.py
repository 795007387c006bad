"""A built split to export, and readers of its exports."""

import json
import shutil
import tarfile
from itertools import product
from pathlib import Path
from typing import Any

import pandas as pd

from df2_assets.checks.exports import matches_image_text
from df2_assets.checks.finding import Finding
from df2_assets.dataset.skus import sku_id
from df2_assets.dataset.taxonomy import LABELS
from df2_assets.exports import EXPORTS
from df2_assets.exports.build import export
from df2_assets.exports.folder import ExportResult
from df2_assets.exports.shards import Limits
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
    labels.
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
                    1: item(1, 1, (-3, 0, 40, 60), *look),
                    2: item(1, 2, (30, 10, 80, 70), *look),
                    4: item(other, 1, (10, 5, 60, 50 + number), *look),
                },
            )
        clean.build(roots, split)
    return roots


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


def export_all(roots: Roots, split: str = SPLIT) -> dict[str, ExportResult]:
    return {name: export(roots, split, name, limits=SMALL) for name in EXPORTS}


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
