"""A real daemon, with schedules and sensors turned on: each change is built once."""

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from df2_assets_tests.support import processes, webserver
from df2_assets_tests.support.random_data import random_dataset
from df2_assets_tests.support.webserver import REPOSITORY, Dev, split_of, station

pytestmark = pytest.mark.daemon

SPLITS = ("train", "validation")
ALL = ("test", "validation", "train")


@pytest.fixture
def dev(tmp_path: Path) -> Iterator[Dev]:
    """`dagster dev` over an unbuilt data set, where the nightly build would run every minute."""
    data = random_dataset(tmp_path / "df2", 5, SPLITS, images=12)
    served = station(tmp_path, data.root, DF2_CRON="* * * * *", SPLITS="train validation")
    with webserver.dev(served) as starting:
        yield starting.wait()


def turn_on(dev: Dev, sensor: str) -> None:
    """Turn a sensor on, as the UI does."""
    answer = dev.api.ask(
        """mutation ($sensor: SensorSelector!) { startSensor(sensorSelector: $sensor) {
             __typename ... on Sensor { sensorState { status } } } }""",
        sensor={**REPOSITORY, "sensorName": sensor},
    )["startSensor"]
    assert answer["sensorState"]["status"] == "RUNNING"


def wait_for_runs(dev: Dev, count: int, **tags: str) -> list[dict[str, Any]]:
    """Wait until `count` runs have succeeded; return them in the order of their starts."""

    def ended() -> list[dict[str, Any]] | None:
        found = dev.api.runs(**tags)
        done = [run for run in found if run["status"] in webserver.ENDED]
        return found if len(done) == len(found) >= count else None

    found = processes.wait_until(ended, dev.process, patience=300)
    assert {run["status"] for run in found} == {"SUCCESS"}
    return found


def assert_in_order(found: list[dict[str, Any]]) -> None:
    """Check that splits were built one after the other, the smallest first."""
    assert [split_of(run) for run in found] == list(ALL)[-len(found) :]
    for former, later in itertools.pairwise(found):
        assert former["endTime"] <= later["startTime"]


def observe(dev: Dev) -> None:
    """Run the job that `hourly_observation` launches."""
    done = dev.station.dagster(
        "job", "execute", "-m", "df2_assets.definitions", "-j", "observe_sources"
    )
    assert done.returncode == 0, done.stderr


def ticks(dev: Dev, sensor: str) -> int:
    """Return the number of finished ticks of a sensor."""
    state = dev.api.ask(
        """query ($sensor: SensorSelector!) { sensorOrError(sensorSelector: $sensor) {
             ... on Sensor { sensorState { ticks { status error { message } } } } } }""",
        sensor={**REPOSITORY, "sensorName": sensor},
    )["sensorOrError"]["sensorState"]
    assert [tick for tick in state["ticks"] if tick["error"]] == []
    return sum(tick["status"] != "STARTED" for tick in state["ticks"])


def wait_for_ticks(dev: Dev, sensor: str) -> None:
    """Wait for two more ticks of a sensor."""
    before = ticks(dev, sensor)
    processes.wait_until(lambda: ticks(dev, sensor) >= before + 2, dev.process, patience=300)


def test_a_change_of_data_versions_starts_one_run_per_split(dev: Dev) -> None:
    sensor = "follow_data_versions"
    turn_on(dev, sensor)
    wait_for_ticks(dev, sensor)
    assert dev.api.runs(sensor_name=sensor) == []
    observe(dev)
    first = wait_for_runs(dev, 3, sensor_name=sensor)
    assert sorted(map(split_of, first)) == sorted(ALL)
    wait_for_ticks(dev, sensor)
    assert len(dev.api.runs(sensor_name=sensor)) == 3

    path = min((dev.station.df2_root / "validation" / "annos").iterdir())
    annotation = json.loads(path.read_text())
    annotation["pair_id"] = 99
    path.write_text(json.dumps(annotation))
    observe(dev)
    found = wait_for_runs(dev, 4, sensor_name=sensor)
    assert split_of(found[-1]) == "validation"
    wait_for_ticks(dev, sensor)
    assert len(dev.api.runs(sensor_name=sensor)) == 4


def test_all_splits_are_backfilled_by_one_action(dev: Dev) -> None:
    """This is the request of the UI after selecting all partitions and launching them."""
    answer = dev.api.ask(
        """mutation ($params: LaunchBackfillParams!) {
             launchPartitionBackfill(backfillParams: $params) {
               __typename ... on LaunchBackfillSuccess { backfillId } } }""",
        params={
            "selector": {
                "partitionSetName": "build_dataset_partition_set",
                "repositorySelector": REPOSITORY,
            },
            "partitionNames": list(ALL),
        },
    )["launchPartitionBackfill"]
    assert answer["__typename"] == "LaunchBackfillSuccess"
    assert_in_order(wait_for_runs(dev, 3, backfill=answer["backfillId"]))
    for split in SPLITS:
        assert (dev.station.sku / f"{split}_image_text.jsonl").stat().st_size


def test_the_nightly_schedule_builds_each_split_once(dev: Dev) -> None:
    answer = dev.api.ask(
        """mutation ($schedule: ScheduleSelector!) { startSchedule(scheduleSelector: $schedule)
             { __typename } }""",
        schedule={**REPOSITORY, "scheduleName": "nightly_build"},
    )["startSchedule"]
    assert answer["__typename"] == "ScheduleStateResult"
    found = wait_for_runs(dev, 2, schedule_name="nightly_build")
    keys = {tag["value"] for run in found for tag in run["tags"] if tag["key"] == "dagster/run_key"}
    assert len(keys) == len(found)
    assert_in_order(found[:2])
