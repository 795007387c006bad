"""Outputs of an earlier release, of a newer one, of other code, and of another data set."""

import os
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from df2_assets.cli import main
from df2_assets.dataset import cropping
from df2_assets.pipeline import indexing, planning
from df2_assets.store import tables
from df2_assets_tests.faults.conftest import Figures
from df2_assets_tests.support.builder import DataSet
from df2_assets_tests.support.compare import assert_same_output
from df2_assets_tests.support.run import build
from df2_assets_tests.support.site import (
    CROPS,
    DECODED,
    SIZE,
    SPLIT,
    USER_TOP,
    Site,
    only,
    write_and_build,
)
from df2_assets_tests.support.snapshots import Stamp, contract, stamp

EARLIER = Path(__file__).parent / "kept" / "earlier_release.tar.xz"
"""A data set with three refusals, and what the first release that could build made of it.

Its tables have no format number, its state another form, its crops an encoder of that day.
"""
EARLIER_ENCODER = "q95 pillow13.0.0 libjpeg3.2.0 code1"
TABLES = ("files", "raw_annotation_index", "sku_groups", "crops", "refusals")


@pytest.fixture
def earlier(tmp_path: Path, figures: Figures) -> Site:
    figures.count("upgrades")
    with tarfile.open(EARLIER) as archive:
        archive.extractall(tmp_path, filter="data")
    return Site(DataSet(tmp_path / "DeepFashion2"), tmp_path / "DeepFashion2_SKU")


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return write_and_build(tmp_path_factory.mktemp("original"))


@pytest.fixture
def site(original: Site, tmp_path: Path, figures: Figures) -> Site:
    """Built, and built again where it has come to lie."""
    figures.count("upgrades")
    site = original.copy(tmp_path)
    site.build()
    return site


class Said(NamedTuple):
    status: int
    text: str


Command = Callable[..., Said]


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> Command:
    """A command as a person runs it where a site is."""
    home = tmp_path_factory.mktemp("home")

    def run(site: Site, *words: str) -> Said:
        environment = {
            "DF2_ROOT": str(site.data.root),
            "SKU_ROOT": str(site.sku),
            "DAGSTER_HOME": str(home),
            "SPLITS": SPLIT,
            "DF2_WORKERS": "1",
            "DF2_MAX_REFUSED": "1",
        }
        done = CliRunner().invoke(main, words, env=environment)
        return Said(done.exit_code, done.output)

    return run


def files(sku_root: Path) -> dict[str, tuple[bytes, Stamp]]:
    """Everything under a SKU_ROOT but locks and the results of checks of the input."""
    passing = ("locks", "deepfashion2.layout")
    return {
        str(path.relative_to(sku_root)): (path.read_bytes(), stamp(path))
        for path in sorted(sku_root.rglob("*"))
        if path.is_file() and path.parent.name not in passing
    }


def test_an_output_of_an_earlier_release_is_read_and_nothing_is_made_again(
    earlier: Site, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "encoder", lambda: EARLIER_ENCODER)
    crops = contract(earlier.sku)

    said = command(earlier, "build")
    run = earlier.build()

    assert said.status == 0, said.text
    assert "rebuilt" not in said.text
    assert not run.changed
    assert run.numbers["raw_annotation_index"]["annotations_read"] == 0
    assert run.numbers["crops"]["images_decoded"] == 0
    assert earlier.complete
    after = contract(earlier.sku)
    document = f"{SPLIT}_sku_metadata.json"
    assert after.pop(document) != crops.pop(document)  # it names the roots, and they have moved
    assert after == crops
    assert_same_output(earlier.sku, earlier.read_anew())
    assert command(earlier, "verify", "--deep").status == 0


def test_what_an_earlier_release_refused_is_still_refused(earlier: Site, command: Command) -> None:
    before = tables.frame(tables.read(earlier.roots, "refusals", SPLIT))
    assert command(earlier, "build").status == 0
    after = tables.frame(tables.read(earlier.roots, "refusals", SPLIT))
    assert before["reason"].tolist() == ["wrong_field", "unreadable_json", "unreadable_image"]
    assert after.equals(before)


def test_other_code_for_crops_makes_every_crop_anew_and_says_so(
    earlier: Site, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cropping, "CODE_VERSION", "2")
    expected = f"crops rebuilt: {EARLIER_ENCODER} -> {cropping.encoder()}"
    assert expected.endswith(" code2")

    planned = command(earlier, "plan")
    said = command(earlier, "build")
    assert f"note: {SPLIT}: {expected}" in planned.text
    assert f"note: {SPLIT}: {expected}" in said.text
    assert_same_output(earlier.sku, earlier.read_anew())

    again = command(earlier, "build")
    assert "rebuilt" not in again.text
    assert "up to date" in again.text


def test_other_code_for_crops_opens_each_image_once(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cropping, "CODE_VERSION", "2")
    run = site.build()
    assert run.numbers["crops"]["remade"] == CROPS
    assert run.numbers["crops"]["images_decoded"] == DECODED
    assert [note.partition(":")[0] for note in run.notes] == ["crops rebuilt"]


def test_other_code_for_annotations_reads_them_all_anew_and_no_image(
    site: Site, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "CODE_VERSION", "3")
    assert "code version 2 -> 3" in command(site, "plan").text
    run = site.build()
    assert run.notes == ["raw_annotation_index rebuilt: code version 2 -> 3"]
    assert run.numbers["raw_annotation_index"]["annotations_read"] == 10
    assert run.numbers["crops"]["images_decoded"] == 0
    assert site.build().notes == []


