"""Failures as Dagster shows them: the cause and the remedy come first."""

import errno
import os
from typing import Any

import dagster as dg
import pytest

from df2_assets.defs.failures import Failure, convert_errors
from df2_assets.errors import BusyError
from df2_assets.store.lock import writer
from df2_assets_tests.defs.platform import SPLIT, Platform


def lines(result: dg.ExecuteInProcessResult) -> set[str]:
    """Return the first line of each error, as the page of a failed run shows it."""
    assert not result.success
    errors: list[Any] = [
        getattr(event.event_specific_data, "error", None)
        for event in result.all_events
        if event.is_failure
    ]
    return {error.message.partition("\n")[0] for error in errors}


def shown(result: dg.ExecuteInProcessResult) -> str:
    """Return that line of a run with only one error."""
    (line,) = lines(result)
    return line


@pytest.mark.parametrize(
    ("resource", "given", "says"),
    [
        ("data", {"df2_root": "/nowhere"}, "DF2_ROOT (/nowhere) does not exist. Set it to"),
        ("data", {"sku_root": "/"}, "SKU_ROOT is /: set it to a separate folder."),
        ("limits", {"max_refused": 7.0}, "limits.max_refused is 7.0: give a number from 0 to 1"),
        ("engine", {"workers": 5000}, "engine.workers is 5000: give a whole number"),
        ("prompts", {"file": "/no.yaml"}, "/no.yaml cannot be read"),
    ],
)
def test_wrong_run_config_is_the_first_line_of_the_failure(
    platform: Platform, resource: str, given: dict[str, Any], says: str
) -> None:
    config = {"resources": {resource: {"config": given}}}
    line = shown(platform.run("build_dataset", config=config))
    assert line.startswith(f"df2_assets.defs.failures.Failure: {says}")


def test_a_split_that_another_build_holds_is_the_first_line_too(platform: Platform) -> None:
    with writer(platform.settings.roots, SPLIT, "another"):
        line = shown(platform.run("build_dataset"))
    assert "Failure: train is being built by process" in line


@pytest.mark.parametrize("job", ["check_only", "refresh_reports", "build_exports"])
def test_a_missing_table_is_the_first_line_too(platform: Platform, job: str) -> None:
    for line in lines(platform.run(job)):
        assert line.startswith("df2_assets.defs.failures.Failure: ")
        assert "materialize" in line or "build" in line


def test_a_source_that_cannot_be_observed_is_the_first_line_too(platform: Platform) -> None:
    config = {"resources": {"data": {"config": {"df2_root": "/nowhere"}}}}
    line = shown(platform.run("observe_sources", None, config=config))
    assert line.startswith("df2_assets.defs.failures.Failure: DF2_ROOT (/nowhere)")


def test_a_forbidden_sku_root_is_the_first_line_of_a_run_over_every_split(
    platform: Platform,
) -> None:
    config = {"resources": {"data": {"config": {"sku_root": "/"}}}}
    for line in lines(platform.run("check_only", None, config=config)):
        assert (
            line == "df2_assets.defs.failures.Failure: SKU_ROOT is /: set it to a separate folder."
        )


def test_a_blocking_check_names_its_finding_its_first_offender_and_the_file_with_all(
    platform: Platform,
) -> None:
    platform.spoil()
    result = platform.run("build_dataset")
    line = shown(result)
    roots = platform.settings.roots
    offenders = roots.offenders("raw_annotation_index", "refusals_within_limit", SPLIT)
    assert "CheckFailure: train: refusals_within_limit: Refused: 3 of " in line
    assert "image_id 000901" in line
    assert line.endswith(f"All offenders, in SKU_ROOT: {offenders.relative_to(roots.sku_root)}")
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    described = failure.step_failure_data.user_failure_data
    assert described is not None
    assert {"first 20 offenders", "by reason"} <= described.metadata.keys()


@pytest.mark.parametrize(
    ("error", "first"),
    [
        (BusyError("train is being built: wait for it."), "train is being built: wait for it."),
        (OSError(errno.EROFS, os.strerror(errno.EROFS), "/data"), "/data: Read-only file system. "),
    ],
)
def test_cause_and_remedy_are_the_description_and_nothing_is_retried(
    error: Exception, first: str
) -> None:
    with pytest.raises(Failure) as failure, convert_errors():
        raise error
    assert (failure.value.description or "").startswith(first)
    assert not failure.value.allow_retries
