"""The commands as functions, compared with what the commands print."""

import json
import os
import re
import runpy
import sys
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pytest
from dagster._core.storage.defs_state import DefsStateStorage

import df2_assets
from df2_assets import errors
from df2_assets.api import SplitBuild
from df2_assets.store import state
from df2_assets.store.layout import Roots
from df2_assets.store.lock import writer
from df2_assets_tests.support import compare, processes
from df2_assets_tests.support.processes import DF2_ASSETS
from df2_assets_tests.support.random_data import random_dataset

SPLITS = ("train", "validation")


class Build:
    """A data set, the output of `build`, and its DAGSTER_HOME."""

    def __init__(self, folder: Path) -> None:
        self.df2, self.sku, self.home = folder / "df2", folder / "sku", folder / "home"
        random_dataset(self.df2, 5, SPLITS, images=40)

    def again(self, **more: Any) -> dict[str, SplitBuild]:
        return df2_assets.build(
            self.df2, self.sku, **{"splits": SPLITS, "engine": "serial", **more}
        )

    def command(self, *arguments: str) -> Any:
        """Return the JSON document that a command prints for the same data set."""
        env = processes.environment(self.home, DF2_ROOT=self.df2, SKU_ROOT=self.sku)
        done = processes.run((*DF2_ASSETS, *arguments, "--json"), env, self.df2)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture(scope="module", autouse=True)
