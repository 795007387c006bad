"""`make rehearsal` at a toy size: everything runs, and what it finds is told in tables."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks import rehearsal
from benchmarks.builds import Result
from benchmarks.measure import PROJECT
from benchmarks.rehearsal_report import codec_limit, rehearsal_report
from df2_assets.defs.assets import all_assets

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Result:
    counts = {"train": 80, "test": 5}
    plan = rehearsal.Plan(counts, {"train": 20, "test": 2}, part=20, every=3)
    work = tmp_path_factory.mktemp("rehearsal")
    return rehearsal.rehearse(plan, rehearsal.prepare(plan, work), ui=True)


@pytest.fixture
def of_a_bench(results: Result) -> Result:
    """What `make bench` might have found on the same machine: 2 ms an image, beyond 3 s."""

    def took(seconds: float, mib: int) -> Result:
        return {"seconds": seconds, "peak_bytes": mib * 2**20}

    turn = {"nothing": took(3, 200), "smaller": {"1000": took(5, 250)}, "cold": took(43, 300)}
    return {"machine": results["machine"], "images": 20_000, "turns": [turn]}


def test_all_of_the_data_is_built_and_then_left_alone(results: Result) -> None:
    for name in ("cold", "unchanged", "nothing"):
        assert set(results[name]["splits"]) == {"train", "test"}
    cut, unchanged = (
        results[name]["splits"]["train"]["numbers"]["crops"] for name in ("cold", "unchanged")
    )
    assert cut["added"] == cut["crops"] == unchanged["crops"] > 20
    assert unchanged["images_decoded"] == unchanged["added"] == unchanged["remade"] == 0
    assert results["disk"]["files"] > cut["crops"]
    assert results["disk"]["bytes"] > cut["bytes"]


def test_the_checks_of_every_split_are_recorded(results: Result) -> None:
    for split in results["cold"]["splits"].values():
        assert "crops: files_match" in split["passed"]
    warned = results["cold"]["splits"]["test"]["warned"]
    assert any("released without annotations" in said for said in warned)


def test_the_codec_is_scaled_from_the_images_that_were_measured(results: Result) -> None:
    decoded = results["cold"]["splits"]["train"]["numbers"]["crops"]["images_decoded"]
    codec, cores = results["codec"], results["machine"]["cores"]
    assert codec["images"] == -(-decoded // 3)
    seconds = codec["decode"] + codec["encode"]
    assert codec_limit(results) == pytest.approx(seconds * decoded / codec["images"] / cores)


def test_the_ui_answers_with_the_page_of_each_asset(results: Result) -> None:
    assert set(results["pages"]) == {asset.key.path[-1] for asset in all_assets}


def test_the_report_has_a_row_a_split_and_the_warnings(results: Result) -> None:
    report = rehearsal_report(results, None)
    table = [line for line in report.splitlines() if line.startswith("|")]
    assert [line.split("|")[1].strip() for line in table if line.count("|") == 9][2:] == [
        "train",
        "test",
    ]
    assert "- test: raw_annotation_index: pairing" in report
    assert "slowest page of an asset in the UI" in report
    assert "cost of an image" not in report


def test_figures_of_a_bench_on_the_same_machine_stand_beside(
    results: Result, of_a_bench: Result
) -> None:
    report = rehearsal_report(results, of_a_bench)
    assert "cost of an image from 80 to 20,000 images" not in report
    assert "2.00 ms at 1,000, 2.00 ms at 20,000" in report
    assert "100 MiB at 20,000" in report
    of_a_bench["machine"] = {**of_a_bench["machine"], "cores": 99}
    assert "ms at 1,000" not in rehearsal_report(results, of_a_bench)


def test_nothing_is_said_of_whose_machine_it_is(results: Result) -> None:
    told = rehearsal_report(results, None) + json.dumps(results)
    for path in (Path.home(), PROJECT, Path("/tmp")):
        assert f"{path}/" not in told


def test_it_asks_before_it_fills_the_disk(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    done = CliRunner().invoke(rehearsal.main, ["--keep", str(kept)], input="n\n")
    assert done.exit_code == 1
    assert " GB " in done.output
    assert not kept.exists()
