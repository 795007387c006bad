"""`df2-assets export`, and exports in `verify`, the jobs and the default build."""

import re
from pathlib import Path

import dagster as dg
import pytest

from df2_assets.definitions import build_defs
from df2_assets.exports import EXPORTS
from df2_assets_tests.cli.conftest import Desk
from df2_assets_tests.defs.platform import evaluations, made
from df2_assets_tests.support.site import CROPS, QUIET, SPLIT, Site
from df2_assets_tests.support.snapshots import stamp


def test_the_help_lists_every_export(desk: Desk) -> None:
    listed = desk.run("export", "--help").output.partition("Exports:\n")[2].splitlines()
    assert [tuple(line.split(maxsplit=1)) for line in listed] == [
        (export.name, export.title) for export in EXPORTS.values()
    ]


def test_a_build_makes_no_export(original: Site) -> None:
    assert not (original.roots.own / "exports").exists()
    job = build_defs(original.settings).resolve_job_def("build_dataset")
    assert not {key.path[-1] for key in job.asset_layer.executable_asset_keys} & set(EXPORTS)


def test_the_named_exports_are_written_checked_and_then_up_to_date(desk: Desk, site: Site) -> None:
    (split,) = desk.json("export", "open_clip", "coco")["splits"]
    assert split["split"] == SPLIT
    assert split["numbers"].keys() == {"open_clip", "coco"}
    for numbers in split["numbers"].values():
        names = ("rows", "files", "written", "unchanged")
        assert [numbers[name] for name in names] == [CROPS, 2, 2, 0]
    assert sorted(split["passed"]) == ["coco: matches_image_text", "open_clip: matches_image_text"]
    assert {path.name for path in (site.roots.own / "exports").iterdir()} == {"open_clip", "coco"}
    again = desk.run("export", "open_clip", "coco")
    assert again.exit_code == 0
    assert "Everything is up to date." in again.output
    assert str(site.roots.own / "exports") in again.output


@pytest.mark.slow
def test_all_exports_of_all_built_splits_are_written(desk: Desk, site: Site) -> None:
    result = desk.run("export", "all")
    assert result.exit_code == 0, result.output
    for name in EXPORTS:
        assert (site.roots.export(name, SPLIT) / "README.md").is_file()
        assert re.search(rf"^{SPLIT} +{name} ", result.output, re.MULTILINE)
    assert "up to date" not in result.output
    assert "validation" not in result.output
    assert desk.run("verify", "--deep").exit_code == 0


@pytest.mark.slow
def test_verify_names_damaged_and_outdated_exports_and_the_command_that_repairs_them(
    desk: Desk, site: Site
) -> None:
    assert desk.run("export", "webdataset", "coco").exit_code == 0
    (site.roots.export("webdataset", SPLIT) / "sizes.json").unlink()
    damaged = desk.run("verify")
    assert damaged.exit_code == 1
    assert "_df2_assets/exports/webdataset/train/sizes.json" in damaged.output
    assert (
        "to repair 1 of 1 problem: df2-assets export webdataset --split train\n" in damaged.output
    )
    site.add_image()
    site.build()
    (split,) = desk.json("verify", exit_code=1)["splits"]
    assert [(problem["check"], problem["repair"]) for problem in split["problems"]] == [
        ("webdataset: matches_image_text", "export webdataset"),
        ("coco: matches_image_text", "export coco"),
    ]


@pytest.mark.slow
def test_a_variant_is_exported_beside_the_crops_and_named_in_every_message(
    desk: Desk, site: Site, tmp_path: Path
) -> None:
    declared = tmp_path / "variants.yaml"
    declared.write_text("variants: {small: {square: pad, size: 32, format: png}}")
    missing = desk.run("export", "coco", "--variant", "small")
    assert missing.exit_code == 1
    assert "has no crop variant 'small'" in missing.output
    assert f"df2-assets variants --split {SPLIT}" in missing.output
    lacks = desk.run("export", "coco")
    assert (
        "note: train: coco has no masks and landmarks. The index of train was read" in lacks.output
    )
    site.build()  # of another folder than the index was read from
    assert desk.run("variants", "--variants", str(declared)).exit_code == 0
    both = desk.run("export", "coco", "open_clip")
    assert (both.exit_code, "note: " in both.output) == (0, False)
    result = desk.run("export", "coco", "open_clip", "--variant", "small")
    assert result.exit_code == 0, result.output
    assert re.search(rf"^{SPLIT} +coco@small .* passed$", result.output, re.MULTILINE)
    table = site.roots.exports / "open_clip@small" / SPLIT / f"{SPLIT}.tsv"
    paths = [line.split("\t")[0] for line in table.read_text().splitlines()[1:]]
    assert len(paths) == CROPS
    assert all((site.roots.sku_root / path).suffix == ".png" for path in paths)
    assert "up to date" in desk.run("export", "coco", "--variant", "small").output
    assert desk.run("verify", "--deep").exit_code == 0

    site.add_image()
    site.build()
    assert desk.run("export", "coco").exit_code == 0, "another variant only gives a warning"
    stale = desk.run("export", "coco", "--variant", "small")
    assert (stale.exit_code, "was made from other crops" in stale.output) == (1, True)
    assert desk.run("variants").exit_code == 0
    warned = desk.run("export", "coco")
    assert re.search(rf"^{SPLIT} +coco .* warned$", warned.output, re.MULTILINE)
    problems = desk.run("verify").output
    for command in ("export open_clip", "export open_clip coco --variant small"):
        assert re.search(rf"df2-assets {command} --split {SPLIT}", problems)


@pytest.mark.slow
def test_a_check_that_fails_fails_the_command(desk: Desk, site: Site) -> None:
    assert desk.run("export", "pairs").exit_code == 0
    (site.roots.export("pairs", SPLIT) / "mine.txt").write_text("mine")
    result = desk.run("export", "pairs")
    assert result.exit_code == 1
    assert "FAILED" in result.output
    assert "mine.txt: not a file of this export: move it away" in result.output


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("export",), "Missing argument 'NAME...'"),
        (("export", "cocoa"), "'cocoa' is not one of 'webdataset'"),
        (("export", "coco", "--split", "val"), "There is no split 'val'"),
        (("export", "coco", "--split", "validation"), "run df2-assets build --split validation"),
    ],
)
def test_wrong_use_prints_one_or_two_lines(desk: Desk, words: tuple[str, ...], says: str) -> None:
    result = desk.run(*words)
    assert result.exit_code in (1, 2)
    assert says in result.output


@pytest.mark.slow
def test_the_job_and_a_selection_in_the_ui_do_the_same(site: Site) -> None:
    assert site.build().success
    assert site.materialize("croissant") is None
    first = stamp(site.roots.export("croissant", SPLIT) / "croissant.json")
    with dg.DagsterInstance.ephemeral() as instance:
        job = build_defs(site.settings).resolve_job_def("build_exports")
        result = job.execute_in_process(QUIET, instance=instance, partition_key=SPLIT)
        assert result.success
        assert {asset for asset, _ in evaluations(result)} == set(EXPORTS)
        assert made(result).keys() == set(EXPORTS)
        metadata = made(result)["croissant"].metadata
        assert metadata["written"].value == 0
        assert "non-commercial" in str(metadata["data_card"].value)
        judged = build_defs(site.settings).resolve_job_def("check_only")
        evaluated = judged.execute_in_process(QUIET, instance=instance, partition_key=SPLIT)
        assert {asset for asset, _ in evaluations(evaluated)} > set(EXPORTS)
    assert stamp(site.roots.export("croissant", SPLIT) / "croissant.json") == first
