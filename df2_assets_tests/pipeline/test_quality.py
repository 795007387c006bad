"""Measures of crops: incremental, and never of crops that are not there."""

import pytest

from df2_assets.engines.progress import silent
from df2_assets.engines.serial import SerialEngine
from df2_assets.errors import ProvenanceError
from df2_assets.pipeline.quality import Measured, measure_crops
from df2_assets.store import tables
from df2_assets.store.layout import Roots
from df2_assets_tests.checks import clean
from df2_assets_tests.support.builder import DataSet

SPLIT = "train"
CROPS = 52
OF_AN_IMAGE = 13
CROP = "train/query/000001_01_08/000003_item8.jpg"


def measure(roots: Roots) -> Measured:
    """Measure as the asset does, and write what the IO manager would."""
    manifest = tables.read(roots, "crops", SPLIT)
    measured = measure_crops(roots, SPLIT, tables.frame(manifest), SerialEngine(), silent)
    inputs = tables.digests(roots, ("crops",), SPLIT)
    tables.write(roots, "crop_quality", SPLIT, measured.table, inputs)
    return measured


def test_every_crop_on_disk_is_measured_once(disk: Roots) -> None:
    first = measure(disk)
    assert first.opened == first.table.num_rows == CROPS
    again = measure(disk)
    assert again.opened == 0
    assert again.table.equals(first.table)


def test_every_table_of_crops_identifies_their_skus_across_splits(disk: Roots) -> None:
    measure(disk)
    groups = tables.read(disk, "sku_groups", SPLIT).to_pylist()
    wanted = {row["crop_path"]: f"{SPLIT}/{row['sku_id']}" for row in groups}
    for asset in ("sku_groups", "crops", "crop_quality"):
        rows = tables.read(disk, asset, SPLIT).to_pylist()
        assert {row["crop_path"]: row["sku_uid"] for row in rows} == wanted, asset


def test_only_crops_with_new_bytes_are_opened(disk: Roots) -> None:
    before = measure(disk)
    DataSet(disk.df2_root).image(SPLIT, 3, clean.SIZE, seed="another picture")
    clean.build(disk)
    after = measure(disk)
    assert after.opened == OF_AN_IMAGE
    then, now = (
        dict(zip(one.table["crop_path"].to_pylist(), one.table["phash"].to_pylist(), strict=True))
        for one in (before, after)
    )
    changed = {path for path in now if now[path] != then[path]}
    assert len(changed) == OF_AN_IMAGE
    assert all("/000003_item" in path for path in changed)


def test_crops_that_are_gone_lose_their_rows(disk: Roots) -> None:
    measure(disk)
    (disk.annotations(SPLIT) / "000004.json").unlink()
    clean.build(disk)
    measured = measure(disk)
    assert (measured.opened, measured.table.num_rows) == (0, CROPS - OF_AN_IMAGE)


def test_a_crop_that_vanished_is_named_with_the_remedy(disk: Roots) -> None:
    disk.crop(CROP).unlink()
    with pytest.raises(ProvenanceError, match=f"{CROP}.*build --split {SPLIT}"):
        measure(disk)
