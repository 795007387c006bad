"""A run on Ray that is ended in the UI, and the next one."""

import os
import signal
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from df2_assets.store import journal
from df2_assets.store.crop_sets import contract_crops
from df2_assets.store.layout import Roots
from df2_assets_tests.support import processes, webserver
from df2_assets_tests.support.builder import write_pairs
from df2_assets_tests.support.engines import raylets, two_nodes
from df2_assets_tests.support.run import build
from df2_assets_tests.support.site import only
from df2_assets_tests.support.snapshots import contract
from df2_assets_tests.support.webserver import Dev

pytestmark = pytest.mark.ray

IMAGES = 192


def of_ray(pid: int) -> set[int]:
    """The processes of Ray among those that `pid` has started."""
    commands = {child: processes.command_line(child) for child in processes.descendants(pid)}
    return {child for child, said in commands.items() if "/ray/session_" in said or "ray::" in said}


@pytest.fixture(params=["own", "cluster"])
def cluster(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A cluster that runs, or None: the run has a Ray of its own."""
    with two_nodes() if request.param == "cluster" else nullcontext() as found:
        yield found


@pytest.fixture
def dev(cluster: Any, tmp_path: Path) -> Iterator[Dev]:
    """`dagster dev`, whose runs build on Ray."""
    address = {"RAY_ADDRESS": cluster.address} if cluster else {}
    settings = {"DF2_ENGINE": "ray", **address}
    data = write_pairs(tmp_path / "df2", IMAGES)
    with webserver.dev(webserver.station(tmp_path, data.root, **settings)) as dev:
        yield dev.wait()


def test_a_run_that_is_terminated_in_the_ui_leaves_no_task_and_the_next_goes_on(
    cluster: Any, dev: Dev, tmp_path: Path
) -> None:
    roots = Roots(dev.station.df2_root, dev.station.sku, str(dev.station.sku))

    run_id = dev.api.launch("train")
    processes.wait_until(lambda: journal.read(roots, contract_crops("train")), dev.process)
    started = of_ray(dev.process.pid)
    parents = [dev.process.pid, *(raylets(cluster) if cluster else [])]
    at_work = processes.wait_until(lambda: [w for pid in parents for w in processes.workers(pid)])
    os.kill(at_work[0], signal.SIGSTOP)  # its task does not end by itself
    dev.api.terminate(run_id)
    dev.api.wait_for(run_id, "CANCELED")
    processes.assert_gone([*started, *at_work])
    finished = len(journal.read(roots, contract_crops("train")))
    assert 0 < finished < 2 * IMAGES

    dev.api.wait_for(dev.api.launch("train"), "SUCCESS")
    only(build(dev.station.df2_root, tmp_path / "local"))
    assert contract(dev.station.sku) == contract(tmp_path / "local")
    assert cluster is None or cluster.remaining_processes_alive()
