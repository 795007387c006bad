"""The jobs that look at what was built, and what their launchpads refuse."""

import errno
from importlib import import_module
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from df2_assets import exports
from df2_assets.checks.registry import CHECKS as REGISTRY
from df2_assets.defs import retries
from df2_assets_tests.defs.platform import OTHER, SPLIT, Platform, events, failure
from df2_assets_tests.support.snapshots import contract, stamps

BESIDE = "crop_quality"
"""Its checks are of a table that `build_dataset` does not make, and `refresh_reports` does."""

ALL_CHECKS = {(check.asset, check.name) for check in REGISTRY if check.asset not in exports.NAMES}
"""Without those of the exports, which nobody has made here."""

CHECKS = {check for check in ALL_CHECKS if check[0] != BESIDE}
VERDICTS = dict.fromkeys(CHECKS, True) | {("image_text", "prompt_coverage"): False}
"""Not all combinations of labels occur in the data set."""


def evaluated(result: dg.ExecuteInProcessResult) -> dict[tuple[str, str], bool]:
    """The verdict of each check that a run has evaluated."""
    found = result.get_asset_check_evaluations()
    assert {check.partition for check in found} <= {SPLIT}
    verdicts = {(one.asset_key.path[-1], one.check_name): one.passed for one in found}
    assert len(verdicts) == len(found)
    return verdicts


def freshness(platform: Platform, split: str = SPLIT, **limits: float) -> dg.AssetCheckEvaluation:
    """What `check_freshness` says of a split."""
    config = {"resources": {"limits": {"config": limits}}}
    result = platform.run("check_freshness", split, config=config)
    assert result.success
    (evaluation,) = result.get_asset_check_evaluations()
    assert (evaluation.check_name, evaluation.partition) == ("freshness", split)
    return evaluation


def test_check_only_evaluates_every_check_and_makes_nothing(platform: Platform) -> None:
    platform.build()
    sku_root = platform.settings.roots.sku_root
    before = contract(sku_root), stamps(sku_root)
    result = platform.run("check_only")
    assert result.success
    assert evaluated(result) == VERDICTS
    assert "ASSET_MATERIALIZATION" not in events(result)
    assert (contract(sku_root), stamps(sku_root)) == before
    targets = {one.target_materialization_data for one in result.get_asset_check_evaluations()}
    assert sum(target is None for target in targets) <= 1  # the source is not materialized


def test_check_only_judges_the_crops_looks_where_they_were_measured(platform: Platform) -> None:
    platform.build()
    assert platform.run("refresh_reports").success
    assert evaluated(platform.run("check_only")).keys() == ALL_CHECKS
    platform.reframe()
    platform.build()
    again = platform.run("check_only")
    assert again.success
    assert evaluated(again).keys() == CHECKS


def test_check_only_judges_by_todays_files_and_settings(platform: Platform) -> None:
    platform.spoil(images=(901,))
    platform.build()
    crop = min(platform.settings.roots.sku_root.rglob("*.jpg"))
    crop.unlink()
    config = {"resources": {"limits": {"config": {"max_refused": 0.0}}}}
    verdicts = evaluated(platform.run("check_only", config=config))
    assert {check for check, passed in verdicts.items() if not passed} == {
        ("raw_annotation_index", "refusals_within_limit"),
        ("raw_annotation_index", "pairing"),
        ("crops", "files_match"),
        ("sku_metadata", "contract"),
        ("image_text", "prompt_coverage"),
    }


def test_check_only_of_a_split_that_was_not_built_says_what_to_do(platform: Platform) -> None:
    result = platform.run("check_only")
    assert not result.success
    errors = [str(event.event_specific_data) for event in result.all_events if event.is_failure]
    assert any("materialize raw_annotation_index first" in error for error in errors)


def test_refresh_reports_makes_reports_and_nothing_else(platform: Platform) -> None:
    platform.build()
    before = contract(platform.settings.roots.sku_root)
    result = platform.run("refresh_reports")
    assert result.success, failure(result)
    events_of_assets = result.get_asset_materialization_events()
    made = {event.asset_key.path[-1] for event in events_of_assets if event.asset_key}
    assert "refusals" in made
    assert not made & {"raw_annotation_index", "sku_groups", "crops", "sku_metadata", "image_text"}
    assert contract(platform.settings.roots.sku_root) == before


def test_a_split_is_fresh_when_it_was_built_from_the_download_as_it_is(
    platform: Platform,
) -> None:
    platform.build()
    said = freshness(platform)
    assert said.passed
    age = said.metadata["age_days"].value
    assert isinstance(age, float)
    assert age < 1
    assert said.target_materialization_data is not None


def test_a_change_makes_its_own_split_stale_until_that_is_built_again(platform: Platform) -> None:
    for split in (SPLIT, OTHER):
        platform.build(split)
    platform.touch()
    stale = freshness(platform)
    assert not stale.passed
    assert stale.severity == dg.AssetCheckSeverity.WARN
    assert stale.description is not None
    assert "the download has changed since" in stale.description
    assert freshness(platform, OTHER).passed

    result = platform.run("build_dataset")
    assert evaluated(result)["image_text", "freshness"]
    assert freshness(platform).passed


def test_prompts_made_alone_are_not_fresh_where_their_input_is_behind(platform: Platform) -> None:
    platform.build()
    platform.relabel()
    assert platform.materialize(SPLIT, ["raw_annotation_index"]).success
    said = freshness(platform)
    assert not said.passed
    assert said.description is not None
    assert "the download has changed" not in said.description
    assert "rerun sku_groups" in said.description


