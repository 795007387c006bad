"""The sensors that log what went wrong in a run."""

import json

import dagster as dg
import pytest

from df2_assets.defs.sensors import failure_messages
from df2_assets_tests.defs.platform import SPLIT, Platform
from df2_assets_tests.support.builder import item

TERMINAL = "\x1b[2J"


def alarm(name: str, platform: Platform, result: dg.ExecuteInProcessResult) -> None:
    """What the daemon does with the sensor after a run has ended."""
    run = platform.instance.get_run_by_id(result.run_id)
    assert run is not None
    event = result.all_events[-1]
    context = dg.build_run_status_sensor_context(name, event, platform.instance, run)
    if event.is_job_failure:
        context = context.for_run_failure()
    sensor = platform.defs.resolve_sensor_def(name)
    sensor(context)


def test_a_failed_run_is_logged_with_the_check_and_the_item(
    platform: Platform, capsys: pytest.CaptureFixture[str]
) -> None:
    platform.spoil()
    result = platform.run("build_dataset")
    assert not result.success
    alarm("failed_runs", platform, result)
    said = capsys.readouterr().err
    assert f"build_dataset of {SPLIT}: check refusals_within_limit of raw_annotation_index" in said
    assert "image_id 000901" in said
    assert "unreadable_json" in said
    assert result.run_id in said
    assert said.count("ERROR") == 1


def test_a_failed_step_is_logged_with_its_cause(
    platform: Platform, capsys: pytest.CaptureFixture[str]
) -> None:
    result = platform.materialize(SPLIT, ["crops"])
    alarm("failed_runs", platform, result)
    said = capsys.readouterr().err
    assert "crops has failed" in said
    assert "materialize sku_groups first" in said


def test_a_check_of_severity_error_is_logged_though_its_run_goes_on(
    platform: Platform, capsys: pytest.CaptureFixture[str]
) -> None:
    platform.build()
    lines = platform.settings.roots.image_text(SPLIT)
    *kept, lost = lines.read_text().splitlines(keepends=True)
    lines.write_text("".join(kept))
    result = platform.run("check_only")
    assert result.success
    alarm("failed_checks", platform, result)
    said = capsys.readouterr().err
    assert "check matches_metadata of image_text has failed" in said
    assert json.loads(lost)["image_path"] in said


def test_a_run_that_went_well_is_not_complained_about(platform: Platform) -> None:
    platform.build()
    (run,) = platform.instance.get_runs()
    assert failure_messages(platform.instance, run) == []


def test_text_from_the_data_cannot_act_in_the_log(platform: Platform) -> None:
    names = f"{TERMINAL}<script>alert(1)</script>"
    for image in (901, 902, 903):
        platform.data.image(SPLIT, image)
        wrong = item(1, 1, [5, 5, 70, 100]) | {"category_name": names}
        platform.data.annotation(SPLIT, image, "user", 1, {1: wrong})
    result = platform.run("build_dataset")
    run = platform.instance.get_run_by_id(result.run_id)
    assert run is not None
    (line,) = failure_messages(platform.instance, run)
    assert "000901" in line
    assert line.isprintable()
