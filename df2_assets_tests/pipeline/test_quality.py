"""`crop_quality` beside a build: on demand, incremental, and never of crops that are not there."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from df2_assets.engines.local import LocalEngine
from df2_assets.engines.progress import silent
from df2_assets.errors import ProvenanceError
from df2_assets.pipeline.quality import Measured, measure_crops
from df2_assets.store import tables
from df2_assets_tests.support.site import CROPS, SPLIT, USER_TOP, Site, write_and_build


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return write_and_build(tmp_path_factory.mktemp("quality"))


@pytest.fixture
def site(built: Site, tmp_path: Path) -> Site:
    return built.copy(tmp_path)


@pytest.fixture(scope="module")
def engine() -> Iterator[LocalEngine]:
    with closing(LocalEngine(1)) as engine:
        yield engine


def measured(site: Site, engine: LocalEngine) -> Measured:
    """Measure as the asset does, and write what the IO manager would."""
    manifest = tables.read(site.roots, "crops", SPLIT)
    found = measure_crops(site.roots, SPLIT, tables.frame(manifest), engine, silent)
    made_from = tables.digests(site.roots, ("crops",), SPLIT)
    tables.write(site.roots, "crop_quality", SPLIT, found.table, made_from)
    return found


def test_every_crop_on_disk_is_measured_once(site: Site, engine: LocalEngine) -> None:
    first = measured(site, engine)
    assert first.opened == first.table.num_rows == CROPS
    again = measured(site, engine)
    assert again.opened == 0
    assert again.table.equals(first.table)


def test_only_crops_with_new_bytes_are_opened(site: Site, engine: LocalEngine) -> None:
    before = measured(site, engine)
    site.data.image(SPLIT, 12, (160, 120), seed="another picture")
    site.build()
    after = measured(site, engine)
    changed = {f"{SPLIT}/{USER_TOP}", f"{SPLIT}/query/000001_02_08/000012_item3.jpg"}
    assert after.opened == len(changed)
    then, now = (
        dict(zip(one.table["crop_path"].to_pylist(), one.table["phash"].to_pylist(), strict=True))
        for one in (before, after)
    )
    assert {path for path in now if now[path] != then[path]} == changed


def test_crops_that_are_gone_lose_their_rows(site: Site, engine: LocalEngine) -> None:
    measured(site, engine)
    site.annotation(13).unlink()
    site.build()
    found = measured(site, engine)
    assert found.opened == 0
    assert found.table.num_rows == CROPS - 1


def test_a_crop_that_vanished_is_named_with_the_remedy(site: Site, engine: LocalEngine) -> None:
    site.crop(USER_TOP).unlink()
    with pytest.raises(ProvenanceError, match=f"{USER_TOP}.*build --split {SPLIT}"):
        measured(site, engine)


def test_the_asset_leaves_the_table_and_its_checks_find_nothing(site: Site) -> None:
    assert site.materialize("crop_quality") is None
    table = tables.read(site.roots, "crop_quality", SPLIT)
    assert table.num_rows == CROPS


def test_it_is_stale_when_the_crops_have_changed(site: Site) -> None:
    site.materialize("crop_quality")
    site.data.image(SPLIT, 12, (160, 120), seed="another picture")
    site.build()
    with pytest.raises(ProvenanceError, match="rerun crop_quality"):
        tables.read(site.roots, "crop_quality", SPLIT)
