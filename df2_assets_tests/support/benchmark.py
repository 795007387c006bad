"""A small split whose benchmark has crops beyond those of the contract, and how both are built."""

import pandas as pd

from df2_assets.engines.progress import silent
from df2_assets.engines.serial import SerialEngine
from df2_assets.pipeline.benchmark import group_benchmark
from df2_assets.pipeline.crops import build_crops
from df2_assets.pipeline.planning import plan_crops
from df2_assets.store import tables
from df2_assets.store.crop_sets import benchmark_crops
from df2_assets.store.layout import Roots
from df2_assets_tests.checks import clean
from df2_assets_tests.support.builder import DataSet, item

SPLIT = "validation"
BOX = [5, 5, 70, 100]
OWN = "_df2_assets/benchmark/validation"
STYLE_0 = f"{OWN}/catalog/000001_00_08/000001_item2.jpg"
UNPAIRED = f"{OWN}/catalog/000002_01_01/000003_item1.jpg"
UNPAIRED_QUERY = f"{OWN}/query/000003_01_01/000004_item1.jpg"
IN_CONTRACT = "validation/catalog/000001_01_01/000001_item1.jpg"


def write(roots: Roots) -> DataSet:
    """Write one pair, and items that the contract leaves out."""
    data = DataSet(roots.df2_root)
    for image in (1, 2, 3, 4):
        data.image(SPLIT, image)
    data.annotation(SPLIT, 1, "shop", 1, {1: item(1, 1, BOX), 2: item(8, 0, BOX)})
    data.annotation(SPLIT, 2, "user", 1, {1: item(1, 1, BOX), 2: item(8, 0, BOX)})
    data.annotation(SPLIT, 3, "shop", 2, {1: item(1, 1, BOX)})
    data.annotation(SPLIT, 4, "user", 3, {1: item(1, 1, BOX)})
    return data


def groups_of(roots: Roots) -> pd.DataFrame:
    """Build the contract, and return the benchmark's own crops to make."""
    clean.build(roots, SPLIT)
    index, manifest = (
        tables.frame(tables.read(roots, name, SPLIT)) for name in ("raw_annotation_index", "crops")
    )
    return group_benchmark(roots, SPLIT, index, manifest)


def build(roots: Roots) -> tuple[int, int, int, int]:
    """Bring the benchmark's own crops up to date; return what was added, removed, remade, kept."""
    groups, files = groups_of(roots), tables.find(roots, "files", SPLIT)
    assert files is not None
    crops, engine = benchmark_crops(roots, SPLIT), SerialEngine()
    plan = plan_crops(roots, crops, groups, tables.frame(files), engine, only_pairs=False)
    (built,) = build_crops(roots, [plan], groups, engine, silent)
    digests = tables.digests(roots, ("raw_annotation_index", "crops"), SPLIT)
    tables.write(roots, crops.table, SPLIT, built.manifest, digests)
    changes = built.changes
    return changes.added, changes.removed, changes.remade, changes.unchanged
