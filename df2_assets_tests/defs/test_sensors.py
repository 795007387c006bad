"""The sensor on changed annotations, and the two that tell of what went wrong."""

import json
import os

import dagster as dg
import pytest

from df2_assets.defs.alerts import complaints
from df2_assets_tests.defs.platform import OTHER, SPLIT, Platform
from df2_assets_tests.support.builder import item

TERMINAL = "\x1b[2J"


class Watcher:
    """Evaluates `annotations_changed` again and again, with its cursor, as the daemon does."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.cursor: str | None = None

    def look(self) -> dict[str, str]:
        """What is asked for now: run keys by split."""
        platform = self.platform
        sensor = platform.defs.resolve_sensor_def("annotations_changed")
        context = dg.build_sensor_context(
            instance=platform.instance,
            cursor=self.cursor,
            repository_def=platform.defs.get_repository_def(),
        )
        tick = sensor.evaluate_tick(context)
        self.cursor = tick.cursor
        assert bool(tick.run_requests) != bool(tick.skip_message)
        return {str(one.partition_key): str(one.run_key) for one in tick.run_requests or []}


@pytest.fixture
def watcher(platform: Platform) -> Watcher:
    return Watcher(platform)


def test_nothing_is_asked_for_before_anybody_has_looked_at_the_source(watcher: Watcher) -> None:
    assert watcher.look() == {}


def test_each_change_of_a_split_asks_for_one_run_of_it(watcher: Watcher) -> None:
    platform = watcher.platform
    platform.observe()
    assert watcher.look().keys() == {SPLIT, OTHER}
    assert watcher.look() == {}

    platform.observe()
    assert watcher.look() == {}

    platform.touch(OTHER)
    assert watcher.look() == {}
    platform.observe()
    assert watcher.look().keys() == {OTHER}
    platform.observe()
    assert watcher.look() == {}


def test_a_look_that_was_lost_half_way_asks_under_the_same_key(watcher: Watcher) -> None:
    """Dagster launches no second run for a key that it has seen."""
    watcher.platform.observe()
    asked = watcher.look()
    watcher.cursor = None
    assert watcher.look() == asked


def test_a_state_that_comes_back_is_a_change_with_a_key_of_its_own(watcher: Watcher) -> None:
    platform = watcher.platform
    keys = []
    path = platform.file()
    for _ in range(2):
        for state in (1_700_000_001, 1_700_000_002):
            os.utime(path, (state, state))
            platform.observe()
            keys.append(watcher.look()[SPLIT])
    assert len(set(keys)) == 4


@pytest.mark.slow
def test_a_change_that_a_build_has_taken_in_asks_for_nothing(watcher: Watcher) -> None:
    platform = watcher.platform
    for split in (SPLIT, OTHER):
        platform.build(split)
    assert watcher.look() == {}
    platform.observe()
    assert watcher.look() == {}

    platform.touch()
    platform.build()
    platform.observe()
    assert watcher.look() == {}


def test_only_splits_of_the_settings_are_asked_for(watcher: Watcher) -> None:
    """`test` is observed as well, and is not among them."""
    watcher.platform.observe()
    assert "test" not in watcher.look()


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
    assert complaints(platform.instance, run) == []


def test_text_from_the_data_cannot_act_in_the_log(platform: Platform) -> None:
    names = f"{TERMINAL}<script>alert(1)</script>"
    for image in (901, 902, 903):
        platform.data.image(SPLIT, image)
        wrong = item(1, 1, [5, 5, 70, 100]) | {"category_name": names}
        platform.data.annotation(SPLIT, image, "user", 1, {1: wrong})
    result = platform.run("build_dataset")
    run = platform.instance.get_run_by_id(result.run_id)
    assert run is not None
    (line,) = complaints(platform.instance, run)
    assert "000901" in line
    assert line.isprintable()
