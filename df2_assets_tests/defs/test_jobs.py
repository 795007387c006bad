"""The jobs that check a build, and the run config that launchpads refuse."""

import errno
from importlib import import_module
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from df2_assets.checks.registry import CHECKS
from df2_assets.defs import retries
from df2_assets.report.check_pictures import SHOW
from df2_assets_tests.defs.platform import (
    OF_BUILD,
    OTHER,
    SPLIT,
    Platform,
    evaluations,
    events,
    failure,
    made,
)
from df2_assets_tests.support.snapshots import contract, stamps

OF_REPORTS = {(check.asset, check.name) for check in CHECKS if check.asset == "crop_quality"}
WITH_REPORTS = OF_BUILD | OF_REPORTS
"""Without those of the other assets, which nobody has made here."""

VERDICTS = dict.fromkeys(OF_BUILD, True)


def evaluated(result: dg.ExecuteInProcessResult) -> dict[tuple[str, str], bool]:
    """Return whether each check of a run passed."""
    verdicts = {check: evaluation.passed for check, evaluation in evaluations(result).items()}
    assert len(verdicts) == len(result.get_asset_check_evaluations())
    return verdicts


def freshness(platform: Platform, split: str = SPLIT, **limits: float) -> dg.AssetCheckEvaluation:
    """Return the result of `check_freshness` for a split."""
    config = {"resources": {"limits": {"config": limits}}}
    result = platform.run("check_freshness", split, config=config)
    assert result.success
    (evaluation,) = result.get_asset_check_evaluations()
    assert (evaluation.check_name, evaluation.partition) == ("freshness", split)
    return evaluation


def test_check_only_evaluates_every_check_and_builds_nothing(built: Platform) -> None:
    sku_root = built.settings.roots.sku_root
    before = contract(sku_root), stamps(sku_root)
    result = built.run("check_only")
    assert result.success
    assert evaluated(result) == VERDICTS
    assert "ASSET_MATERIALIZATION" not in events(result)
    assert (contract(sku_root), stamps(sku_root)) == before
    targets = {one.target_materialization_data for one in result.get_asset_check_evaluations()}
    assert sum(target is None for target in targets) <= 1  # the source is not materialized


@pytest.mark.slow
def test_check_only_checks_crop_quality_where_it_was_measured(built: Platform) -> None:
    assert built.run("refresh_reports").success
    assert evaluated(built.run("check_only")).keys() == WITH_REPORTS
    built.reframe()
    built.build()
    again = built.run("check_only")
    assert again.success
    assert evaluated(again).keys() == OF_BUILD


def test_check_only_uses_the_current_files_and_settings(platform: Platform) -> None:
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
        ("crops", "all_refusals_within_limit"),
        ("sku_metadata", "contract"),
    }


def test_check_only_of_a_split_that_was_not_built_says_what_to_do(platform: Platform) -> None:
    result = platform.run("check_only")
    assert not result.success
    errors = [str(event.event_specific_data) for event in result.all_events if event.is_failure]
    assert any("materialize raw_annotation_index first" in error for error in errors)


def test_refresh_reports_makes_reports_and_nothing_else(built: Platform) -> None:
    before = contract(built.settings.roots.sku_root)
    result = built.run("refresh_reports")
    assert result.success, failure(result)
    reports = made(result).keys()
    assert "refusals" in reports
    assert not reports & {"raw_annotation_index", "sku_groups", "crops"}
    assert not reports & {"sku_metadata", "image_text"}
    assert contract(built.settings.roots.sku_root) == before


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
    fresh = freshness(platform)
    assert fresh.passed
    age = fresh.metadata["age_days"].value
    assert isinstance(age, float)
    assert age < 1
    assert fresh.target_materialization_data is not None


def test_prompts_made_alone_are_not_fresh_where_their_input_is_behind(built: Platform) -> None:
    built.relabel()
    assert built.materialize(SPLIT, ["raw_annotation_index"]).success
    output = freshness(built)
    assert not output.passed
    assert output.description is not None
    assert "the download has changed" not in output.description
    assert "rerun sku_groups" in output.description


def test_a_split_ages(built: Platform) -> None:
    output = freshness(built, max_age_days=1e-9)
    assert not output.passed
    assert output.description is not None
    assert "days ago" in output.description
    assert "the limit" in output.description


def test_a_split_that_was_never_built_is_not_fresh(platform: Platform) -> None:
    platform.build(OTHER)
    output = freshness(platform)
    assert not output.passed
    assert output.description == f"{SPLIT} has not been built on this instance: build it."


