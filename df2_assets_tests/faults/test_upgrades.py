"""Outputs of older code, of a newer release, and of another data set."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from df2_assets.cli import main
from df2_assets.dataset import annotations, cropping
from df2_assets.exports.build import export
from df2_assets.pipeline import indexing
from df2_assets.store import state, tables
from df2_assets_tests.faults.conftest import Faults
from df2_assets_tests.support.builder import DataSet
from df2_assets_tests.support.compare import assert_same_output
from df2_assets_tests.support.run import build, read_table
from df2_assets_tests.support.site import CROPS, DECODED, SIZE, SPLIT, USER_TOP, Site, only
from df2_assets_tests.support.snapshots import Stamp, contract, stamp

TABLES = ("files", "raw_annotation_index", "sku_groups", "crops", "refusals")


@pytest.fixture
def site(original: Site, tmp_path: Path, faults: Faults) -> Site:
    """Build a site, move it, and build it again."""
    faults.count("upgrades")
    site = original.copy(tmp_path)
    site.build()
    return site


def run(site: Site, command: str) -> Result:
    """Run a command in the folder of a site, as a user does."""
    return CliRunner().invoke(main, [command], env=site.environment())


def files(sku_root: Path) -> dict[str, tuple[bytes, Stamp]]:
    """Return everything under a SKU_ROOT except locks and the findings about the input."""
    passing = ("locks", "deepfashion2.layout")
    return {
        str(path.relative_to(sku_root)): (path.read_bytes(), stamp(path))
        for path in sorted(sku_root.rglob("*"))
        if path.is_file() and path.parent.name not in passing
    }


def assert_refused(site: Site, *messages: str, assets: tuple[str, ...]) -> None:
    """Assert that every entry point refuses to build a site, says why, and changes nothing."""
    before = files(site.sku)
    results = [run(site, command) for command in ("build", "plan")]
    launched = site.materialize(*assets)
    for result in results:
        assert result.exit_code == 1
        assert "Traceback" not in result.output
    for text in (*(result.output for result in results), launched or ""):
        assert [message for message in messages if message not in text] == [], text
    assert files(site.sku) == before


def test_other_code_for_crops_makes_every_crop_again_from_one_decode_per_image_and_says_so(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = cropping.encoder()
    monkeypatch.setattr(cropping, "CODE_VERSION", "other")
    assert cropping.encoder().endswith(" codeother")
    note = f"crops rebuilt: {before} -> {cropping.encoder()}"

    planned = run(site, "plan")
    outcome = site.build()

    assert f"note: {SPLIT}: {note}" in planned.output
    assert outcome.notes == [note]
    assert outcome.numbers["crops"]["remade"] == CROPS
    assert outcome.numbers["crops"]["images_decoded"] == DECODED
    assert_same_output(site.sku, site.read_independently())
    again = run(site, "build").output
    assert "rebuilt" not in again
    assert "up to date" in again


def test_other_code_for_annotations_reads_them_all_again_and_no_image(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions = f"code version {annotations.CODE_VERSION} -> other"
    monkeypatch.setattr(indexing, "CODE_VERSION", "other")
    assert versions in run(site, "plan").output
    outcome = site.build()
    assert outcome.notes == [f"raw_annotation_index rebuilt: {versions}"]
    assert outcome.numbers["raw_annotation_index"]["annotations_read"] == 10
    assert outcome.numbers["crops"]["images_decoded"] == 0
    assert site.build().notes == []


@pytest.mark.parametrize("asset", TABLES)
def test_a_table_of_another_form_is_made_again_and_no_crop_but_for_the_manifest_of_crops(
    site: Site, original: Site, asset: str
) -> None:
    """Older code would have written the table without its last column."""
    site.data.raw_annotation(SPLIT, 41, b"{")  # of an image that no SKU needs
    site.build()
    refused = read_table(site.sku, "refusals", SPLIT)
    path = site.roots.table(asset, SPLIT)
    table = pq.read_table(path)
    pq.write_table(table.drop_columns(table.column_names[-1]), path)
    outcome = site.build()
    decoded = DECODED if asset == "crops" else 0
    assert outcome.numbers["crops"]["images_decoded"] == decoded
    assert any(note.startswith("crops rebuilt") for note in outcome.notes) == bool(decoded)
    assert_same_output(site.sku, original.sku)
    assert tables.find(site.roots, asset, SPLIT) is not None
    assert refused["reason"].tolist() == ["unreadable_json"]
    assert read_table(site.sku, "refusals", SPLIT).equals(refused)


def test_tables_from_before_there_was_sku_uid_are_read_and_written_with_it(site: Site) -> None:
    """Older code wrote no `sku_uid`. No crop is cut again for it."""
    before, roots = contract(site.sku), site.roots
    for asset, source in (("sku_groups", "raw_annotation_index"), ("crops", "sku_groups")):
        table = tables.find(roots, asset, SPLIT)
        assert table is not None
        inputs = tables.digests(roots, [source], SPLIT)
        tables.write(roots, asset, SPLIT, table.drop_columns("sku_uid"), inputs)
        assert tables.read(roots, asset, SPLIT) == table
    made_from = state.source_of_metadata(roots, SPLIT)
    older = msgspec.structs.replace(state.load(roots, SPLIT), sku_metadata_of=made_from)
    state.save(roots, SPLIT, older)
    export(roots, SPLIT, "table")
    outcome = site.build()
    assert outcome.notes == []
    assert outcome.numbers["crops"]["images_decoded"] == 0
    assert contract(site.sku) == before
    for asset in ("sku_groups", "crops"):
        assert "sku_uid" in pq.read_schema(roots.table(asset, SPLIT)).names


@pytest.mark.parametrize("asset", TABLES)
def test_what_a_newer_release_built_is_refused_and_not_touched(site: Site, asset: str) -> None:
    """A later release may write a higher format number, and a further column."""
    path = site.roots.table(asset, SPLIT)
    table = pq.read_table(path)
    own = table.schema.metadata[b"df2_assets"]
    number = f'"format": {tables.FORMAT}'.encode()
    assert number in own
    newer = own.replace(number, f'"format": {tables.FORMAT + 1}'.encode())
    table = table.append_column("more", [[0] * len(table)])
    pq.write_table(table.replace_schema_metadata({b"df2_assets": newer}), path)
    site.annotation(11).unlink()  # a build would remove crops

    message = f"{path} was written by a newer release of df2-assets (format 2; this one knows 1)"
    assert_refused(site, message, assets=("raw_annotation_index", "sku_groups", "crops"))


@pytest.fixture
def other_site(site: Site, tmp_path: Path) -> Site:
    """Write another data set for the same SKU_ROOT: the same ids, other images."""
    data = DataSet(tmp_path / "another")
    shutil.copytree(site.data.root, data.root)
    for number, path in enumerate(sorted((data.root / SPLIT / "image").iterdir())):
        data.image(SPLIT, int(path.stem), (SIZE[0] + 10 + number, SIZE[1]))
    return Site(data, site.sku)


def test_another_data_set_in_the_same_place_is_refused_before_anything_is_deleted(
    site: Site, other_site: Site
) -> None:
    other_site.annotation(11).unlink()
    messages = (f"was built from {site.data.root}", "this is another data set")
    assert_refused(other_site, *messages, assets=("raw_annotation_index",))
    assert not site.build().changed


def test_another_data_set_takes_the_place_once_that_is_asked_for(other_site: Site) -> None:
    remedy = run(other_site, "plan").output.partition("or remove ")[2].split()[0]
    Path(remedy).unlink()
    other_site.build()
    assert contract(other_site.sku) == other_site.clean_build()
    assert not other_site.build().changed


def test_a_part_of_a_build_does_not_mix_two_data_sets(site: Site, other_site: Site) -> None:
    site.crop(USER_TOP).unlink()
    before = files(site.sku)
    message = other_site.materialize("crops")
    assert message is not None
    assert f"was read from {site.data.root}" in message
    assert "rerun raw_annotation_index" in message
    assert files(site.sku) == before


def link(path: Path, target: Path) -> None:
    target.symlink_to(path)


@pytest.mark.parametrize("move", [Path.rename, link])
def test_a_data_set_may_move_or_be_named_by_a_link(
    site: Site, tmp_path: Path, move: Callable[[Path, Path], object]
) -> None:
    moved = Site(DataSet(tmp_path / "elsewhere"), site.sku)
    move(site.data.root, moved.data.root)
    numbers = moved.build().numbers
    assert numbers["raw_annotation_index"]["annotations_read"] == 0
    assert numbers["crops"]["images_decoded"] == 0
    assert str(moved.data.root) in (site.sku / f"{SPLIT}_sku_metadata.json").read_text()


def change_images(site: Site, count: int) -> None:
    for path in sorted((site.data.root / SPLIT / "image").iterdir())[:count]:
        path.write_bytes(path.read_bytes() + b"\0")


@pytest.mark.parametrize(("changed", "well"), [(5, True), (6, False)])
def test_a_moved_data_set_is_the_same_as_long_as_half_of_its_images_are(
    site: Site, tmp_path: Path, changed: int, well: bool
) -> None:
    moved = Site(DataSet(tmp_path / "elsewhere"), site.sku)
    shutil.copytree(site.data.root, moved.data.root)
    change_images(moved, changed)
    assert (run(moved, "build").exit_code == 0) == well


def test_where_a_data_set_lies_every_image_of_it_may_be_exchanged(site: Site) -> None:
    change_images(site, 10)
    assert site.build().numbers["crops"]["images_decoded"] == DECODED


def test_a_few_images_do_not_distinguish_data_sets(tmp_path: Path, faults: Faults) -> None:
    faults.count("upgrades")
    site = Site(DataSet(tmp_path / "df2"), tmp_path / "sku")
    for number in range(1, 10):
        site.data.image(SPLIT, number, SIZE)
    (site.data.root / SPLIT / "annos").mkdir()
    only(build(site.data.root, site.sku, workers=1))
    moved = Site(DataSet(tmp_path / "elsewhere"), site.sku)
    os.rename(site.data.root, moved.data.root)
    change_images(moved, 9)
    moved.build()
