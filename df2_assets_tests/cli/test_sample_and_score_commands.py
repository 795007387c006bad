"""`df2-assets sample --faults` and `score`: everything planted is found, and nothing invented."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from df2_assets.cli import main
from df2_assets.sample.answer_key import ANSWER_KEY


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sample with planted defects, drawn by the command."""
    out = tmp_path_factory.mktemp("faults") / "faulty"
    said = CliRunner().invoke(main, ["sample", str(out), "--faults"])
    assert said.exit_code == 0, said.output
    return out


@pytest.fixture(autouse=True)
def _own_history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))


def test_everything_planted_is_found_and_nothing_is_invented(faulty: Path) -> None:
    said = CliRunner().invoke(main, ["score", str(faulty), "--json"])
    score = json.loads(said.output)
    assert said.exit_code == 0
    assert score["perfect"]
    assert all(one["planted"] >= 2 and one["found"] >= 2 for one in score["reasons"])
    planted = {one["what"] for one in score["checks"] if one["planted"]}
    assert planted == {
        "crop_quality/blank_crops",
        "crop_quality/dark_crops",
        "crop_quality/image_in_two_skus",
        "crop_quality/near_duplicate_crops",
        "crop_quality/unlike_crops",
        "crops/duplicate_crops",
        "crops/tiny_crops",
        "deepfashion2/layout",
        "raw_annotation_index/boxes",
        "raw_annotation_index/labels",
        "raw_annotation_index/pairing",
        "raw_annotation_index/refusals_within_limit",
    }


def test_what_is_missed_and_what_is_invented_is_named_and_ends_with_1(
    faulty: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    shutil.copytree(faulty, other, copy_function=_link)
    shutil.copytree(
        faulty.with_name("faulty_SKU"), tmp_path / "other_SKU", copy_function=shutil.copy2
    )
    key = json.loads((faulty / ANSWER_KEY).read_text())
    reversed_box = next(one for one in key if one["expect"]["reason"] == "box_reversed")
    key.remove(reversed_box)
    wrong = {**reversed_box, "item_idx": 77}
    (other / ANSWER_KEY).unlink()
    (other / ANSWER_KEY).write_text(json.dumps([*key, wrong]))
    said = CliRunner().invoke(main, ["score", str(other)])
    assert said.exit_code == 1
    where = f"{wrong['split']} {wrong['image_id']}"
    assert f"missed: {where} --item 77" in said.output
    assert f"invented: {where} --item {reversed_box['item_idx']}" in said.output
    assert "Not all found, or some invented." in said.output


def test_a_sample_without_a_key_cannot_be_scored(sample_root: Path) -> None:
    said = CliRunner().invoke(main, ["score", str(sample_root)])
    assert said.exit_code == 1
    assert "--faults" in said.output
    assert "Traceback" not in said.output


def _link(source: str, target: str) -> None:
    Path(target).hardlink_to(source)


def test_a_sample_is_not_drawn_at_a_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    said = CliRunner().invoke(main, ["sample", "s3://bucket/df2"])
    assert said.exit_code == 1
    assert "give a folder, and copy it to where DF2_ROOT is to be" in said.output
    assert list(tmp_path.iterdir()) == []