def test_a_split_ages(platform: Platform) -> None:
    platform.build()
    said = freshness(platform, max_age_days=1e-9)
    assert not said.passed
    assert said.description is not None
    assert "days ago" in said.description
    assert "the limit" in said.description


def test_a_split_that_was_never_built_is_not_fresh(platform: Platform) -> None:
    platform.build(OTHER)
    said = freshness(platform)
    assert not said.passed
    assert said.description == f"{SPLIT} has not been built on this instance: build it."


def fail_times(
    monkeypatch: pytest.MonkeyPatch, times: int, error: BaseException, where: str
) -> list[int]:
    """Have a function of the index step raise `error` so many times; how often it was called."""
    module = import_module("df2_assets.defs.assets.raw_annotation_index")
    real = getattr(module, where)
    calls: list[int] = []

    def unsteady(*args: Any) -> Any:
        calls.append(1)
        if len(calls) <= times:
            raise error
        return real(*args)

    monkeypatch.setattr(module, where, unsteady)
    monkeypatch.setattr(retries, "_SECONDS", 0.0)
    return calls


STALE = OSError(errno.ESTALE, "Stale file handle", "/data/train/annos")


def test_a_disk_that_fails_for_a_moment_does_not_end_a_run(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = fail_times(monkeypatch, 2, STALE, "build_index")
    result = platform.run("build_dataset")
    assert result.success
    assert len(calls) == 3
    assert "STEP_RESTARTED" in events(result)
    assert evaluated(result) == VERDICTS


def test_a_disk_that_goes_on_failing_ends_it_and_is_named(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = fail_times(monkeypatch, 99, STALE, "build_index")
    said = failure(platform.run("build_dataset"))
    assert len(calls) == retries.TRIES
    assert "/data/train/annos" in said
    assert "mend the disk or its network" in said


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "No space left on device"), ValueError("a bug")]
)
def test_what_a_retry_cannot_mend_is_not_tried_again(
    platform: Platform, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    calls = fail_times(monkeypatch, 99, error, "build_index")
    result = platform.run("build_dataset")
    assert not result.success
    assert len(calls) == 1
    assert "STEP_UP_FOR_RETRY" not in events(result)


def test_an_interrupt_is_not_taken_for_an_error_to_be_tried_again(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a RetryPolicy on the step Dagster would run it again."""
    calls = fail_times(monkeypatch, 99, KeyboardInterrupt(), "build_index")
    result = platform.run("build_dataset")
    assert not result.success
    assert len(calls) == 1


REFUSED_BEFORE: list[tuple[str, dict[str, Any]]] = [
    ("kind", {"engine": {"config": {"kind": "spark"}}}),
    ("workers", {"engine": {"config": {"workers": "many"}}}),
    ("worker", {"engine": {"config": {"worker": 2}}}),
    ("max_refused", {"limits": {"config": {"max_refused": "few"}}}),
    ("df2_root", {"data": {"config": {"df2_root": 7}}}),
]


@pytest.mark.parametrize(("field", "resources"), REFUSED_BEFORE, ids=lambda one: str(one)[:12])
def test_types_enums_and_unknown_fields_are_refused_before_launch(
    platform: Platform, field: str, resources: dict[str, Any]
) -> None:
    job = platform.defs.resolve_job_def("build_dataset")
    with pytest.raises(dg.DagsterInvalidConfigError, match=field):
        dg.validate_run_config(job, {"resources": resources})


def roots(platform: Platform, **given: object) -> dict[str, Any]:
    settings = platform.settings
    config = {"df2_root": str(settings.df2_root), "sku_root": settings.sku_root}
    return {"data": {"config": config | {name: str(value) for name, value in given.items()}}}


@pytest.mark.parametrize(
    ("resources", "field", "value", "allowed"),
    [
        ({"engine": {"config": {"workers": 5000}}}, "engine.workers", "5000", "1024"),
        ({"engine": {"config": {"workers": -1}}}, "engine.workers", "-1", "1024"),
        ({"limits": {"config": {"max_refused": 7.5}}}, "limits.max_refused", "7.5", "0 to 1"),
        ({"limits": {"config": {"max_age_days": 0.0}}}, "limits.max_age_days", "0.0", "3650"),
    ],
)
def test_a_value_out_of_range_is_refused_before_the_first_step(
    platform: Platform, resources: dict[str, Any], field: str, value: str, allowed: str
) -> None:
    result = platform.run("build_dataset", config={"resources": resources})
    said = failure(result)
    assert f"{field} is {value}" in said
    assert allowed in said
    assert "STEP_START" not in events(result)


def test_a_path_that_cannot_be_used_is_refused_before_anything_is_made(
    platform: Platform, tmp_path: Path
) -> None:
    for given in ({"df2_root": tmp_path / "nowhere"}, {"sku_root": platform.data.root / "sku"}):
        ((field, path),) = given.items()
        result = platform.run("build_dataset", config={"resources": roots(platform, **given)})
        said = failure(result)
        assert field.upper() in said
        assert str(path) in said
        assert "ASSET_MATERIALIZATION" not in events(result)


def test_every_field_of_the_launchpad_has_a_default_and_says_what_it_is(
    platform: Platform,
) -> None:
    job = platform.defs.resolve_job_def("build_dataset")
    dg.validate_run_config(job, {})
    for resource in ("data", "engine", "limits"):
        fields = job.resource_defs[resource].config_schema.config_type.fields  # type: ignore[union-attr]
        for name, field in fields.items():
            assert field.description, f"{resource}.{name}"
            assert not field.is_required, f"{resource}.{name}"
