"""`df2-assets status`: whether each split is complete and current, and if not, why."""

import json
import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import df2_assets
from df2_assets_tests.cli.conftest import Desk
from df2_assets_tests.cli.test_command_line import write_splits
from df2_assets_tests.support.builder import DataSet, item
from df2_assets_tests.support.processes import PROJECT


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A build of `train` and `test`, of which `test` has only images."""
    desk = Desk(tmp_path_factory.mktemp("status"))
    write_splits(desk.df2, "train", "validation").image("test", 1)
    assert desk.run("build", SPLITS="train test").exit_code == 0
    return desk


@pytest.fixture
def built(original: Desk, tmp_path: Path) -> Desk:
    """A copy for one test. Its data set is in another folder, which also makes it stale."""
    shutil.copytree(original.folder, tmp_path, dirs_exist_ok=True)
    return Desk(tmp_path)


def status(desk: Desk, split: str = "train", **settings: object) -> dict[str, Any]:
    """Return the status of one split, and check that the exit code agrees."""
    reply = desk.run("status", "--json", "--split", split, **settings)
    document = json.loads(reply.stdout)
    (of_split,) = document["splits"]
    is_current: bool = of_split["condition"] == "current"
    assert (reply.exit_code, document["current"]) == (0 if is_current else 1, is_current)
    return dict(of_split)


def test_a_split_just_built_is_complete_and_current(original: Desk) -> None:
    before = original.files()
    of_split = status(original)
    built_at = datetime.fromisoformat(of_split.pop("built_at"))
    assert 0 <= (datetime.now().astimezone() - built_at).total_seconds() < 3600
    assert of_split == {
        "split": "train",
        "condition": "current",
        "complete": True,
        "df2_root": str(original.df2),
        "release": df2_assets.__version__,
        "skus": 1,
        "crops": 2,
        "only_pairs": True,
        "reasons": [],
    }
    assert original.files() == before


def test_a_build_without_changes_leaves_the_time_of_the_last_change(original: Desk) -> None:
    before = status(original)
    assert original.run("build", SPLITS="train").exit_code == 0
    assert status(original) == before


def test_a_split_built_without_annotations_is_current_and_empty(original: Desk) -> None:
    of_split = status(original, "test")
    assert (of_split["skus"], of_split["crops"], of_split["complete"]) == (0, 0, True)


def test_a_split_that_was_never_built_is_named_with_the_command(original: Desk) -> None:
    assert status(original, "validation")["condition"] == "not built"
    reply = original.run("status")
    assert reply.exit_code == 1
    assert "To bring it up to date: df2-assets build --split validation" in reply.stdout
    assert original.run("status", SPLITS="train test").exit_code == 0


def test_no_image_is_opened(original: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "open", lambda *_: pytest.fail("an image was opened"))
    assert status(original)["condition"] == "current"


def test_nothing_is_built_where_there_is_no_sku_root(desk: Desk) -> None:
    write_splits(desk.df2, "train").image("test", 1)
    reply = desk.run("status")
    assert reply.exit_code == 1
    assert f"Files: {desk.sku} (nothing is built there)" in reply.stdout
    conditions = {split["split"]: split["condition"] for split in desk_status(desk)}
    assert conditions == {
        "train": "not built",
        "validation": "not built",
        "test": "no annotations",
    }
    assert not desk.sku.exists()
    assert not desk.home.exists()


def desk_status(desk: Desk) -> list[dict[str, Any]]:
    return list(desk.json("status", exit_code=1)["splits"])


def change_image(desk: Desk) -> None:
    DataSet(desk.df2).image("train", 2, size=(170, 130))


def add_image(desk: Desk) -> None:
    data = DataSet(desk.df2)
    data.image("train", 3)
    data.annotation("train", 3, "user", 1, {1: item(1, 1, [5, 5, 70, 100])})


def record(desk: Desk, **fields: object) -> None:
    """Change fields in the state of `train`."""
    path = desk.roots.state("train")
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


STALE: dict[str, tuple[Callable[[Desk], object], str]] = {
    "an image replaced": (
        change_image,
        "1 of 2 images or their annotations are new, changed or gone",
    ),
    "an image added": (add_image, "1 of 3 images"),
    "an annotation gone": (
        lambda desk: (desk.df2 / "train" / "annos" / "000002.json").unlink(),
        "1 of 2 images or their annotations are new, changed or gone (000002)",
    ),
    "the download gone": (lambda desk: shutil.rmtree(desk.df2), "cannot be compared: DF2_ROOT ("),
    "a newer release": (lambda desk: record(desk, release="0.0.1"), "the release was 0.0.1, and"),
    "a release that left no name": (lambda desk: record(desk, release=None), "an earlier one"),
    "another index": (
        lambda desk: shutil.copy(
            desk.roots.table("sku_groups", "test"), desk.roots.table("sku_groups", "train")
        ),
        "crops of train was made from another sku_groups",
    ),
    "a table gone": (
        lambda desk: desk.roots.table("files", "train").unlink(),
        "no record says what it was read from",
    ),
}


@pytest.mark.parametrize(("change", "reason"), STALE.values(), ids=STALE)
def test_a_change_since_the_build_makes_a_split_stale(
    built: Desk, change: Callable[[Desk], object], reason: str
) -> None:
    change(built)
    of_split = status(built)
    assert (of_split["condition"], of_split["complete"]) == ("stale", True)
    assert any(reason in reply for reply in of_split["reasons"]), of_split["reasons"]
    for reason in of_split["reasons"]:
        assert f"train is stale: {reason}" in built.run("status").stdout


def test_a_build_makes_a_stale_split_current(built: Desk) -> None:
    add_image(built)
    record(built, release="0.0.1")
    assert len(status(built)["reasons"]) == 3
    assert built.run("build", SPLITS="train").exit_code == 0
    assert (status(built)["condition"], status(built)["crops"]) == ("current", 3)


def test_a_data_set_read_from_elsewhere_is_stale(original: Desk, tmp_path: Path) -> None:
    shutil.copytree(original.df2, tmp_path / "moved")
    (reason,) = status(original, DF2_ROOT=tmp_path / "moved")["reasons"]
    assert reason == f"it was read from {original.df2}, and DF2_ROOT is {tmp_path / 'moved'}"


def test_other_prompts_make_a_split_stale(original: Desk) -> None:
    examples = PROJECT / "examples" / "prompts.yaml"
    (reason,) = status(original, DF2_PROMPTS=examples)["reasons"]
    assert "prompt templates" in reason


def test_another_encoder_makes_a_split_stale(
    original: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("df2_assets.pipeline.status.encoder", lambda: "q95 pillow99")
    (reason,) = status(original)["reasons"]
    assert reason.endswith("-> q95 pillow99")


INCOMPLETE: dict[str, tuple[Callable[[Desk], object], str]] = {
    "the prompts gone": (
        lambda desk: desk.roots.image_text("train").unlink(),
        "train_image_text.jsonl is missing",
    ),
    "a build that was stopped": (lambda desk: record(desk, complete=False), "it is half-built"),
    "a copy of the contract alone": (
        lambda desk: shutil.rmtree(desk.roots.own),
        "this may be a copy without records",
    ),
}


@pytest.mark.parametrize(("change", "reason"), INCOMPLETE.values(), ids=INCOMPLETE)
def test_a_split_with_missing_files_is_incomplete(
    built: Desk, change: Callable[[Desk], object], reason: str
) -> None:
    change(built)
    of_split = status(built)
    assert (of_split["condition"], of_split["complete"]) == ("incomplete", False)
    assert any(reason in reply for reply in of_split["reasons"]), of_split["reasons"]
