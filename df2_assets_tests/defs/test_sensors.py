"""The sensors that log failed runs and checks."""

import json

import dagster as dg
import pytest

from df2_assets.defs.sensors import failure_messages
from df2_assets_tests.defs.platform import SPLIT, Platform


def alarm(name: str, platform: Platform, result: dg.ExecuteInProcessResult) -> None:
    """Run a sensor after a run ended, as the daemon does."""
    run = platform.instance.get_run_by_id(result.run_id)
    assert run is not None
    event = result.all_events[-1]
    context = dg.build_run_status_sensor_context(name, event, platform.instance, run)
    if event.is_job_failure:
        context = context.for_run_failure()
    platform.defs.resolve_sensor_def(name)(context)


def test_a_failed_run_is_logged_with_the_check_and_the_item(
    platform: Platform, capsys: pytest.CaptureFixture[str]
) -> None:
    platform.spoil()
    result = platform.run("build_dataset")
    assert not result.success
    alarm("failed_runs", platform, result)
    log = capsys.readouterr().err
    assert f"build_dataset of {SPLIT}: check refusals_within_limit of raw_annotation_index" in log
    assert "image_id 000901" in log
    assert "unreadable_json" in log
    assert result.run_id in log
    assert log.count("ERROR") == 1


def test_a_failed_step_is_logged_with_its_cause(
    platform: Platform, capsys: pytest.CaptureFixture[str]
) -> None:
    result = platform.materialize(SPLIT, ["crops"])
    alarm("failed_runs", platform, result)
    log = capsys.readouterr().err
    assert "crops failed" in log
    assert "materialize sku_groups first" in log


def test_a_successful_run_logs_only_failed_checks_of_severity_error(
    platform: Platform, capsys: pytest.CaptureFixture[str]
) -> None:
    platform.build()
    (run,) = platform.instance.get_runs()
    assert failure_messages(platform.instance, run) == []
    lines = platform.settings.roots.image_text(SPLIT)
    *kept, lost = lines.read_text().splitlines(keepends=True)
    lines.write_text("".join(kept))
    result = platform.run("check_only")
    assert result.success
    alarm("failed_checks", platform, result)
    log = capsys.readouterr().err
    assert "check matches_metadata of image_text failed" in log
    crop = json.loads(lost)
    assert f"image_id {crop['image_id']}, item_idx {crop['item_idx']}" in log
    assert f"sku_id {crop['sku_id']}" in log