def fail_times(monkeypatch: pytest.MonkeyPatch, times: int, error: BaseException) -> list[int]:
    """Let the index step raise `error` `times` times; return a list that counts the tries."""
    module = import_module("df2_assets.defs.assets.raw_annotation_index")
    real = module.build_index
    calls: list[int] = []

    def unsteady(*args: Any) -> Any:
        calls.append(1)
        if len(calls) <= times:
            raise error
        return real(*args)

    monkeypatch.setattr(module, "build_index", unsteady)
    monkeypatch.setattr(retries, "_DELAY", 0.0)
    return calls


STALE = OSError(errno.ESTALE, "Stale file handle", "/data/train/annos")


def test_a_disk_that_fails_for_a_moment_does_not_end_a_run(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = fail_times(monkeypatch, 2, STALE)
    result = platform.run("build_dataset")
    assert result.success
    assert len(calls) == 3
    assert "STEP_RESTARTED" in events(result)
    assert evaluated(result) == VERDICTS


@pytest.mark.slow
def test_a_disk_that_fails_while_a_check_is_drawn_does_not_end_a_run(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = SHOW["boxes"]
    calls: list[int] = []

    def unsteady(*args: Any) -> Any:
        calls.append(1)
        if len(calls) == 1:
            raise STALE
        return real(*args)

    monkeypatch.setitem(SHOW, "boxes", unsteady)
    monkeypatch.setattr(retries, "_DELAY", 0.0)
    result = platform.run("build_dataset")
    assert result.success
    assert len(calls) == 2
    assert evaluated(result) == VERDICTS


def test_a_disk_that_keeps_failing_ends_the_run_and_is_named(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = fail_times(monkeypatch, 99, STALE)
    output = failure(platform.run("build_dataset"))
    assert len(calls) == retries.TRIES
    assert "/data/train/annos" in output
    assert "fix the disk or its network" in output


@pytest.mark.parametrize(
    "error",
    [OSError(errno.ENOSPC, "No space left on device"), ValueError("a bug"), KeyboardInterrupt()],
    ids=repr,
)
def test_errors_that_a_retry_cannot_fix_are_not_retried(
    platform: Platform, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    """With a RetryPolicy of Dagster, even an interrupt would be retried."""
    calls = fail_times(monkeypatch, 99, error)
    result = platform.run("build_dataset")
    assert not result.success
    assert len(calls) == 1
    assert "STEP_UP_FOR_RETRY" not in events(result)


@pytest.mark.parametrize(
    ("resource", "field", "value"),
    [
        ("engine", "kind", "spark"),
        ("engine", "workers", "many"),
        ("engine", "worker", 2),
        ("limits", "max_refused", "few"),
        ("data", "df2_root", 7),
    ],
)
def test_types_enums_and_unknown_fields_are_refused_before_launch(
    platform: Platform, resource: str, field: str, value: object
) -> None:
    job = platform.defs.resolve_job_def("build_dataset")
    with pytest.raises(dg.DagsterInvalidConfigError, match=field):
        dg.validate_run_config(job, {"resources": {resource: {"config": {field: value}}}})


@pytest.mark.parametrize(
    ("resource", "field", "value", "allowed"),
    [("engine", "workers", 5000, "1024"), ("limits", "max_refused", 7.5, "0 to 1")],
)
def test_a_value_out_of_range_is_refused_before_the_first_step(
    platform: Platform, resource: str, field: str, value: float, allowed: str
) -> None:
    """One value of each resource that takes settings."""
    config = {"resources": {resource: {"config": {field: value}}}}
    result = platform.run("build_dataset", config=config)
    output = failure(result)
    assert f"{resource}.{field} is {value}" in output
    assert allowed in output
    assert "STEP_START" not in events(result)


def test_a_path_that_cannot_be_used_is_refused_before_anything_is_built(
    platform: Platform, tmp_path: Path
) -> None:
    for given in ({"df2_root": tmp_path / "nowhere"}, {"sku_root": platform.data.root / "sku"}):
        ((field, path),) = given.items()
        roots = {"df2_root": platform.data.root, "sku_root": platform.settings.sku_root} | given
        config = {name: str(root) for name, root in roots.items()}
        result = platform.run("build_dataset", config={"resources": {"data": {"config": config}}})
        output = failure(result)
        assert field.upper() in output
        assert str(path) in output
        assert "ASSET_MATERIALIZATION" not in events(result)


def test_every_field_of_the_launchpad_has_a_default_and_says_what_it_is(platform: Platform) -> None:
    job = platform.defs.resolve_job_def("build_dataset")
    dg.validate_run_config(job, {})
    for resource in ("data", "engine", "limits"):
        fields = job.resource_defs[resource].config_schema.config_type.fields  # type: ignore[union-attr]
        for name, field in fields.items():
            assert field.description, f"{resource}.{name}"
            assert not field.is_required, f"{resource}.{name}"
