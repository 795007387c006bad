"""kill -9 at any moment: what was finished stays, and the next build ends in the same bytes."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from df2_assets_tests.faults.arena import (
    Arena,
    Moment,
    Undisturbed,
    arena,
    remove,
)
from df2_assets_tests.faults.conftest import Faults, Figures
from df2_assets_tests.support import processes
from df2_assets_tests.support.processes import Started
from df2_assets_tests.support.snapshots import crop_stamps

IMAGES = 1000
KEPT = 0.9
"""Of the crops on disk when a build is killed, this share is not made again."""


@pytest.mark.parametrize(
    "kill", [Started.signal, Started.signal_group], ids=["main process", "process group"]
)
def test_a_build_killed_at_any_moment_goes_on_from_there(
    kill: Callable[[Started, int], None],
    undisturbed: Undisturbed,
    faults: Faults,
    figures: Figures,
    tmp_path: Path,
) -> None:
    """Some are killed again, and again, before one may end."""
    found = kept = 0
    for case in range(faults.amount(short=2, long=30)):
        rng = faults.random(case)
        ground = arena(tmp_path / str(case), undisturbed.df2_root)
        for _ in range(rng.choice((1, 1, 2, 3))):
            _kill(ground, undisturbed.moment(rng), kill)
            figures.count("kills")
        finished = ground.finished()
        left = {path: at for path, at in crop_stamps(ground.sku).items() if path.endswith(".jpg")}
        ground.rerun()
        after = crop_stamps(ground.sku)
        assert {path: after[path] for path in finished} == {path: left[path] for path in finished}
        found += len(left)
        kept += sum(after[path] == stamp for path, stamp in left.items())
        ground.assert_as(undisturbed)
        remove(ground)
    assert found > 0
    assert kept >= KEPT * found


def _kill(ground: Arena, moment: Moment, kill: Callable[[Started, int], None]) -> None:
    """Start the command, kill it, and see that nothing of it lives on."""
    with ground.command() as process:
        ground.wait_for(moment, process)
        started = processes.descendants(process.pid)
        kill(process, signal.SIGKILL)
        process.end()
        processes.assert_gone(started)


def test_a_build_outlives_its_workers(
    undisturbed: Undisturbed, faults: Faults, figures: Figures, tmp_path: Path
) -> None:
    for case in range(faults.amount(short=1, long=30)):
        rng = faults.random(case)
        ground = arena(tmp_path / str(case), undisturbed.df2_root)
        with ground.command() as process:
            ground.wait_for(undisturbed.moment(rng), process)
            workers = processes.workers(process.pid)
            if workers:
                os.kill(rng.choice(workers), signal.SIGKILL)
                figures.count("kills")
            done = process.end()
        assert done.returncode == 0, done
        ground.assert_as(undisturbed)
        remove(ground)
