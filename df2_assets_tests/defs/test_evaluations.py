"""The checks as Dagster evaluates them in a run of `build_dataset`."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import dagster as dg
import pandas as pd
import pytest

from df2_assets import exports
from df2_assets.dataset.taxonomy import SPLITS
from df2_assets.definitions import build_defs
from df2_assets.defs.checks import all_checks
from df2_assets.defs.checks.crop_quality import crop_quality_checks
from df2_assets.defs.checks.exports import export_checks
from df2_assets.settings import Settings
from df2_assets_tests.checks import clean
from df2_assets_tests.defs.test_checks import BLOCKING, NAMES
from df2_assets_tests.support.builder import DataSet, Item, item

TOP = item(1, 1, [5, 5, 70, 100], scale=1)
BESIDE = {"crop_quality", *exports.NAMES}
ALL = {(asset, name) for asset in NAMES.keys() - BESIDE for name in NAMES[asset]}
"""The checks of `build_dataset`; those of `crop_quality` and of exports go with their assets."""

NAMES_OF_BLOCKING = {spec.name for spec in BLOCKING}

Evaluations = Mapping[tuple[str, str], dg.AssetCheckEvaluation]


class Platform:
    """The definitions over one pair of roots, and runs of them on one instance."""

    def __init__(self, base: Path, instance: dg.DagsterInstance) -> None:
        self.data = DataSet(base / "df2")
        self.sku_root = base / "sku"
        self._instance = instance
        settings = Settings(df2_root=base / "df2", sku_root=str(self.sku_root), workers=1)
        beside = [crop_quality_checks, *export_checks]
        of_build = [checks for checks in all_checks if checks not in beside]
        checks = dg.define_asset_job("only_checks", dg.AssetSelection.checks(*of_build))
        self._defs = dg.Definitions.merge(build_defs(settings), dg.Definitions(jobs=[checks]))

    def run(self, split: str, *, succeeds: bool = True) -> Evaluations:
        """Run the main job; its evaluations by asset and check."""
        result = self._defs.resolve_job_def("build_dataset").execute_in_process(
            partition_key=split, instance=self._instance, raise_on_error=False
        )
        assert result.success == succeeds
        return by_name(result, split)

    def check_again(self, split: str) -> Evaluations:
        """Evaluate the checks that need no materialization, as the UI's Execute does."""
        result = self._defs.resolve_job_def("only_checks").execute_in_process(
            tags={"dagster/partition": split}, instance=self._instance
        )
        return by_name(result, split)

    def offenders(self, asset: str, check: str, split: str = "train") -> Path:
        return self.sku_root / "_df2_assets/checks" / f"{asset}.{check}" / f"{split}.parquet"


def by_name(result: dg.ExecuteInProcessResult, split: str) -> Evaluations:
    found = result.get_asset_check_evaluations()
    assert {check.partition for check in found} == {split}
    return {(check.asset_key.to_user_string(), check.check_name): check for check in found}


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield Platform(tmp_path, instance)


def alarms(evaluations: Evaluations) -> dict[str, str]:
    """Severity of each check that did not pass."""
    return {
        f"{asset}.{name}": check.severity.value
        for (asset, name), check in evaluations.items()
        if not check.passed
    }


def test_a_clean_data_set_gives_no_alarm_but_that_of_test(platform: Platform) -> None:
    for split in ("train", "validation"):
        clean.write(platform.data, split)
    platform.data.image("test", 1)
    expected: dict[str, dict[str, str]] = {split: {} for split in SPLITS}
    expected["test"] = {"raw_annotation_index.pairing": "WARN"}
    for split in SPLITS:
        evaluations = platform.run(split)
        assert evaluations.keys() == ALL
        assert alarms(evaluations) == expected[split]
        assert all(check.description for check in evaluations.values())
    assert not list(platform.sku_root.glob("_df2_assets/checks/**/*.parquet"))


