"""`df2-assets export`, and exports in `verify`, the jobs and the default build."""

import json
import re
from pathlib import Path

import dagster as dg
import pytest
from click.testing import CliRunner, Result

from df2_assets.cli import main
from df2_assets.definitions import build_defs
from df2_assets.exports import EXPORTS
from df2_assets_tests.support.site import CROPS, QUIET, SPLIT, Site, write_and_build
from df2_assets_tests.support.snapshots import stamp


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return write_and_build(tmp_path_factory.mktemp("export"))


@pytest.fixture
def site(built: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    copy = built.copy(tmp_path)
    monkeypatch.setenv("DF2_ROOT", str(copy.data.root))
    monkeypatch.setenv("SKU_ROOT", str(copy.sku))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    return copy


def run(*words: str) -> Result:
    return CliRunner().invoke(main, words)


def test_the_help_lists_every_export() -> None:
    listed = run("export", "--help").output.partition("Exports:\n")[2].splitlines()
    assert [tuple(line.split(maxsplit=1)) for line in listed] == [
        (export.name, export.title) for export in EXPORTS.values()
    ]


def test_a_build_makes_no_export(built: Site) -> None:
    assert not (built.roots.own / "exports").exists()
    job = build_defs(built.settings).resolve_job_def("build_dataset")
    assert not {key.path[-1] for key in job.asset_layer.executable_asset_keys} & set(EXPORTS)


def test_the_named_exports_are_written_checked_and_then_up_to_date(site: Site) -> None:
    said = run("export", "open_clip", "coco", "--json")
    assert said.exit_code == 0, said.output
    (split,) = json.loads(said.output)["splits"]
    assert split["split"] == SPLIT
    assert split["numbers"].keys() == {"open_clip", "coco"}
    for made in split["numbers"].values():
        assert (made["rows"], made["files"], made["written"], made["unchanged"]) == (CROPS, 2, 2, 0)
    assert sorted(split["passed"]) == [
        "coco: matches_image_text",
        "open_clip: matches_image_text",
    ]
    assert {path.name for path in (site.roots.own / "exports").iterdir()} == {"open_clip", "coco"}
    again = run("export", "open_clip", "coco")
    assert again.exit_code == 0
    assert "Everything is up to date." in again.output
    assert str(site.roots.own / "exports") in again.output


@pytest.mark.slow
def test_all_are_written_of_all_that_was_built(site: Site) -> None:
    said = run("export", "all")
    assert said.exit_code == 0, said.output
    for name in EXPORTS:
        assert (site.roots.export(name, SPLIT) / "README.md").is_file()
        assert re.search(rf"^{SPLIT} +{name} ", said.output, re.MULTILINE)
    assert "up to date" not in said.output
    assert "validation" not in said.output
    assert run("verify", "--deep").exit_code == 0


@pytest.mark.slow
def test_verify_names_damage_and_earlier_builds_and_the_command_that_repairs(site: Site) -> None:
    assert run("export", "webdataset", "coco").exit_code == 0
    (site.roots.export("webdataset", SPLIT) / "sizes.json").unlink()
    damaged = run("verify")
    assert damaged.exit_code == 1
    assert "_df2_assets/exports/webdataset/train/sizes.json" in damaged.output
    assert "df2-assets export webdataset --split train repairs 1 of 1." in damaged.output
    site.add_image()
    site.build()
    stale = run("verify", "--json")
    assert stale.exit_code == 1
    (split,) = json.loads(stale.output)["splits"]
    assert [(fault["check"], fault["repair"]) for fault in split["faults"]] == [
        ("webdataset: matches_image_text", "export"),
        ("coco: matches_image_text", "export"),
    ]


@pytest.mark.slow
def test_a_check_that_fails_fails_the_command(site: Site) -> None:
    assert run("export", "pairs").exit_code == 0
    (site.roots.export("pairs", SPLIT) / "mine.txt").write_text("mine")
    said = run("export", "pairs")
    assert said.exit_code == 1
    assert "FAILED" in said.output
    assert "mine.txt: not a file of this export: move it away" in said.output


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("export",), "Missing argument 'NAME...'"),
        (("export", "cocoa"), "'cocoa' is not one of 'webdataset'"),
        (("export", "coco", "--split", "val"), "There is no split 'val'"),
        (("export", "coco", "--split", "validation"), "run df2-assets build --split validation"),
    ],
)
def test_what_cannot_be_is_said_in_a_line_or_two(
    site: Site, words: tuple[str, ...], says: str
) -> None:
    said = run(*words)
    assert said.exit_code in (1, 2)
    assert says in said.output
    assert "Traceback" not in said.output


@pytest.mark.slow
def test_the_job_and_the_ui_s_selection_do_the_same(site: Site) -> None:
    assert site.build().success
    assert site.materialize("croissant") is None
    first = stamp(site.roots.export("croissant", SPLIT) / "croissant.json")
    with dg.DagsterInstance.ephemeral() as instance:
        job = build_defs(site.settings).resolve_job_def("build_exports")
        result = job.execute_in_process(QUIET, instance=instance, partition_key=SPLIT)
        assert result.success
        assert {check.asset_key.path[-1] for check in result.get_asset_check_evaluations()} == {
            *EXPORTS
        }
        made = {
            event.asset_key.path[-1]
            for event in result.get_asset_materialization_events()
            if event.asset_key
        }
        assert made == set(EXPORTS)
        metadata = result.asset_materializations_for_node("croissant")[0].metadata
        assert metadata["written"].value == 0
        assert "non-commercial" in str(metadata["data_card"].value)
        judged = build_defs(site.settings).resolve_job_def("check_only")
        evaluated = judged.execute_in_process(QUIET, instance=instance, partition_key=SPLIT)
        keys = {check.asset_key.path[-1] for check in evaluated.get_asset_check_evaluations()}
        assert keys > set(EXPORTS)
    assert stamp(site.roots.export("croissant", SPLIT) / "croissant.json") == first
