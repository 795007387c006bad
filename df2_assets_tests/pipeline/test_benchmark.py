"""The benchmark's own crops: which items have one, and that only what changed is cut again."""

from pathlib import Path

import pytest

from df2_assets.engines.progress import silent
from df2_assets.engines.serial import SerialEngine
from df2_assets.pipeline.benchmark import group_benchmark, item_paths, read_extra_crops
from df2_assets.pipeline.crops import build_crops
from df2_assets.pipeline.planning import plan_crops
from df2_assets.store import journal, tables
from df2_assets.store.crop_sets import benchmark_crops
from df2_assets.store.layout import Roots
from df2_assets_tests.checks import clean
from df2_assets_tests.support import benchmark
from df2_assets_tests.support.benchmark import (
    BOX,
    IN_CONTRACT,
    OWN,
    SPLIT,
    STYLE_0,
    UNPAIRED,
    UNPAIRED_QUERY,
    build,
    groups_of,
)
from df2_assets_tests.support.builder import DataSet, item


@pytest.fixture
def data(roots: Roots) -> DataSet:
    return benchmark.write(roots)


def own_files(roots: Roots) -> list[str]:
    """Return the files in the benchmark's own folder."""
    return sorted(
        path.relative_to(roots.sku_root).as_posix()
        for path in Path(roots.benchmark_crops(SPLIT)).rglob("*.*")
    )


def test_it_has_the_gallery_and_the_queries_that_the_contract_leaves_out(
    data: DataSet, roots: Roots
) -> None:
    assert build(roots) == (3, 0, 0, 0)
    assert own_files(roots) == [STYLE_0, UNPAIRED, UNPAIRED_QUERY]
    table = read_extra_crops(roots, SPLIT).to_pydict()
    assert table["crop_path"] == own_files(roots)
    assert table["sku_uid"][0] == "validation/000001_00_08"
    assert item_paths(roots, SPLIT, [STYLE_0]) == [
        "validation/catalog/000001_00_08/000001_item2.jpg"
    ]


def test_its_crops_have_the_bytes_that_the_contract_would_give_them(
    data: DataSet, roots: Roots
) -> None:
    data.annotation(SPLIT, 3, "shop", 1, {1: item(1, 0, BOX)})
    data.raw_image(SPLIT, 3, (roots.images(SPLIT) / "000001.jpg").read_bytes())
    build(roots)
    extra = roots.crop(f"{OWN}/catalog/000001_00_01/000003_item1.jpg")
    assert extra.read_bytes() == roots.crop(IN_CONTRACT).read_bytes()


def test_a_second_run_makes_nothing_and_a_changed_image_one_crop(
    data: DataSet, roots: Roots
) -> None:
    build(roots)
    assert build(roots) == (0, 0, 0, 3)
    data.image(SPLIT, 3, seed="another")
    assert build(roots) == (0, 0, 1, 2)


def test_an_item_that_gets_a_counterpart_moves_to_the_contract(data: DataSet, roots: Roots) -> None:
    build(roots)
    data.image(SPLIT, 5)
    data.annotation(SPLIT, 5, "user", 2, {1: item(1, 1, BOX)})
    assert build(roots) == (0, 1, 0, 2)
    assert own_files(roots) == [STYLE_0, UNPAIRED_QUERY]


def test_a_contract_that_keeps_unpaired_skus_leaves_style_0(data: DataSet, roots: Roots) -> None:
    clean.build(roots, SPLIT, only_pairs=False)
    index, manifest = (
        tables.frame(tables.read(roots, name, SPLIT)) for name in ("raw_annotation_index", "crops")
    )
    assert group_benchmark(roots, SPLIT, index, manifest)["crop_path"].tolist() == [STYLE_0]


def test_finished_crops_of_a_killed_run_are_taken_over(data: DataSet, roots: Roots) -> None:
    """The journal has the rows of finished shards, as long as no manifest has been written."""
    groups, engine = groups_of(roots), SerialEngine()
    files = tables.find(roots, "files", SPLIT)
    assert files is not None
    crops = benchmark_crops(roots, SPLIT)
    plan = plan_crops(roots, crops, groups[:2], tables.frame(files), engine, only_pairs=False)
    list(build_crops(roots, [plan], groups, engine, silent))
    assert len(journal.read(roots, crops)) == 2
    again = plan_crops(roots, crops, groups, tables.frame(files), engine, only_pairs=False)
    assert again.taken_over == 2
    assert again.make["crop_path"].tolist() == [UNPAIRED_QUERY]


def test_foreign_files_are_left_alone(data: DataSet, roots: Roots) -> None:
    foreign = roots.benchmark_crops(SPLIT) / "catalog" / "notes.txt"
    foreign.parent.mkdir(parents=True)
    foreign.write_text("mine")
    build(roots)
    assert foreign.read_text() == "mine"
