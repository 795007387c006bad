"""`make bench` at a toy size: everything runs and is shown in tables."""

import pandas as pd
import pytest

from benchmarks import bench
from benchmarks.builds import number
from benchmarks.figures import Result

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Result:
    return bench.measure(tmp_path_factory.mktemp("bench"), images=80, turns=1)


@pytest.fixture
def turn(results: Result) -> Result:
    return dict(results["turns"][0])


def test_a_turn_measures_every_command(turn: Result) -> None:
    builds = [turn[name] for name in ("nothing", "nothing_of_three", "cold", "unchanged")]
    builds += [turn["changed"], turn["recipe"], *turn["smaller"].values()]
    for of in [*builds, *turn["workers"].values()]:
        assert of["cpu"] > 0
        assert of["peak_bytes"] > 10 * 2**20
    assert list(turn["nothing_of_three"]["splits"]) == ["test", "validation", "train"]
    assert list(turn["smaller"]) == ["4", "20"]
    assert {"1", "2"} <= set(turn["workers"])
    crops = number(turn["cold"], "crops", "crops")
    assert turn["codec"]["crops"] == crops == number(turn["cold"], "crops", "added") > 20
    assert turn["codec"]["images"] == number(turn["cold"], "crops", "images_decoded")
    assert number(turn["unchanged"], "crops", "crops") == crops
    assert number(turn["unchanged"], "crops", "images_decoded") == 0


def test_one_changed_annotation_remakes_the_crops_of_its_image(turn: Result) -> None:
    crops = turn["changed"]["splits"]["train"]["numbers"]["crops"]
    assert crops["images_decoded"] == 1
    assert crops["remade"] == turn["changed"]["crops_of_image"] > 0
    assert crops["added"] == crops["removed"] == 0


def test_the_stages_together_are_the_whole_build(results: Result) -> None:
    whole = [turn["cold"]["seconds"] for turn in results["turns"]]
    stages = pd.DataFrame(bench.stages(results))
    assert list(stages.sum(axis=1)) == pytest.approx(whole)


def test_the_tables_show_goals_sizes_workers_and_stages(results: Result) -> None:
    goals, by_images, by_workers, by_stage = bench.tables(results).values()
    assert len(goals) == 12
    assert {row["met"] for row in goals} <= {"yes", "**no**"}
    assert [row["images"] for row in by_images] == ["4", "20", "80"]
    assert [row["workers"] for row in by_workers] == list(results["turns"][0]["workers"])
    assert {"decode", "encode", "checks"} < {row["stage"] for row in by_stage}
