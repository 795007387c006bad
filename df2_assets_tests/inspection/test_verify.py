"""Every way for files to be other than they were built: found, told, and mended by a build."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from df2_assets.dataset.tables import MADE_FROM, REFUSALS
from df2_assets.engines.local import LocalEngine
from df2_assets.inspection.verify import Verified, verify
from df2_assets.pipeline.marking import mark_damaged
from df2_assets.pipeline.refusals import collect
from df2_assets.store import checksums, state, tables
from df2_assets.store.crop_tree import remove
from df2_assets.store.layout import Roots
from df2_assets.store.lock import writer
from df2_assets_tests.inspection import clean
from df2_assets_tests.support.builder import DataSet
from df2_assets_tests.support.compare import tree
from df2_assets_tests.support.snapshots import contract, crop_stamps

SPLIT = "train"
CATALOG = "train/catalog/000001_01_01/000001_item1.jpg"
QUERY = "train/query/000001_01_01/000002_item1.jpg"
ORPHAN = "train/query/000001_01_01/000099_item1.jpg"
HALF = "train/query/000001_01_01/.000099_item1.jpg.tmp"
EMPTY = "train/query/000077_01_01"
NOTES = "train/catalog/notes.txt"
METADATA, LINES = "train_sku_metadata.json", "train_image_text.jsonl"
LIST = "_df2_assets/train.sha256"

Told = tuple[str, str, str | None, str]
"""Of a fault: what found it, what is wrong, where, and who can mend it."""


def build(roots: Roots) -> None:
    """What a build does, without Dagster."""
    built = clean.build(roots, SPLIT)
    index = tables.frame(tables.read(roots, "raw_annotation_index", SPLIT))
    refused = tables.from_frame(collect(SPLIT, index, built.groups, built.manifest), REFUSALS)
    made_from = tables.digests(roots, MADE_FROM["refusals"], SPLIT)
    tables.write(roots, "refusals", SPLIT, refused, made_from)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Roots:
    base = tmp_path_factory.mktemp("verify")
    roots = Roots(base / "df2", base / "sku", "sku")
    clean.write(DataSet(roots.df2_root), SPLIT, looks=2)
    build(roots)
    return roots


@pytest.fixture
def copy(original: Roots, tmp_path: Path) -> Roots:
    """What was built, with all times, to be changed."""
    shutil.copytree(original.sku_root, tmp_path / "sku")
    return Roots(original.df2_root, tmp_path / "sku", "sku")


def told(found: Verified) -> set[Told]:
    return {(fault.check, fault.what, fault.path, fault.repair) for fault in found.faults}


def flip(path: Path) -> None:
    """Change one bit of a file, and neither its size nor its time."""
    before, data = path.stat(), bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def lose(roots: Roots, asset: str) -> None:
    roots.table(asset, SPLIT).unlink()


def half_written(path: Path) -> None:
    path.write_bytes(path.with_name(path.name.strip(".").removesuffix(".tmp")).read_bytes()[:100])


FILES = "crops: files_match"
CONTRACT = "sku_metadata: contract"
MATCHES = "image_text: matches_metadata"
PROMPTS = "image_text: prompt_coverage"

Damage = Callable[[Roots], object]

DAMAGES: dict[str, tuple[Damage, list[Told]]] = {
    "a crop is deleted": (
        lambda roots: (roots.sku_root / CATALOG).unlink(),
        [(FILES, "the file is not there", CATALOG, "build"),
         (FILES, "an empty folder", "train/catalog/000001_01_01", "build")],
    ),
}
