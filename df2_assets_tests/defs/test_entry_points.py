"""The same build from every door that Dagster has: its commands, its UI's API, its schedules."""

import json
import os
import re
import signal
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import dagster as dg
import pytest

from df2_assets.cli.runs import Outcome
from df2_assets.definitions import build_defs
from df2_assets.settings import Settings, read_settings
from df2_assets.store.layout import Roots
from df2_assets.store.lock import writer
from df2_assets_tests.support import processes, webserver
from df2_assets_tests.support.builder import DataSet, item, jpeg
from df2_assets_tests.support.processes import DAGSTER
from df2_assets_tests.support.random_data import random_dataset
from df2_assets_tests.support.run import build
from df2_assets_tests.support.site import QUIET, touch
from df2_assets_tests.support.snapshots import contract
from df2_assets_tests.support.webserver import Dev, Station, station

SPLITS = ("train", "validation", "test")
MODULE = ("-m", "df2_assets.definitions")
JOB = ("-j", "build_dataset", "--tags")
SECOND = "11111111-2222-4333-8444-555555555555"
WARNINGS = re.compile("Preview|Beta|Deprecat")


class Expected(NamedTuple):
    """A small data set, and what our own command makes of each split: bytes, and checks passed."""

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
    """Whether each check has passed, by its asset and name."""
    raised = {": ".join(said.split(": ")[:2]): False for said in run.warned + run.failed}
    return dict.fromkeys(run.passed, True) | raised


@pytest.fixture
def commands(tmp_path: Path, expected: Expected) -> Station:
    return station(tmp_path, expected.df2_root)


def tags(split: str) -> str:
    return json.dumps({"dagster/partition": split})


def test_job_execute_builds_the_same(commands: Station, expected: Expected) -> None:
    done = commands.dagster("job", "execute", *MODULE, *JOB, tags("train"))
    assert done.returncode == 0, done.stderr
    assert not WARNINGS.search(done.stderr)
    assert contract(commands.sku, "train") == expected.contract["train"]
    assert commands.checks("train") == expected.checks["train"]


def test_asset_materialize_builds_the_same(commands: Station, expected: Expected) -> None:
    selection = ("--select", "*image_text,refusals", "--partition", "validation")
    done = commands.dagster("asset", "materialize", *MODULE, *selection)
    assert done.returncode == 0, done.stderr
    assert not WARNINGS.search(done.stderr)
    assert contract(commands.sku, "validation") == expected.contract["validation"]
    checks = expected.checks["validation"]
    # The source is only observed: its check is not part of a materialization.
    assert commands.checks("validation") == {
        name: passed for name, passed in checks.items() if not name.startswith("deepfashion2")
    }


def test_a_split_that_is_held_is_refused_with_the_holders_name(commands: Station) -> None:
    roots = Roots(commands.df2_root, commands.sku, str(commands.sku))
    with writer(roots, "train", "another-run"):
        done = commands.dagster("job", "execute", *MODULE, *JOB, tags("train"))
    assert done.returncode != 0
    assert f"train is being built by process {os.getpid()}" in done.stderr
    assert not (commands.sku / "train").exists()


def test_the_definitions_are_valid_and_loading_them_warns_of_nothing(commands: Station) -> None:
    """`definitions validate` warns of itself: that it is superseded."""
    env = commands.environment | {"PYTHONWARNINGS": "ignore:Function `definitions_validate"}
    command = (*DAGSTER, "definitions", "validate", *MODULE)
    done = processes.run(command, env, commands.folder)
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stdout + done.stderr
    assert "passed validation" in done.stdout + done.stderr


@pytest.fixture(scope="module", autouse=True)
def starting(expected: Expected, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dev]:
    """`dagster dev`, which gets ready while the first tests run."""
    with webserver.dev(station(tmp_path_factory.mktemp("dev"), expected.df2_root)) as starting:
        yield starting


@pytest.fixture(scope="module")
def dev(starting: Dev) -> Dev:
    """`dagster dev`, ready."""
    return starting.wait()


