"""The entry points of Dagster give the same build: commands, the API of the UI, schedules."""

import json
import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import dagster as dg
import pytest

from df2_assets.cli.runs import Outcome
from df2_assets.definitions import build_defs
from df2_assets.settings import read_settings
from df2_assets.store.layout import Roots
from df2_assets_tests.defs.platform import Platform
from df2_assets_tests.e2e.conftest import held_while_cutting
from df2_assets_tests.support import processes, webserver
from df2_assets_tests.support.builder import write_pairs
from df2_assets_tests.support.processes import DAGSTER
from df2_assets_tests.support.random_data import random_dataset
from df2_assets_tests.support.run import build
from df2_assets_tests.support.snapshots import contract
from df2_assets_tests.support.webserver import Dev, Station, station

SPLITS = ("train", "validation", "test")
MODULE = ("-m", "df2_assets.definitions")
JOB = ("-j", "build_dataset", "--tags")
SELECTION = ("--select", "*image_text,refusals", "--partition", "validation")
SECOND = "11111111-2222-4333-8444-555555555555"
WARNINGS = re.compile("Preview|Beta|Deprecat")


class Expected(NamedTuple):
    """A small data set, with the bytes and check results of each split after `df2-assets build`."""

    df2_root: Path
    contract: dict[str, dict[str, bytes | None]]
    checks: dict[str, dict[str, bool]]


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Expected:
    folder = tmp_path_factory.mktemp("expected")
    splits = ("train", "validation")
    data = random_dataset(folder / "df2", 5, splits, images=30)
    result = build(data.root, folder / "sku", splits)
    assert result.success, result.problems
    return Expected(
        data.root,
        {split: contract(folder / "sku", split) for split in splits},
        {run.split: verdicts(run) for run in result.runs},
    )


def verdicts(run: Outcome) -> dict[str, bool]:
    """Return whether each check passed, by its asset and name."""
    raised = {": ".join(output.split(": ")[:2]): False for output in run.warned + run.failed}
    return dict.fromkeys(run.passed, True) | raised


@pytest.fixture
def commands(tmp_path: Path, expected: Expected) -> Station:
    return station(tmp_path, expected.df2_root)


def tags(split: str) -> str:
    return json.dumps({"dagster/partition": split})


@pytest.mark.usefixtures("starting")
@pytest.mark.parametrize(
    ("split", "command"),
    [
        pytest.param(
            *("train", ("job", "execute", *MODULE, *JOB, tags("train"))), marks=pytest.mark.slow
        ),
        pytest.param(
            *("validation", ("asset", "materialize", *MODULE, *SELECTION)), marks=pytest.mark.slow
        ),
    ],
    ids=["job execute", "asset materialize"],
)
def test_a_command_builds_the_same(
    commands: Station, expected: Expected, split: str, command: tuple[str, ...]
) -> None:
    done = commands.dagster(*command)
    assert done.returncode == 0, done.stderr
    assert not WARNINGS.search(done.stderr)
    assert contract(commands.sku, split) == expected.contract[split]
    checks = expected.checks[split]
    if command[0] == "asset":  # which only observes the source, and so does not check it
        checks = {name: checks[name] for name in checks if not name.startswith("deepfashion2")}
    assert commands.checks(split) == checks


def test_the_definitions_are_valid_and_loading_them_warns_of_nothing(commands: Station) -> None:
    """`definitions validate` warns only that it is itself superseded."""
    env = commands.environment | {"PYTHONWARNINGS": "ignore:Function `definitions_validate"}
    command = (*DAGSTER, "definitions", "validate", *MODULE)
    done = processes.run(command, env, commands.folder)
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stdout + done.stderr
    assert "passed validation" in done.stdout + done.stderr


@pytest.fixture(scope="module")
def starting(expected: Expected, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dev]:
    """`dagster dev`, which starts while the first tests run."""
    with webserver.dev(station(tmp_path_factory.mktemp("dev"), expected.df2_root)) as starting:
        yield starting


@pytest.fixture(scope="module")
def dev(starting: Dev) -> Dev:
    """`dagster dev`, ready."""
    return starting.wait()


@pytest.mark.slow
def test_a_run_launched_from_the_ui_builds_the_same(dev: Dev, expected: Expected) -> None:
    run_id = dev.api.launch("train")
    dev.api.wait_for(run_id, "SUCCESS")
    assert contract(dev.station.sku, "train") == expected.contract["train"]
    assert dev.station.checks("train") == expected.checks["train"]
    names = expected.checks["train"]
    assert {name: dev.api.check(name, "train") for name in names} == names
    processes.assert_gone(processes.workers(dev.process.pid))