def test_what_is_planted_is_found_shown_and_listed_whole(platform: Platform) -> None:
    data = platform.data
    clean.write(data, "train")
    for image_id, source in ((81, "shop"), (82, "user")):
        data.image("train", image_id, (400, 400), seed="the same")
        faults: dict[int | str, Item] = {1: TOP, 2: TOP | {"viewpoint": 4}}
        faults |= {n: TOP | {"style": n, "scale": 3} for n in range(3, 33)}
        data.annotation("train", image_id, source, 7, faults)
    data.image("train", 83)
    data.image("train", "stranger")
    evaluations = platform.run("train")
    assert alarms(evaluations) == {
        "deepfashion2.layout": "WARN",
        "raw_annotation_index.pairing": "WARN",
        "raw_annotation_index.refusals_within_limit": "WARN",
        "raw_annotation_index.labels": "WARN",
        "crops.duplicate_crops": "WARN",
    }
    labels = evaluations["raw_annotation_index", "labels"].metadata
    listed = pd.read_parquet(platform.offenders("raw_annotation_index", "labels"))
    assert sorted(zip(listed["image_id"], listed["item_idx"], strict=True)) == [
        (image_id, n) for image_id in ("000081", "000082") for n in range(2, 33)
    ]
    assert labels["offenders"].value == 62
    assert labels["all offenders"].value == str(
        platform.offenders("raw_annotation_index", "labels")
    )
    shown = labels["first 20 offenders"]
    assert isinstance(shown, dg.TableMetadataValue)
    assert [record.data["image_id"] for record in shown.records] == listed["image_id"].head(
        20
    ).tolist()


def test_too_many_refusals_stop_the_build(platform: Platform) -> None:
    clean.write(platform.data, "train", looks=2)
    for image_id in (81, 82, 83):
        platform.data.raw_annotation("train", image_id, b"{")
    evaluations = platform.run("train", succeeds=False)
    assert alarms(evaluations)["raw_annotation_index.refusals_within_limit"] == "ERROR"
    listed = pd.read_parquet(platform.offenders("raw_annotation_index", "refusals_within_limit"))
    assert listed["image_id"].tolist() == ["000081", "000082", "000083"]
    assert not list(platform.sku_root.glob("*.json"))
    assert not (platform.sku_root / "train").exists()


def test_a_foreign_file_stops_the_build_until_it_is_moved_away(platform: Platform) -> None:
    clean.write(platform.data, "train")
    foreign = platform.sku_root / "train/catalog/mine.txt"
    foreign.parent.mkdir(parents=True)
    foreign.write_text("not yours")
    evaluations = platform.run("train", succeeds=False)
    assert alarms(evaluations)["crops.files_match"] == "ERROR"
    listed = platform.offenders("crops", "files_match")
    assert pd.read_parquet(listed)["crop_path"].tolist() == ["train/catalog/mine.txt"]
    assert foreign.read_text() == "not yours"
    assert not list(platform.sku_root.glob("*.json"))
    foreign.unlink()
    assert alarms(platform.run("train")) == {}
    assert not listed.exists()


def test_checks_can_be_evaluated_again_and_see_what_changed_since(platform: Platform) -> None:
    clean.write(platform.data, "train")
    platform.run("train")
    evaluations = platform.check_again("train")
    assert evaluations.keys() == ALL - {key for key in ALL if key[1] in NAMES_OF_BLOCKING}
    assert alarms(evaluations) == {}
    crop = "train/catalog/000001_01_08/000001_item8.jpg"
    (platform.sku_root / crop).unlink()
    lines = platform.sku_root / "train_image_text.jsonl"
    lines.write_text(lines.read_text().replace("from the front.", "from the back."))
    assert alarms(platform.check_again("train")) == {
        "sku_metadata.contract": "ERROR",
        "image_text.prompt_coverage": "ERROR",
    }
    listed = pd.read_parquet(platform.offenders("sku_metadata", "contract"))
    assert listed["crop_path"].tolist() == [crop]
    lines.write_text("{")
    assert alarms(platform.check_again("train")) == {
        "sku_metadata.contract": "ERROR",
        "image_text.matches_metadata": "ERROR",
        "image_text.prompt_coverage": "ERROR",
    }
    assert alarms(platform.run("train")) == {}
