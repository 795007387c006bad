"""The table of checks, and its rows as Dagster evaluates them in a run."""

import dataclasses
from collections.abc import Mapping

import dagster as dg
import pandas as pd

from df2_assets import exports
from df2_assets.checks.registry import CHECKS, Check, CheckContext
from df2_assets.dataset.taxonomy import SPLITS
from df2_assets.defs.checks import check_steps
from df2_assets.defs.names import Names
from df2_assets.defs.partitions import splits
from df2_assets.report.check_pictures import SHOW
from df2_assets_tests.checks import clean
from df2_assets_tests.defs.platform import OF_BUILD, SPECS, SPLIT, Platform, evaluations, made
from df2_assets_tests.support.builder import Item, item
from df2_assets_tests.support.processes import PROJECT

STEPS = check_steps(Names(), SPECS.keys())
TOP = item(1, 1, [5, 5, 70, 100], scale=1)
FIELDS = {field.name for field in dataclasses.fields(CheckContext)} | {"name"}


def test_every_check_is_registered_as_the_table_says() -> None:
    specs = [spec for step in STEPS for spec in step.check_specs]
    registered = [(s.asset_key.path[-1], s.name, s.blocking) for s in specs]
    assert registered == [(c.asset, c.name, c.blocking) for c in CHECKS]
    for spec, check in zip(specs, CHECKS, strict=True):
        said = str(spec.description)
        assert said.startswith(f"{check.description} The job `check_only` evaluates it again")
    assert len({(check.asset, check.name) for check in CHECKS}) == len(CHECKS)
    for check in CHECKS:
        assert all(hasattr(CheckContext, p) or p in FIELDS for p in check.parameters), check.name
    assert {spec.partitions_def for spec in specs} == {splits}


def test_the_checks_of_an_asset_are_one_step_and_every_export_has_one() -> None:
    assets = [{spec.asset_key.path[-1] for spec in step.check_specs} for step in STEPS]
    assert assets == [{asset} for asset in dict.fromkeys(check.asset for check in CHECKS)]
    assert set.union(*assets) <= SPECS.keys()
    assert set(exports.NAMES) < set.union(*assets)


def test_every_picture_is_of_a_check() -> None:
    assert SHOW.keys() <= {check.name for check in CHECKS}


def table_row(check: Check) -> str:
    asset = "each export" if check.asset in exports.NAMES else check.asset
    return f"| `{check.name}` | {asset} | {check.description} | {'yes' * check.blocking} |"


def test_the_table_of_the_page_is_that_of_the_checks() -> None:
    lines = (PROJECT / "docs" / "checks.md").read_text(encoding="utf-8").splitlines()
    start = lines.index("| check | on | passes if | blocks |") + 2
    expected = list(dict.fromkeys(map(table_row, CHECKS)))
    assert lines[start : start + len(expected) + 1] == [*expected, ""]


def alarms(evaluated: Mapping[tuple[str, str], dg.AssetCheckEvaluation]) -> dict[str, str]:
    """The severity of each check that did not pass."""
    return {
        f"{asset}.{name}": check.severity.value
        for (asset, name), check in evaluated.items()
        if not check.passed
    }


def test_a_clean_data_set_gives_no_alarm(platform: Platform) -> None:
    for split in ("train", "validation"):
        clean.write(platform.data, split)
    platform.data.image("test", 1)
    for split in SPLITS:
        result = platform.run("build_dataset", split)
        assert result.success
        evaluated = evaluations(result, split)
        assert evaluated.keys() == OF_BUILD
        assert alarms(evaluated) == {}
        assert all(check.description for check in evaluated.values())
    assert not list(platform.settings.roots.own.glob("checks/**/*.parquet"))


def test_what_is_planted_is_found_shown_and_listed_whole(platform: Platform) -> None:
    data = platform.data
    clean.write(data, SPLIT)
    for image_id, source in ((81, "shop"), (82, "user")):
        data.image(SPLIT, image_id, (400, 400), seed="the same")
        problems: dict[int | str, Item] = {1: TOP, 2: TOP | {"viewpoint": 4}}
        problems |= {n: TOP | {"style": n, "scale": 3} for n in range(3, 33)}
        data.annotation(SPLIT, image_id, source, 7, problems)
    data.image(SPLIT, 83)
    data.image(SPLIT, "stranger")
    result = platform.run("build_dataset")
    assert result.success
    assert alarms(evaluations(result)) == {
        "deepfashion2.layout": "WARN",
        "raw_annotation_index.pairing": "WARN",
        "raw_annotation_index.refusals_within_limit": "WARN",
        "raw_annotation_index.labels": "WARN",
        "crops.all_refusals_within_limit": "WARN",
        "crops.duplicate_crops": "WARN",
    }
    labels = evaluations(result)["raw_annotation_index", "labels"].metadata
    path = platform.settings.roots.offenders("raw_annotation_index", "labels", SPLIT)
    listed = pd.read_parquet(path)
    assert sorted(zip(listed["image_id"], listed["item_idx"], strict=True)) == [
        (image_id, n) for image_id in ("000081", "000082") for n in range(2, 33)
    ]
    assert labels["offenders"].value == 62
    shown_path = labels["all offenders, in SKU_ROOT"].value
    assert platform.settings.roots.sku_root / str(shown_path) == path
    assert str(labels["picture"].value).startswith("![boxes with doubtful labels. ")
    shown = labels["first 20 offenders"]
    assert isinstance(shown, dg.TableMetadataValue)
    first = [(record.data["image_id"], record.data["what"]) for record in shown.records]
    in_file = list(zip(listed["image_id"], listed["what"], strict=True))
    # One of each kind, then the others as they are in the file.
    assert first == [in_file[0], in_file[2], in_file[1], *in_file[3:20]]


def test_too_many_refusals_stop_the_build_with_all_checks_of_the_asset_evaluated(
    platform: Platform,
) -> None:
    platform.spoil()
    result = platform.run("build_dataset")
    assert not result.success
    evaluated = evaluations(result)
    assert alarms(evaluated)["raw_annotation_index.refusals_within_limit"] == "ERROR"
    of_index = {check.name for check in CHECKS if check.asset == "raw_annotation_index"}
    assert {name for asset, name in evaluated if asset == "raw_annotation_index"} == of_index
    check = ("raw_annotation_index", "refusals_within_limit")
    listed = pd.read_parquet(platform.settings.roots.offenders(*check, SPLIT))
    assert listed["image_id"].tolist() == ["000901", "000902", "000903"]
    assert made(result).keys() == {"raw_annotation_index"}
    assert not (platform.settings.roots.sku_root / SPLIT).exists()


def test_a_run_without_a_partition_evaluates_every_split_that_is_there(built: Platform) -> None:
    observed = built.materialize(None, ["deepfashion2"])
    again = built.run("check_only", None)
    assert observed.success
    assert again.success
    for result, asset in ((observed, "deepfashion2"), (again, "deepfashion2"), (again, "crops")):
        found = [e for e in result.get_asset_check_evaluations() if e.asset_key.path[-1] == asset]
        splits = {"train", "validation"} if asset == "deepfashion2" else {"train"}
        assert {e.partition: e.passed for e in found} == dict.fromkeys(splits, True)
    assert evaluations(again).keys() == OF_BUILD
