"""Builds that are told to end: nothing of them lives on, the run is canceled, the next goes on."""

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from df2_assets_tests.faults.arena import Undisturbed, arena, remove
from df2_assets_tests.faults.conftest import Faults, Figures
from df2_assets_tests.support import processes
from df2_assets_tests.support.processes import Started

IMAGES = 600


@pytest.mark.parametrize(
    ("send", "number"),
    [
        (Started.signal, signal.SIGTERM),
        (Started.signal_group, signal.SIGINT),
        (Started.signal_group, signal.SIGHUP),
    ],
    ids=["kill", "Ctrl-C", "closed terminal"],
)
def test_a_build_that_is_told_to_end_at_any_moment_leaves_nothing_running(
    send: Callable[[Started, int], None],
    number: int,
    undisturbed: Undisturbed,
    faults: Faults,
    figures: Figures,
    tmp_path: Path,
) -> None:
    for case in range(faults.amount(short=1, long=40)):
        rng = faults.random(case)
        ground = arena(tmp_path / str(case), undisturbed.df2_root)
        with ground.command() as process:
            ground.wait_for(undisturbed.moment(rng), process)
            started = processes.descendants(process.pid)
            send(process, number)
            done = process.end()
            processes.assert_gone(started, patience=2)
        states = ground.runs()
        assert states in ([], ["CANCELED"], ["SUCCESS"]), done
        assert done.returncode != 0 or states == ["SUCCESS"], done
        figures.count("stops")
        ground.rerun()
        ground.assert_as(undisturbed)
        remove(ground)
