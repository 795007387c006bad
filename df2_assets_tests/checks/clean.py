"""A data set that passes every check, and the tables and files of its build."""

import shutil
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import pandas as pd

from df2_assets.checks.finding import Finding
from df2_assets.checks.registry import CHECKS, CheckContext
from df2_assets.dataset.skus import group_index
from df2_assets.engines.progress import lines
from df2_assets.engines.serial import SerialEngine
from df2_assets.pipeline.crops import build_crops
from df2_assets.pipeline.indexing import build_index
from df2_assets.pipeline.planning import plan_crops
from df2_assets.pipeline.publishing import publish_image_text, publish_metadata
from df2_assets.store import crop_tree, tables
from df2_assets.store.crop_sets import contract_crops
from df2_assets.store.crop_tree import CropTree
from df2_assets.store.layout import Roots
from df2_assets_tests.support.builder import CATEGORY_NAMES, DataSet, Item, item

SIZE = (160, 160)
LOOKS = tuple(product((1, 2, 3), (1, 2, 3)))
"""Every occlusion with every viewpoint."""

_COLUMNS = 4
_CELL = 40


def roots_in(folder: Path) -> Roots:
    return Roots(folder / "df2", folder / "sku", str(folder / "sku"))


def copied(roots: Roots, folder: Path) -> Roots:
    """Copy both roots to another folder, with all sizes and times."""
    shutil.copytree(roots.df2_root, folder / "df2")
    shutil.copytree(roots.sku_root, folder / "sku")
    return roots_in(folder)


def write(data: DataSet, split: str, looks: int = len(LOOKS)) -> None:
    """Write one image per source and look, with one item per category and one of style 0.

    There is one SKU per category, all of pair 1. With all nine looks every combination occurs.
    """
    for image_id, (source, look) in enumerate(product(("shop", "user"), LOOKS[:looks]), 1):
        data.image(split, image_id, SIZE)
        items: dict[int | str, Item] = {
            category: item(category, 1, _box(category), *look, scale=1)
            for category in range(1, len(CATEGORY_NAMES) + 1)
        }
        items[14] = item(1, 0, _box(14), *look, scale=1)
        data.annotation(split, image_id, source, 1, items)


def _box(cell: int) -> tuple[int, int, int, int]:
    x, y = _CELL * ((cell - 1) % _COLUMNS), _CELL * ((cell - 1) // _COLUMNS)
    return x + 1, y + 1, x + _CELL - 1, y + _CELL - 1


@dataclass(frozen=True)
class Indexed:
    index: pd.DataFrame
    files: pd.DataFrame


@dataclass(frozen=True)
class Built:
    """The tables of a split, and its files on disk."""

    groups: pd.DataFrame
    manifest: pd.DataFrame
    tree: CropTree


def index(roots: Roots, split: str = "train") -> Indexed:
    """Read the annotations of a split."""
    indexed = build_index(roots, split, SerialEngine(), lines(str))
    tables.write(roots, "raw_annotation_index", split, indexed.table, {})
    files = tables.find(roots, "files", split)
    assert files is not None
    return Indexed(tables.frame(indexed.table), tables.frame(files))


def build(roots: Roots, split: str = "train", *, only_pairs: bool = True) -> Built:
    """Make the crops and both contract files of a split."""
    indexed = index(roots, split)
    made_of = tables.digests(roots, ["raw_annotation_index"], split)
    index_table = tables.read(roots, "raw_annotation_index", split)
    table = group_index(index_table, only_pairs=only_pairs)
    tables.write(roots, "sku_groups", split, table, made_of)
    groups = tables.frame(table)
    plan = plan_crops(
        roots, contract_crops(split), groups, indexed.files, SerialEngine(), only_pairs=only_pairs
    )
    (built,) = build_crops(roots, [plan], groups, SerialEngine(), lines(str))
    made_of = tables.digests(roots, ["sku_groups"], split)
    tables.write(roots, "crops", split, built.manifest, made_of)
    manifest = tables.frame(built.manifest)
    publish_metadata(roots, split, table, built.manifest)
    publish_image_text(roots, split)
    return Built(groups, manifest, crop_tree.scan(roots, contract_crops(split)))


def find(name: str, roots: Roots, split: str = "train", max_refused: float = 0.01) -> Finding:
    """Return the finding of the check with that name for a split."""
    (check,) = (check for check in CHECKS if check.name == name)
    return check.find(CheckContext(roots, split, max_refused))


def fails(finding: Finding, severity: str) -> bool:
    """Return whether a finding did not pass, with that severity."""
    return (finding.passed, finding.severity) == (False, severity)


def passes(finding: Finding) -> bool:
    """Return whether a finding passed without offenders."""
    return finding.passed and finding.offenders.empty


def named(offenders: pd.DataFrame, *columns: str) -> list[tuple[object, ...]]:
    """Return offenders as tuples of some of their columns, with None for null."""
    some = offenders[list(columns)].astype(object)
    return list(some.where(some.notna(), None).itertuples(index=False, name=None))