def own_environment() -> Iterator[pytest.MonkeyPatch]:
    """Keep settings of the user away from the tests, and those of tests from each other."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [*os.environ]:
            if name.startswith("DF2_") or name in ("SKU_ROOT", "SPLITS", "DAGSTER_HOME"):
                patch.delenv(name)
        yield patch


@pytest.fixture(scope="module")
def fresh(
    tmp_path_factory: pytest.TempPathFactory, own_environment: pytest.MonkeyPatch
) -> tuple[Build, dict[str, SplitBuild]]:
    """A build and its result. No test changes its files."""
    build = Build(tmp_path_factory.mktemp("api"))
    own_environment.setenv("DAGSTER_HOME", str(build.home))
    return build, build.again()


def test_a_build_returns_numbers_files_and_warnings_of_each_split(
    fresh: tuple[Build, dict[str, SplitBuild]],
) -> None:
    build, built = fresh
    assert tuple(built) == SPLITS
    for split, result in built.items():
        metadata = json.loads(result.sku_metadata.read_text())
        lines = compare.rows(build.sku, split)
        assert result.changed
        assert (result.skus, result.crops) == (metadata["num_skus"], len(lines))
        assert result.refused == 0
        assert result.image_text == build.sku / f"{split}_image_text.jsonl"
        assert len([*result.crops_folder.glob("*/*/*.jpg")]) == len(lines)
        (tiny,) = (check for check in result.warnings if check.name == "tiny_crops")
        small = {path for path, edge in shortest(lines).items() if edge < 32}
        assert set(tiny.offenders["crop_path"]) == small
        assert small
        passed = {(check.asset, check.name) for check in result.checks if check.state == "passed"}
        assert {("crops", "files_match"), ("sku_metadata", "contract")} <= passed
        assert all(check.offenders.empty for check in result.checks if check.state == "passed")


def shortest(lines: list[dict[str, Any]]) -> dict[str, int]:
    """Return the shorter side of each crop."""
    boxes = {line["image_path"]: line["bbox"] for line in lines}
    return {path: min(x2 - x1, y2 - y1) for path, (x1, y1, x2, y2) in boxes.items()}


def test_a_second_build_changes_nothing_and_every_run_is_in_dagsters_history(
    fresh: tuple[Build, dict[str, SplitBuild]],
) -> None:
    build, _ = fresh
    again = build.again(splits="train")
    assert [(split, result.changed) for split, result in again.items()] == [("train", False)]
    with dg.DagsterInstance.get() as instance:
        runs = instance.get_runs()
    assert {run.job_name for run in runs} == {"build_dataset"}
    assert {run.status for run in runs} == {dg.DagsterRunStatus.SUCCESS}
    assert {run.tags["dagster/partition"] for run in runs} == set(SPLITS)


def test_plan_verify_and_explain_return_what_the_commands_print(
    fresh: tuple[Build, dict[str, SplitBuild]],
) -> None:
    build, _ = fresh
    roots: dict[str, Any] = {"df2_root": build.df2, "sku_root": build.sku}
    plans = df2_assets.plan(build.df2, build.sku, splits=SPLITS)
    printed = build.command("plan", "--split", "train", "--split", "validation")["splits"]
    for name in ("split", "images", "crops_to_make", "crops_to_keep", "refused"):
        assert [getattr(one, name) for one in plans.values()] == [one[name] for one in printed]
    verified = df2_assets.verify(build.df2, build.sku, deep=True, engine="serial")
    assert [(split, one.ok, one.deep) for split, one in verified.items()] == [
        (split, True, True) for split in SPLITS
    ]
    row = df2_assets.read_image_text(build.sku, "train").iloc[0]
    for what, item in (
        (("train", row["image_id"]), int(row["item_idx"])),
        ((row["image_path"],), None),
    ):
        (answer,) = df2_assets.explain(*what, item=item, **roots)
        assert (answer.fate, answer.crop_path) == ("in", row["image_path"])
    answers = df2_assets.explain(row["sku_id"], **roots)
    printed = build.command("explain", row["sku_id"])["answers"]
    assert [(one.split, one.why) for one in answers] == [(p["split"], p["why"]) for p in printed]


def test_ids_in_the_lines_remain_strings(fresh: tuple[Build, dict[str, SplitBuild]]) -> None:
    build, _ = fresh
    rows = df2_assets.read_image_text(build.sku, "train")
    assert rows.to_dict("records") == compare.rows(build.sku, "train")
    numbers = {"pair_id", "style", "category_id", "item_idx", "occlusion", "viewpoint"}
    for name, dtype in rows.dtypes.items():
        if name in numbers:
            assert dtype == "int64"
        elif name != "bbox":
            assert pd.api.types.is_string_dtype(dtype), name
    assert rows["sku_id"].str.fullmatch("[0-9]{6}_[0-9]{2}_[0-9]{2}").all()


def test_lines_are_read_only_from_a_complete_split(tmp_path: Path) -> None:
    roots = Roots(Path(), tmp_path, str(tmp_path))
    with pytest.raises(errors.MissingSplitError, match="There is no split 'train'"):
        df2_assets.read_image_text(tmp_path, "train")
    roots.image_text("train").touch()
    with pytest.raises(errors.IncompleteSplitError, match="strict=False"):
        df2_assets.read_image_text(tmp_path, "train")
    empty = df2_assets.read_image_text(tmp_path, "train", strict=False)
    assert len(empty) == 0
    assert empty["pair_id"].dtype == "int64"
    assert [*empty][:2] == ["split", "sku_id"]
    state.mark_incomplete(roots, "train")
    state.save(roots, "train", state.State(complete=False, image_text="x"))
    with pytest.raises(errors.IncompleteSplitError, match="half-built"):
        df2_assets.read_image_text(tmp_path, "train")


def test_a_build_that_cannot_start_raises_a_specific_error(
    fresh: tuple[Build, dict[str, SplitBuild]], tmp_path: Path
) -> None:
    build, _ = fresh
    for kind, text, more in (
        (errors.SettingsError, "workers is 0: give a whole number", {"workers": 0}),
        (errors.SettingsError, "engine is 'fast': choose from", {"engine": "fast"}),
        (errors.SettingsError, "There is no split 'val'", {"splits": ["val"]}),
        (errors.SettingsError, "max_refused is 2", {"max_refused": 2}),
        (errors.TemplatesError, "none.yaml", {"prompts": tmp_path / "none.yaml"}),
        (errors.SettingsError, "sku_token is 2: give a number from 0 to 1", {"sku_token": 2}),
        (errors.CaptionsError, "none.jsonl", {"captions": tmp_path / "none.jsonl"}),
    ):
        with pytest.raises(kind, match=text):
            build.again(**more)
    with pytest.raises(errors.LayoutError, match="nowhere"):
        df2_assets.build(tmp_path / "nowhere", tmp_path / "sku")
    with pytest.raises(errors.RootsError):
        df2_assets.build(build.df2, build.df2 / "sku")
    with pytest.raises(errors.SettingsError, match="Give SPLIT IMAGE_ID"):
        df2_assets.explain("train", sku_root=build.sku)
    with pytest.raises(errors.MissingTableError, match="Nothing is built"):
        df2_assets.verify(sku_root=tmp_path)


def test_a_failed_run_raises_its_error_with_the_first_offenders(tmp_path: Path) -> None:
    build = Build(tmp_path)
    roots = Roots(build.df2, build.sku, str(build.sku))
    with (
        writer(roots, "train", "another"),
        pytest.raises(errors.BusyError, match="train: train is being built by process"),
    ):
        build.again(splits="train")
    foreign = build.sku / "train/catalog/notes.txt"
    foreign.parent.mkdir(parents=True)
    foreign.touch()
    with pytest.raises(errors.BuildError) as failure:
        build.again(splits="train")
    assert DefsStateStorage.get() is None  # Dagster's instance is closed
    summary, *first, where = str(failure.value).splitlines()
    assert summary.startswith("train: crops: files_match: ")
    assert any("notes.txt" in line for line in first)
    assert where == "  all 1, in SKU_ROOT: _df2_assets/checks/crops.files_match/train.parquet"
    foreign.unlink()
    assert build.again(splits="train")["train"].skus > 0


@pytest.mark.slow
def test_a_build_in_a_thread_or_a_running_event_loop_gives_no_warning(tmp_path: Path) -> None:
    import asyncio

    build = Build(tmp_path)
    results = []
    thread = threading.Thread(target=lambda: results.append(build.again(splits="train")))
    thread.start()
    thread.join()

    async def cell() -> None:
        results.append(build.again(splits="train"))

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        asyncio.run(cell())
    assert [result["train"].changed for result in results] == [True, False]
    assert [str(one.message) for one in caught if one.category is RuntimeWarning] == []


def test_the_blocks_of_the_page_run_one_after_the_other(
    fresh: tuple[Build, dict[str, SplitBuild]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    build, built = fresh
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "DeepFashion2_original").symlink_to(build.df2)
    (tmp_path / "data" / "DeepFashion2_SKU").symlink_to(build.sku)
    monkeypatch.chdir(tmp_path)
    page = (processes.PROJECT / "docs" / "python.md").read_text(encoding="utf-8")
    before_training = page.partition("## Training machines")[0]
    block = tmp_path / "blocks.py"
    block.write_text("\n".join(re.findall(r"```python\n(.*?)```", before_training, re.S)))
    has = runpy.run_path(str(block))
    assert (has["train"].skus, has["train"].crops) == (built["train"].skus, built["train"].crops)
    assert has["train"].image_text.parent.resolve() == build.sku  # not in the project's folder
    assert has["verified"]["train"].ok
    assert has["same"].to_dict("records") == has["rows"].to_dict("records")
    assert "/nowhere" in capsys.readouterr().out


@pytest.mark.slow
def test_the_example_runs_as_a_script_without_a_main_guard(tmp_path: Path) -> None:
    build = Build(tmp_path)
    script = processes.PROJECT / "examples" / "look_at_a_build.py"
    assert "__main__" not in script.read_text(encoding="utf-8")
    env = processes.environment(build.home, DF2_ROOT=build.df2, SKU_ROOT=build.sku, DF2_WORKERS=2)
    done = processes.run((sys.executable, str(script)), env, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    for split in SPLITS:
        lines = compare.rows(build.sku, split)
        skus = len({line["sku_id"] for line in lines})
        assert f"{split}: {skus} SKUs, {len(lines)} crops" in done.stdout
    assert "crops: tiny_crops: " in done.stdout
    assert "no problems" in done.stdout
