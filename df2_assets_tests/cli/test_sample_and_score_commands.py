"""`df2-assets sample --defects` and `score`: all defects are found, without false alarms."""

import json
import shutil
from pathlib import Path

import dagster as dg
import pytest

from df2_assets.sample.answer_key import ANSWER_KEY
from df2_assets_tests.cli.conftest import Desk

pytestmark = pytest.mark.slow  # `make demo-defects` runs both commands, too


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sample with planted defects that the command drew."""
    desk = Desk(tmp_path_factory.mktemp("defects"))
    result = desk.run("sample", str(desk.folder / "faulty"), "--defects")
    assert result.exit_code == 0, result.output
    return desk.folder / "faulty"


def test_all_planted_defects_are_found_without_false_alarms(desk: Desk, faulty: Path) -> None:
    score = desk.json("score", str(faulty))
    assert score["perfect"]
    assert all(one["planted"] >= 2 and one["reported"] >= 2 for one in score["reasons"])
    planted = {one["what"] for one in score["checks"] if one["planted"]}
    assert planted == {
        "crop_quality/blank_crops",
        "crop_quality/dark_crops",
        "crop_quality/image_in_two_skus",
        "crop_quality/near_duplicate_crops",
        "crop_quality/unlike_crops",
        "crops/all_refusals_within_limit",
        "crops/duplicate_crops",
        "crops/tiny_crops",
        "deepfashion2/layout",
        "raw_annotation_index/boxes",
        "raw_annotation_index/labels",
        "raw_annotation_index/pairing",
        "raw_annotation_index/refusals_within_limit",
    }


@pytest.mark.parametrize(("images", "seed"), [(120, 2), (480, 1)])
def test_any_size_and_seed_is_scored_without_a_miss(desk: Desk, images: int, seed: int) -> None:
    """A small sample lacks combinations of labels, and in any a defect may be hard to see."""
    options = ("--images", str(images), "--seed", str(seed), "--defects")
    assert desk.run("sample", str(desk.folder / "faulty"), *options).exit_code == 0
    assert desk.json("score", str(desk.folder / "faulty"))["perfect"]


def test_the_runs_are_kept_apart_from_those_of_other_data_sets(desk: Desk, faulty: Path) -> None:
    result = desk.run("score", str(faulty))
    assert not desk.home.exists()
    home = faulty.with_name("faulty_dagster")
    assert f"DAGSTER_HOME={home} df2-assets ui" in result.output
    with dg.DagsterInstance.from_config(str(home)) as instance:
        assert {run.job_name for run in instance.get_runs()} == {"build_dataset", "refresh_reports"}


def test_missed_defects_and_false_alarms_are_named_and_exit_with_1(
    desk: Desk, faulty: Path
) -> None:
    other = shutil.copytree(faulty, desk.folder / "other", copy_function=_link)
    shutil.copytree(faulty.with_name("faulty_SKU"), desk.folder / "other_SKU")
    key = json.loads((faulty / ANSWER_KEY).read_text())
    reversed_box = next(one for one in key if one["expect"]["reason"] == "box_reversed")
    key.remove(reversed_box)
    wrong = {**reversed_box, "item_idx": 77}
    (other / ANSWER_KEY).unlink()
    (other / ANSWER_KEY).write_text(json.dumps([*key, wrong]))
    result = desk.run("score", str(other))
    assert result.exit_code == 1
    where = f"{wrong['split']} {wrong['image_id']}"
    assert f"missed: {where} --item 77" in result.output
    assert f"false alarm: {where} --item {reversed_box['item_idx']}" in result.output
    assert "Some were missed, or were false alarms." in result.output


def _link(source: str, target: str) -> None:
    Path(target).hardlink_to(source)