def test_a_manifest_of_another_form_has_the_crops_made_anew_and_says_so(site: Site) -> None:
    path = site.roots.table("crops", SPLIT)
    pq.write_table(pq.read_table(path).drop_columns("sha256"), path)
    run = site.build()
    assert run.numbers["crops"]["images_decoded"] == DECODED
    assert [note.partition(":")[0] for note in run.notes] == ["crops rebuilt"]


def write_as_newer(site: Site, asset: str) -> None:
    """What a later release may leave: a format number that is ours and one, and a column more."""
    path = site.roots.table(asset, SPLIT)
    table = pq.read_table(path)
    own = table.schema.metadata[b"df2_assets"]
    number = f'"format": {tables.FORMAT}'.encode()
    assert number in own
    newer = own.replace(number, f'"format": {tables.FORMAT + 1}'.encode())
    table = table.append_column("more", [[0] * len(table)])
    pq.write_table(table.replace_schema_metadata({b"df2_assets": newer}), path)


@pytest.mark.parametrize("asset", TABLES)
def test_what_a_newer_release_built_is_refused_and_not_touched(
    site: Site, command: Command, asset: str
) -> None:
    write_as_newer(site, asset)
    site.annotation(11).unlink()  # a build would remove crops
    before = files(site.sku)

    built, planned = command(site, "build"), command(site, "plan")
    launched = site.materialize("raw_annotation_index", "sku_groups", "crops")

    for status, text in (built, planned):
        assert status == 1
        assert "was written by a newer release of df2-assets (format 2; this one knows 1)" in text
        assert str(site.roots.table(asset, SPLIT)) in text
        assert "Traceback" not in text
    assert launched is not None
    assert "was written by a newer release" in launched
    assert files(site.sku) == before


@pytest.fixture
def another(site: Site, tmp_path: Path) -> Site:
    """Another data set, pointed at the same SKU_ROOT: the same ids, other images."""
    data = DataSet(tmp_path / "another")
    shutil.copytree(site.data.root, data.root)
    for number, path in enumerate(sorted((data.root / SPLIT / "image").iterdir())):
        data.image(SPLIT, int(path.stem), (SIZE[0] + 10 + number, SIZE[1]))
    return Site(data, site.sku)


def test_another_data_set_in_the_same_place_is_refused_before_anything_is_deleted(
    site: Site, command: Command, another: Site
) -> None:
    another.annotation(11).unlink()
    before = files(site.sku)

    built, planned = command(another, "build"), command(another, "plan")
    launched = another.materialize("raw_annotation_index")

    for status, text in (built, planned):
        assert status == 1
        assert f"was built from {site.data.root}" in text
        assert "this is another data set" in text
        assert "Traceback" not in text
    assert launched is not None
    assert "this is another data set" in launched
    assert files(site.sku) == before
    assert not site.build().changed


def test_another_data_set_takes_the_place_once_that_is_asked_for(
    another: Site, command: Command
) -> None:
    remedy = command(another, "plan").text.partition("or remove ")[2].split()[0]
    Path(remedy).unlink()
    another.build()
    assert contract(another.sku) == another.clean_build()
    assert not another.build().changed


def test_a_part_of_a_build_does_not_mix_two_data_sets(site: Site, another: Site) -> None:
    site.crop(USER_TOP).unlink()
    before = files(site.sku)
    message = another.materialize("crops")
    assert message is not None
    assert f"was read from {site.data.root}" in message
    assert "rerun raw_annotation_index" in message
    assert files(site.sku) == before


def test_a_data_set_may_move(site: Site, tmp_path: Path) -> None:
    moved = Site(DataSet(tmp_path / "elsewhere"), site.sku)
    site.data.root.rename(moved.data.root)
    run = moved.build()
    assert run.numbers["raw_annotation_index"]["annotations_read"] == 0
    assert run.numbers["crops"]["images_decoded"] == 0
    assert str(moved.data.root) in (site.sku / f"{SPLIT}_sku_metadata.json").read_text()


def test_a_data_set_may_be_named_by_a_link(site: Site, tmp_path: Path) -> None:
    linked = Site(DataSet(tmp_path / "link"), site.sku)
    linked.data.root.symlink_to(site.data.root)
    assert linked.build().numbers["crops"]["images_decoded"] == 0


def change_images(site: Site, count: int) -> None:
    for path in sorted((site.data.root / SPLIT / "image").iterdir())[:count]:
        path.write_bytes(path.read_bytes() + b"\0")


@pytest.mark.parametrize(("changed", "well"), [(5, True), (6, False)])
def test_a_moved_data_set_is_the_same_as_long_as_half_of_its_images_are(
    site: Site, command: Command, tmp_path: Path, changed: int, well: bool
) -> None:
    moved = Site(DataSet(tmp_path / "elsewhere"), site.sku)
    shutil.copytree(site.data.root, moved.data.root)
    change_images(moved, changed)
    assert (command(moved, "build").status == 0) == well


def test_where_a_data_set_lies_every_image_of_it_may_be_exchanged(site: Site) -> None:
    change_images(site, 10)
    assert site.build().numbers["crops"]["images_decoded"] == DECODED


@pytest.fixture
def nearly_empty(tmp_path: Path, figures: Figures) -> Site:
    figures.count("upgrades")
    data = DataSet(tmp_path / "df2")
    for number in range(1, 10):
        data.image(SPLIT, number, SIZE)
    (data.root / SPLIT / "annos").mkdir()
    site = Site(data, tmp_path / "sku")
    only(build(data.root, site.sku, workers=1))
    return site


def test_a_few_images_do_not_tell_one_data_set_from_another(
    nearly_empty: Site, tmp_path: Path
) -> None:
    moved = Site(DataSet(tmp_path / "elsewhere"), nearly_empty.sku)
    os.rename(nearly_empty.data.root, moved.data.root)
    change_images(moved, 9)
    moved.build()
