"""The platform as compose.yaml deploys it, with a real PostgreSQL that stops and starts.

The commands and health checks of its services run as plain processes, without a container engine.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, TypeVar
from urllib.error import HTTPError

import pytest

from df2_assets.errors import BusyError
from df2_assets.store.layout import Roots
from df2_assets.store.lock import writer
from df2_assets_tests.e2e.conftest import BAD, GOOD, held_while_cutting, write
from df2_assets_tests.support import compose, postgres, processes, webserver
from df2_assets_tests.support.compose import Services
from df2_assets_tests.support.postgres import Server
from df2_assets_tests.support.processes import PROJECT
from df2_assets_tests.support.run import build
from df2_assets_tests.support.snapshots import contract
from df2_assets_tests.support.webserver import ENDED, Dev, station

pytestmark = pytest.mark.postgres

T = TypeVar("T")
SETTINGS = PROJECT / "deploy" / "dagster.yaml"
ASSETS = 6


class Deployment(NamedTuple):
    """A database, the platform that stores its history there, and the expected build."""

    database: Server
    web: Dev
    services: Services
    expected: dict[str, bytes | None]

    def launch(self, split: str, sku_root: Path) -> str:
        data = {"df2_root": str(self.web.station.df2_root), "sku_root": str(sku_root)}
        config = {"resources": {"data": {"config": data}}}
        return self._answer(lambda: self.web.api.launch(split, config))

    def end_of(self, run_id: str) -> str:
        """Return how a run ends."""
        return self._answer(lambda: next(iter({self.web.api.status(run_id)} & ENDED), None))

    def events(self, run_id: str) -> list[str]:
        """Return the kinds of a run's events, in order."""
        sql = "SELECT dagster_event_type FROM event_logs WHERE run_id = '{}' ORDER BY id"
        return self.database.query(sql.format(run_id)).split()

    def _answer(self, ask: Callable[[], T | None]) -> T:
        """Ask until there is an answer: a connection that the restart has cut gives one error."""

        def once() -> T | None:
            with suppress(HTTPError):
                return ask()
            return None

        return processes.wait_until(once)


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    folder = tmp_path_factory.mktemp("deployed")
    write(folder / "df2")
    assert build(folder / "df2", folder / "undisturbed", (GOOD,)).success
    expected = contract(folder / "undisturbed", GOOD)
    with postgres.server() as database:
        place = station(folder, folder / "df2", SETTINGS, **database.environment)
        with compose.running(place) as (services, web):
            yield Deployment(database, web, services, expected)


def roots(deployed: Deployment, folder: Path) -> Roots:
    return Roots(deployed.web.station.df2_root, folder, str(folder))


def is_held(roots: Roots, split: str) -> bool:
    """Return whether a build holds the split."""
    try:
        with writer(roots, split, "a look"):
            return False
    except BusyError:
        return True


def test_a_run_goes_on_when_the_database_restarts_and_nothing_is_lost(
    deployed: Deployment, tmp_path: Path
) -> None:
    failed = deployed.launch(BAD, tmp_path)
    assert deployed.end_of(failed) == "FAILURE"
    history = deployed.events(failed)

    run_id = deployed.launch(GOOD, tmp_path)
    with held_while_cutting(deployed.web.process, roots(deployed, tmp_path), GOOD):
        so_far = deployed.events(run_id)
        deployed.database.stop()
        deployed.database.start()
    assert deployed.end_of(run_id) == "SUCCESS"

    assert contract(tmp_path, GOOD) == deployed.expected
    events = deployed.events(run_id)
    assert "STEP_START" in so_far
    assert events[: len(so_far)] == so_far
    assert events.count("ASSET_MATERIALIZATION") == ASSETS
    assert events.count("STEP_SUCCESS") == events.count("STEP_START")
    assert deployed.events(failed) == history


def test_a_run_that_the_database_leaves_is_marked_failed_and_the_next_one_completes(
    deployed: Deployment, tmp_path: Path
) -> None:
    """The database is stopped until the run has given up."""
    lost = deployed.launch(GOOD, tmp_path)
    with held_while_cutting(deployed.web.process, roots(deployed, tmp_path), GOOD) as workers:
        deployed.database.stop()
    processes.wait_until(lambda: not is_held(roots(deployed, tmp_path), GOOD))
    processes.assert_gone(workers)
    deployed.database.start()

    assert deployed.end_of(lost) == "FAILURE"
    assert deployed.end_of(deployed.launch(GOOD, tmp_path)) == "SUCCESS"
    assert contract(tmp_path, GOOD) == deployed.expected


def test_old_runs_are_deleted_from_it_with_their_events(
    deployed: Deployment, tmp_path: Path
) -> None:
    first, second = (deployed.launch(GOOD, tmp_path) for _ in range(2))
    assert {deployed.end_of(run_id) for run_id in (first, second)} == {"SUCCESS"}
    (tmp_path / "config.yaml").write_text(
        "ops: {delete_old_runs: {config: {keep_days: 0, dry_run: false}}}"
    )
    command = ("-m", "df2_assets.definitions", "-j", "clean_history")
    done = deployed.web.station.dagster(
        "job", "execute", *command, "-c", str(tmp_path / "config.yaml")
    )
    assert done.returncode == 0, done.stderr
    assert deployed.events(first) == []
    assert deployed.events(second).count("ASSET_MATERIALIZATION") == ASSETS
    left = deployed.database.query("SELECT run_id FROM runs").split()
    assert first not in left
    assert second in left


def test_a_build_at_the_terminal_of_the_code_server_is_in_the_same_history(
    deployed: Deployment, tmp_path: Path
) -> None:
    before = {run["runId"] for run in deployed.web.api.runs(partition=GOOD)}
    done = deployed.services.run("df2-assets", "build", "--split", GOOD)
    assert done.returncode == 0, done
    runs = {run["runId"]: run["status"] for run in deployed.web.api.runs(partition=GOOD)}
    assert [status for run, status in runs.items() if run not in before] == ["SUCCESS"]
    assert contract(deployed.web.station.sku, GOOD) == deployed.expected


def test_every_service_is_healthy(deployed: Deployment) -> None:
    """The others are healthy since they started. The heartbeat of the daemon comes later."""
    for service in ("code", "webserver", "daemon", "reports"):
        done = deployed.services.check_health(service)
        assert done.returncode == 0, (service, done)


def test_it_listens_on_this_machine_alone(deployed: Deployment) -> None:
    for pid in (deployed.web.process.pid, deployed.database.pid):
        assert webserver.listening(pid) == {webserver.LOOPBACK}
