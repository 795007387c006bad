"""`df2-assets variants`, and variants in `verify`, the jobs and the default build."""

import os
from pathlib import Path

import pytest

from df2_assets.definitions import build_defs
from df2_assets.store.layout import Roots
from df2_assets.store.variants import list_variants, read_variant
from df2_assets_tests.cli.conftest import Desk
from df2_assets_tests.support.site import CROPS, DECODED, SPLIT, TOP, TROUSERS, Site
from df2_assets_tests.support.snapshots import contract

TWO = "variants: {square: {square: pad, size: 64}, plain: {format: webp}}"


@pytest.fixture
def two(tmp_path: Path) -> str:
    """A file that declares two variants."""
    return declare(tmp_path, TWO)


@pytest.fixture
def site(site: Site) -> Site:
    """A copy of the site that is built from its own copy of the data set."""
    site.build()
    return site


def declare(folder: Path, text: str) -> str:
    (folder / "variants.yaml").write_text(text)
    return str(folder / "variants.yaml")


def files(roots: Roots) -> dict[str, bytes]:
    folder = Path(roots.variants)
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_build_makes_no_variant(original: Site) -> None:
    assert not original.roots.variants.exists()
    job = build_defs(original.settings).resolve_job_def("build_dataset")
    keys = {key.path[-1] for key in job.asset_layer.executable_asset_keys}
    assert "crop_variants" not in keys


def test_without_a_declaration_the_command_names_the_setting(desk: Desk, site: Site) -> None:
    result = desk.run("variants")
    assert result.exit_code == 1
    assert "no crop variants are declared: set DF2_VARIANTS" in result.output.replace("No", "no")


@pytest.mark.slow
def test_variants_are_made_checked_and_then_up_to_date_and_the_contract_stays(
    desk: Desk, site: Site, two: str
) -> None:
    before = contract(site.sku)
    (split,) = desk.json("variants", "--variants", two)["splits"]
    numbers = split["numbers"]["crop_variants"]
    assert (numbers["added"], numbers["images_decoded"]) == (2 * CROPS, DECODED)
    assert (numbers["variants"], numbers["files"], numbers["failed"]) == (2, 2 * CROPS, 0)
    assert split["passed"] == ["crop_variants: variants_match"]
    assert [(of["name"], of["files"]) for of in split["variants"]] == [
        ("plain", CROPS),
        ("square", CROPS),
    ]
    assert contract(site.sku) == before
    assert (site.roots.own / "report/pictures/crop_variants.contact_sheet").is_dir()
    again = desk.run("variants")
    assert again.exit_code == 0
    assert "Everything is up to date." in again.output
    assert "kept the crop variants square, plain" in again.output
    assert str(site.roots.variants) in again.output
    site.build()
    assert contract(site.sku) == before
    assert desk.run("verify", "--deep").exit_code == 0
    gone = desk.run("variants", DF2_VARIANTS="none")
    assert gone.exit_code == 0
    assert "Not declared any more: plain (15 files), square (15 files)" in gone.output
    assert list_variants(site.roots, SPLIT) == []
    assert not site.roots.variants.exists()
    assert contract(site.sku) == before


@pytest.mark.slow
def test_a_change_of_the_data_set_reaches_each_variant_and_only_its_crops(
    desk: Desk, site: Site, two: str
) -> None:
    assert desk.run("variants", "--variants", two).exit_code == 0
    site.data.image(SPLIT, 12, (160, 120), seed="other")
    site.add_image()
    site.build()
    damaged = desk.json("verify", exit_code=1)["splits"][0]["problems"]
    assert {problem["repair"] for problem in damaged} == {"variants"}
    (split,) = desk.json("variants")["splits"]
    numbers = split["numbers"]["crop_variants"]
    assert (numbers["added"], numbers["remade"], numbers["images_decoded"]) == (2, 4, 2)
    made = files(site.roots)
    desk.run("variants", DF2_VARIANTS="none")
    desk.run("variants", "--variants", two)
    assert files(site.roots) == made
    assert desk.run("verify").exit_code == 0


@pytest.mark.slow
def test_an_annotation_that_changes_only_its_polygons_makes_only_cut_outs_again(
    desk: Desk, site: Site, tmp_path: Path
) -> None:
    text = "variants: {cut: {cut_out: white}, plain: {}}"
    assert desk.run("variants", "--variants", declare(tmp_path, text)).exit_code == 0
    shape = {"segmentation": [[10, 10, 60, 10, 60, 80]]}
    site.describe(12, {1: TOP | shape, 3: TROUSERS})
    site.build()
    (split,) = desk.json("variants")["splits"]
    assert split["numbers"]["crop_variants"]["images_decoded"] == 1
    assert split["numbers"]["crop_variants"]["remade"] == 1
    manifest = read_variant(site.roots, SPLIT, "cut")
    assert set(manifest["reason"].drop_null().to_pylist()) == {"no_area"}
    assert desk.run("verify").exit_code == 0


@pytest.mark.slow
def test_verify_names_damaged_files_and_marks_them_for_the_next_run(
    desk: Desk, site: Site, two: str
) -> None:
    assert desk.run("variants", "--variants", two).exit_code == 0
    before = files(site.roots)
    manifest = read_variant(site.roots, SPLIT, "square")
    paths = manifest["variant_path"].to_pylist()
    first, second = paths[0], next(path for path in paths if path.endswith("000012_item1.jpg"))
    path = site.sku / first
    status = path.stat()
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 255
    path.write_bytes(data)
    os.utime(path, ns=(status.st_mtime_ns, status.st_mtime_ns))
    (site.sku / second).unlink()
    shallow = desk.run("verify")
    assert second in shallow.output
    assert first not in shallow.output
    assert f"to repair 1 of 1 problem: df2-assets variants --split {SPLIT}" in shallow.output
    (split,) = desk.json("verify", "--deep", exit_code=1)["splits"]
    assert {problem["path"] for problem in split["problems"]} == {first, second}
    assert split["marked"] == [first]
    assert desk.run("variants").exit_code == 0
    assert files(site.roots) == before
    assert desk.run("verify", "--deep").exit_code == 0