def test_a_run_launched_from_the_ui_builds_the_same(dev: Dev, expected: Expected) -> None:
    run_id = dev.api.launch("train")
    dev.api.wait_for(run_id, "SUCCESS")
    assert contract(dev.station.sku, "train") == expected.contract["train"]
    assert dev.station.checks("train") == expected.checks["train"]
    names = expected.checks["train"]
    assert {name: dev.api.check(name, "train") for name in names} == names
    processes.assert_gone(processes.workers(dev.process.pid))


class Slow(NamedTuple):
    """A data set that takes a while, and what it comes to when nothing disturbs its build."""

    roots: Roots
    contract: dict[str, bytes | None]
    checks: dict[str, bool]

    @property
    def config(self) -> dict[str, Any]:
        """Run config that points a run at this data set."""
        given = {"df2_root": str(self.roots.df2_root), "sku_root": self.roots.out_root}
        return {"resources": {"data": {"config": given}}}


@pytest.fixture
def slow(tmp_path: Path) -> Slow:
    data = DataSet(tmp_path / "df2")
    pictures = [jpeg((900, 700), seed=seed) for seed in range(10)]
    for image in range(1, 101):
        items: dict[int | str, Any] = {1: item(1, 1, [image % 50, 5, 700, 600])}
        data.raw_image("train", image, pictures[image % 10])
        data.annotation("train", image, ("shop", "user")[image % 2], (image + 1) // 2, items)
    undisturbed = build(data.root, tmp_path / "undisturbed")
    assert undisturbed.success, undisturbed.problems
    return Slow(
        Roots(data.root, tmp_path / "sku", str(tmp_path / "sku")),
        contract(tmp_path / "undisturbed"),
        verdicts(undisturbed.runs[0]),
    )


def test_a_terminated_run_is_canceled_and_one_that_waited_for_it_goes_on_from_there(
    dev: Dev, slow: Slow
) -> None:
    """The first is launched from the UI, the second by `dagster job launch`."""
    first = dev.api.launch("train", slow.config)
    journal = slow.roots.journal("train")
    processes.wait_until(lambda: journal.exists() and journal.stat().st_size, dev.process)
    workers = processes.workers(dev.process.pid)
    assert len(workers) == 2
    for worker in workers:
        os.kill(worker, signal.SIGSTOP)
        assert "PIL" in processes.mapped_packages(worker)
        assert not processes.mapped_packages(worker) & processes.UNWANTED_IN_WORKERS
    config = ("--config-json", json.dumps(slow.config))
    launched = dev.station.dagster(
        "job", "launch", *MODULE, *JOB, tags("train"), *config, "--run-id", SECOND
    )
    assert launched.returncode == 0, launched
    busy = build(slow.roots.df2_root, slow.roots.sku_root)
    dev.api.terminate(first)

    dev.api.wait_for(first, "CANCELED")
    processes.assert_gone(workers)
    assert "train is being built by process" in busy.problems[0]
    dev.api.wait_for(SECOND, "SUCCESS")
    assert contract(slow.roots.sku_root) == slow.contract
    assert dev.station.checks("train") == slow.checks
    assert list(slow.roots.sku_root.rglob("*.tmp")) == []


def test_everything_that_is_served_listens_on_this_machine_alone(dev: Dev) -> None:
    assert webserver.listening(dev.process.pid) == {webserver.LOOPBACK}


def test_make_ui_serves_this_machine_alone() -> None:
    command = ["make", "-n", "-C", str(processes.PROJECT), "ui"]
    said = processes.run(tuple(command), dict(os.environ), processes.PROJECT)
    assert "dagster dev --host 127.0.0.1 " in said.stdout


def test_the_ui_shows_the_schedules_switched_off(dev: Dev) -> None:
    assert dev.api.schedules() == {
        "nightly_build": "STOPPED",
        "weekly_verification": "STOPPED",
        "hourly_observation": "STOPPED",
        "daily_freshness": "STOPPED",
    }


def schedule(name: str, **environment: str) -> dg.ScheduleDefinition:
    """A schedule as the environment has it."""
    return build_defs(read_settings(environment)).resolve_schedule_def(name)


SCHEDULES = ("nightly_build", "daily_freshness", "weekly_verification", "hourly_observation")


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules_are_off_until_they_are_turned_on(name: str) -> None:
    assert schedule(name).default_status == dg.DefaultScheduleStatus.STOPPED
    turned_on = schedule(name, DF2_SCHEDULES="on")
    assert turned_on.default_status == dg.DefaultScheduleStatus.RUNNING


def test_when_the_nightly_build_runs_is_a_setting() -> None:
    assert schedule("nightly_build").cron_schedule == "0 2 * * *"
    assert schedule("nightly_build", DF2_CRON="30 4 * * 1").cron_schedule == "30 4 * * 1"


def tick(name: str, day: int, **environment: str) -> list[dg.RunRequest]:
    """What a schedule asks for on a day of March."""
    defs = build_defs(read_settings(environment))
    context = dg.build_schedule_context(
        scheduled_execution_time=datetime(2026, 3, day, 2, tzinfo=UTC),
        repository_def=defs.get_repository_def(),
    )
    return list(defs.resolve_schedule_def(name).evaluate_tick(context).run_requests or [])


@pytest.mark.parametrize("name", ["nightly_build", "daily_freshness", "weekly_verification"])
def test_a_schedule_asks_for_one_run_of_each_split_of_the_settings(name: str) -> None:
    asked = [request.partition_key for request in tick(name, 1)]
    assert sorted(map(str, asked)) == sorted(SPLITS)
    asked = [request.partition_key for request in tick(name, 1, SPLITS="validation train")]
    assert sorted(map(str, asked)) == ["train", "validation"]


def test_the_nightly_build_asks_anew_each_night() -> None:
    """Dagster skips a request whose key it has seen."""
    keys = {request.run_key for day in (1, 2, 3) for request in tick("nightly_build", day)}
    assert len(keys) == 3 * len(SPLITS)


class Observer(NamedTuple):
    """Looks at a data set with the job `observe_sources`, on an instance of its own."""

    data: DataSet
    instance: dg.DagsterInstance

    def versions(self) -> dict[str, str | None]:
        """The data version that the job records now, split by split."""
        defs = build_defs(Settings(df2_root=self.data.root))
        job = defs.resolve_job_def("observe_sources")
        result = job.execute_in_process(run_config=QUIET, instance=self.instance)
        found = {}
        for event in result.get_asset_observation_events():
            seen = event.asset_observation_data.asset_observation
            if seen.asset_key == dg.AssetKey("deepfashion2"):
                found[str(seen.partition)] = seen.data_version
        return found


@pytest.fixture
def observer(tmp_path: Path) -> Iterator[Observer]:
    data = random_dataset(tmp_path / "df2", 3, SPLITS, images=4)
    with dg.DagsterInstance.ephemeral() as instance:
        yield Observer(data, instance)


def test_an_observation_records_a_version_of_each_split_that_changes_with_its_files_only(
    observer: Observer,
) -> None:
    first = observer.versions()
    assert first.keys() == set(SPLITS)
    assert len(set(first.values())) == len(SPLITS)
    assert observer.versions() == first

    seen = [first]
    touch(next((observer.data.root / "train" / "image").iterdir()))
    seen.append(observer.versions())
    observer.data.image("train", 999)
    seen.append(observer.versions())
    observer.data.raw_annotation("train", 999, b"{}")
    seen.append(observer.versions())
    (observer.data.root / "train" / "image" / "000999.jpg").unlink()
    seen.append(observer.versions())

    assert len({versions["train"] for versions in seen}) == len(seen)
    for split in ("validation", "test"):
        assert {versions[split] for versions in seen} == {first[split]}
