"""`make bench` at a toy size: everything runs and is shown in tables."""

import pandas as pd
import pytest

from benchmarks import bench, prediction
from benchmarks.builds import read_number
from benchmarks.figures import Result, count_cores

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """One turn, with runs on one core as well, and with few workers to start."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bench, "CORES", (1,))
        patch.setattr(prediction, "ADDED_WORKERS", 2)
        return bench.measure(tmp_path_factory.mktemp("bench"), images=160, turns=1)


@pytest.fixture
def turn(results: Result) -> Result:
    return dict(results["turns"][0])


def test_a_turn_measures_every_command(turn: Result) -> None:
    builds = [turn[name] for name in ("nothing", "nothing_of_three", "cold", "unchanged")]
    builds += [turn["changed"], turn["recipe"], turn["pool"], *turn["smaller"].values()]
    for numbers in [*builds, *turn["workers"].values()]:
        assert numbers["cpu"] >= numbers["main"] > 0
        assert numbers["peak_bytes"] > 10 * 2**20
    assert min(turn[name] for name in ("plan", "explain", "verify")) > 0
    assert list(turn["nothing_of_three"]["splits"]) == ["test", "validation", "train"]
    assert list(turn["smaller"]) == ["8", "40"]
    assert {"1", "2"} <= set(turn["workers"])
    crops = read_number(turn["cold"], "crops", "crops")
    assert turn["codec"]["crops"] == crops == read_number(turn["cold"], "crops", "added") > 20
    assert turn["codec"]["images"] == read_number(turn["cold"], "crops", "images_decoded")
    assert read_number(turn["unchanged"], "crops", "crops") == crops
    assert read_number(turn["unchanged"], "crops", "images_decoded") == 0


def test_only_the_recipe_works_without_other_processes(turn: Result) -> None:
    assert turn["recipe"]["stretches"] == []
    for name in ("cold", "pool"):
        others = sum(seconds for _, seconds in turn[name]["stretches"])
        assert others > 0.5 * (turn[name]["cpu"] - turn[name]["main"]) > 0


def test_one_changed_annotation_remakes_the_crops_of_its_image(turn: Result) -> None:
    crops = turn["changed"]["splits"]["train"]["numbers"]["crops"]
    assert crops["images_decoded"] == 1
    assert crops["remade"] == turn["changed"]["crops_of_image"] > 0
    assert crops["added"] == crops["removed"] == 0


def test_the_stages_together_are_the_whole_build(results: Result) -> None:
    whole = [turn["cold"]["seconds"] for turn in results["turns"]]
    stages = pd.DataFrame(bench.stages(results))
    assert list(stages.sum(axis=1)) == pytest.approx(whole)


def test_the_tables_show_goals_cores_sizes_workers_and_stages(results: Result) -> None:
    goals, parts, by_cores, by_images, by_workers, by_stage = bench.tables(results).values()
    assert len(goals) == 19
    assert {row["met"] for row in goals} <= {"yes", "**no**"}
    assert {"this project", "pool", "recipe"} < parts[0].keys()
    assert by_cores[0]["cores"] == f"{count_cores()}, measured"
    assert by_cores[-1]["cores"].startswith("64, ")
    assert [row["images"] for row in by_images] == ["8", "40", "160"]
    assert [row["workers"] for row in by_workers] == list(results["turns"][0]["workers"])
    assert {"decode", "encode", "checks"} < {row["stage"] for row in by_stage}


def test_fewer_cores_than_the_machine_has_are_measured(
    results: Result, turn: Result, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prediction, "CORES", (1,))
    _, _, by_cores, *_ = bench.tables(results).values()
    assert by_cores[-1]["cores"] == "1, measured"
    for name in ("recipe", "pool", "cold"):
        assert turn["on_cores"].get("1", turn)[name]["cpu"] > 0
