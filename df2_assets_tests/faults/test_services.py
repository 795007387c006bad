"""Runs launched from the UI while parts of `dagster dev` are killed, or the run is terminated."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from df2_assets.store.layout import Roots
from df2_assets_tests.faults.arena import (
    SPLIT,
    UNFINISHED,
    Arena,
    Moment,
    Undisturbed,
    all_files,
    arena,
    marks,
)
from df2_assets_tests.faults.conftest import Faults
from df2_assets_tests.support import processes, webserver
from df2_assets_tests.support.snapshots import contract
from df2_assets_tests.support.webserver import ENDED, Api, Dev

IMAGES = 600
PARTS = {
    "webserver": "dagster_webserver",
    "daemon": "dagster._daemon",
    "code server": "dagster api grpc",
    "run worker": "multiprocessing.spawn",
}
"""Processes of `dagster dev`, by a part of their command line."""


@pytest.fixture(scope="module")
def dev(undisturbed: Undisturbed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dev]:
    """Run one `dagster dev` for the tests that do not stop it."""
    ground = arena(tmp_path_factory.mktemp("dev") / "station", undisturbed.df2_root)
    with webserver.dev(ground.station) as dev:
        yield dev.wait()


class Target(NamedTuple):
    """A separate SKU_ROOT for runs launched from the UI."""

    roots: Roots

    @property
    def config(self) -> dict[str, Any]:
        given = {"df2_root": str(self.roots.df2_root), "sku_root": self.roots.out_root}
        return {"resources": {"data": {"config": given}}}

    def wait(self, moment: Moment) -> None:
        """Wait until a first build there has reached a mark."""
        if moment.mark > 0:
            processes.wait_until(marks(self.roots)[moment.mark - 1].exists)
        time.sleep(moment.after)

    def assert_as(self, undisturbed: Undisturbed) -> None:
        assert contract(self.roots.sku_root) == undisturbed.contract
        assert all_files(self.roots.sku_root) == undisturbed.files


def target(folder: Path, undisturbed: Undisturbed) -> Target:
    return Target(Roots(undisturbed.df2_root, folder, str(folder)))


def find_process(dev: Dev, name: str) -> int | None:
    """Return a process of `dagster dev`, or None if it is missing or `dagster dev` itself."""
    found = (
        pid
        for pid in processes.descendants(dev.process.pid)
        if name in PARTS and PARTS[name] in processes.command_line(pid)
    )
    return next(found, None)


def wait_until_ended(api: Api, run_id: str) -> str:
    """Wait until the UI does not show a run as running any more, and return its status."""

    def end() -> str | None:
        return next(iter({api.status(run_id)} & ENDED), None)

    return processes.wait_until(end, patience=2 * processes.PATIENCE)


def test_a_run_of_the_ui_whose_process_is_killed_holds_nothing_back_and_the_next_goes_on(
    dev: Dev, undisturbed: Undisturbed, faults: Faults
) -> None:
    for rng, folder in faults.cases(short=1, long=12):
        place = target(folder, undisturbed)
        run_id = dev.api.launch(SPLIT, place.config)
        place.wait(undisturbed.moment(rng))
        pid = find_process(dev, "run worker")
        if pid is not None:
            os.kill(pid, signal.SIGKILL)
            faults.count("kills")
        assert wait_until_ended(dev.api, run_id) in ("FAILURE", "SUCCESS")
        dev.api.wait_for(dev.api.launch(SPLIT, place.config), "SUCCESS")
        place.assert_as(undisturbed)


def test_a_run_that_is_terminated_in_the_ui_is_canceled_and_the_next_goes_on(
    dev: Dev, undisturbed: Undisturbed, faults: Faults
) -> None:
    for rng, folder in faults.cases(short=1, long=15):
        place = target(folder, undisturbed)
        run_id = dev.api.launch(SPLIT, place.config)
        place.wait(undisturbed.moment(rng))
        workers = processes.workers(dev.process.pid)
        if dev.api.status(run_id) not in ENDED:
            dev.api.terminate(run_id)
        assert wait_until_ended(dev.api, run_id) in ("CANCELED", "SUCCESS")
        processes.assert_gone(workers, patience=2)
        dev.api.wait_for(dev.api.launch(SPLIT, place.config), "SUCCESS")
        place.assert_as(undisturbed)
        faults.count("stops")


def test_of_a_build_of_the_ui_and_one_of_the_command_line_one_builds(
    undisturbed: Undisturbed, dev: Dev, faults: Faults
) -> None:
    for rng, folder in faults.cases(short=1, long=15):
        place = target(folder, undisturbed)
        ground = Arena(dev.station)
        run_id = dev.api.launch(SPLIT, place.config)
        time.sleep(rng.uniform(0, 2))
        with ground.command(SKU_ROOT=place.roots.sku_root) as process:
            done = process.end()
        status = wait_until_ended(dev.api, run_id)
        assert status == "SUCCESS" or done.returncode == 0, done
        assert done.returncode == 0 or "train is being built by" in done.stderr, done
        place.assert_as(undisturbed)
        faults.count("races")


@pytest.mark.parametrize("victim", ["code server", "daemon", "webserver", "dagster dev", "all"])
def test_after_the_services_are_killed_no_run_is_shown_as_running_and_builds_continue(
    victim: str, undisturbed: Undisturbed, faults: Faults
) -> None:
    """What the kill leaves of `dagster dev` is killed as well, immediately or after the run.

    The short form skips the minute after which a run that never began is failed.
    """
    for rng, ground in faults.arenas(undisturbed.df2_root, short=int(victim == "all"), long=5):
        place = Target(ground.roots)
        with webserver.dev(ground.station) as dev:
            run_id = dev.wait().api.launch(SPLIT)
            place.wait(undisturbed.moment(rng, first=faults.amount(short=1, long=0)))
            if victim == "all":
                dev.process.signal_group(signal.SIGKILL)
            else:
                os.kill(find_process(dev, victim) or dev.process.pid, signal.SIGKILL)
            faults.count("kills")
            if victim == "code server" and rng.random() < 0.5:
                wait_until_ended(dev.api, run_id)
            elif victim in ("daemon", "webserver"):
                dev.process.end()
        with webserver.dev(ground.station) as dev:
            wait_until_ended(dev.wait().api, run_id)
            dev.api.wait_for(dev.api.launch(SPLIT), "SUCCESS")
        place.assert_as(undisturbed)
        assert not UNFINISHED & set(ground.runs())