@pytest.mark.slow
def test_a_terminated_run_is_canceled_and_the_next_one_continues_from_there(
    dev: Dev, tmp_path: Path
) -> None:
    """The first is launched from the UI, the second by `dagster job launch`."""
    data = write_pairs(tmp_path / "df2", 100, size=(900, 700))
    undisturbed = build(data.root, tmp_path / "undisturbed")
    roots = Roots(data.root, tmp_path / "sku", str(tmp_path / "sku"))
    given = {"df2_root": str(data.root), "sku_root": roots.out_root}
    run_config = {"resources": {"data": {"config": given}}}

    first = dev.api.launch("train", run_config)
    config = ("--config-json", json.dumps(run_config), "--run-id", SECOND)
    with held_while_cutting(dev.process, roots, "train") as workers:
        assert len(workers) == 2
        for worker in workers:
            packages = processes.mapped_packages(worker)
            assert "PIL" in packages
            assert not packages & processes.UNWANTED_IN_WORKERS
        launched = dev.station.dagster("job", "launch", *MODULE, *JOB, tags("train"), *config)
        assert launched.returncode == 0, launched
        busy = build(data.root, roots.sku_root)
        dev.api.terminate(first)
        dev.api.wait_for(first, "CANCELED")
        assert "crops of train are finished and kept." in dev.station.log()
        processes.assert_gone(workers)
    assert "train is being built by process" in busy.problems[0]
    dev.api.wait_for(SECOND, "SUCCESS")
    assert "crops of train from a build that was stopped." in dev.station.log()
    assert contract(roots.sku_root) == contract(tmp_path / "undisturbed")
    assert dev.station.checks("train") == verdicts(undisturbed.runs[0])
    assert list(roots.sku_root.rglob("*.tmp")) == []


def test_all_servers_listen_only_on_this_machine(dev: Dev) -> None:
    assert webserver.listening(dev.process.pid) == {webserver.LOOPBACK}


def test_make_ui_serves_only_this_machine() -> None:
    output = processes.run(("make", "-n", "ui"), os.environ, processes.PROJECT)
    assert "dg dev --host 127.0.0.1 " in output.stdout


def schedules(**environment: str) -> dict[str, dg.ScheduleDefinition]:
    """Return the schedules with the settings of an environment."""
    repository = build_defs(read_settings(environment)).get_repository_def()
    return {schedule.name: schedule for schedule in repository.schedule_defs}


def test_schedules_are_off_until_they_are_turned_on() -> None:
    names = {"nightly_build", "daily_freshness", "weekly_verification", "hourly_observation"}
    statuses = {name: schedule.default_status for name, schedule in schedules().items()}
    assert statuses == dict.fromkeys(names, dg.DefaultScheduleStatus.STOPPED)
    turned_on = {one.default_status for one in schedules(DF2_SCHEDULES="on").values()}
    assert turned_on == {dg.DefaultScheduleStatus.RUNNING}


def test_the_time_of_the_nightly_build_is_a_setting() -> None:
    assert schedules()["nightly_build"].cron_schedule == "0 2 * * *"
    assert schedules(DF2_CRON="30 4 * * 1")["nightly_build"].cron_schedule == "30 4 * * 1"


def test_all_schedules_are_in_the_time_zone_of_the_settings() -> None:
    assert {one.execution_timezone for one in schedules().values()} == {"UTC"}
    there = schedules(DF2_TIMEZONE="Asia/Tokyo")
    assert {one.execution_timezone for one in there.values()} == {"Asia/Tokyo"}


def tick(name: str, day: int, **environment: str) -> list[dg.RunRequest]:
    """Return the requests of a schedule on a day in March."""
    defs = build_defs(read_settings(environment))
    context = dg.build_schedule_context(
        scheduled_execution_time=datetime(2026, 3, day, 2, tzinfo=UTC),
        repository_def=defs.get_repository_def(),
    )
    return list(defs.resolve_schedule_def(name).evaluate_tick(context).run_requests or [])


@pytest.mark.parametrize(
    ("name", "config"),
    [
        ("nightly_build", {}),
        ("daily_freshness", {}),
        ("weekly_verification", {"ops": {"verify_split": {"config": {"deep": True}}}}),
    ],
)
def test_a_schedule_requests_one_run_per_split_of_the_settings_the_smallest_first(
    name: str, config: dict[str, Any]
) -> None:
    for requests, splits in (
        (tick(name, 1), ("test", "validation", "train")),
        (tick(name, 1, SPLITS="train validation"), ("validation", "train")),
    ):
        assert [request.partition_key for request in requests] == list(splits)
        assert [request.run_config for request in requests] == [config] * len(splits)


def test_the_nightly_build_requests_new_runs_each_night() -> None:
    """Dagster skips a request with a key that it has seen before."""
    keys = {request.run_key for day in (1, 2, 3) for request in tick("nightly_build", day)}
    assert len(keys) == 3 * len(SPLITS)


def observed_versions(platform: Platform) -> dict[str | None, str | None]:
    """Return the data versions of the download that `observe_sources` records now, by split."""
    result = platform.run("observe_sources", None)
    observations = [
        event.asset_observation_data.asset_observation
        for event in result.get_asset_observation_events()
    ]
    source = dg.AssetKey("deepfashion2")
    return {seen.partition: seen.data_version for seen in observations if seen.asset_key == source}


def test_an_observation_records_a_version_of_each_split_that_changes_with_its_files_only(
    platform: Platform,
) -> None:
    platform.data.image("test", 1)
    first = observed_versions(platform)
    assert first.keys() == set(SPLITS)
    assert len(set(first.values())) == len(SPLITS)
    assert observed_versions(platform) == first

    seen = [first]
    for change in (
        platform.touch,
        lambda: platform.data.image("train", 999),
        lambda: platform.data.raw_annotation("train", 999, b"{}"),
        lambda: (platform.data.root / "train" / "image" / "000999.jpg").unlink(),
    ):
        change()
        seen.append(observed_versions(platform))

    assert len({versions["train"] for versions in seen}) == len(seen)
    for split in ("validation", "test"):
        assert {versions[split] for versions in seen} == {first[split]}
