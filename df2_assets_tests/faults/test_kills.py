"""Builds that are killed or stopped at any moment: the next one ends in the same bytes."""

import os
import signal
from collections.abc import Callable

import pytest

from df2_assets_tests.faults.arena import Arena, Moment, Undisturbed
from df2_assets_tests.faults.conftest import Faults
from df2_assets_tests.support import processes
from df2_assets_tests.support.processes import Started, Text
from df2_assets_tests.support.snapshots import crop_stamps

IMAGES = 1000
KEPT = 0.9
"""The share of the crops on disk after a kill that the next build keeps."""

Send = Callable[[Started, int], None]


def end(ground: Arena, moment: Moment, send: Send, number: int, patience: float = 20) -> Text:
    """Start a build, send it a signal, and assert that no process of it remains."""
    with ground.command() as process:
        ground.wait_for(moment, process)
        started = processes.descendants(process.pid)
        send(process, number)
        done = process.end()
        processes.assert_gone(started, patience)
    return done


@pytest.mark.parametrize(
    "send", [Started.signal, Started.signal_group], ids=["main process", "process group"]
)
def test_a_build_killed_at_any_moment_is_continued(
    send: Send, undisturbed: Undisturbed, faults: Faults
) -> None:
    """Some are killed again and again, before one may finish."""
    found = kept = 0
    for rng, ground in faults.arenas(undisturbed.df2_root, short=2, long=30):
        for _ in range(rng.choice((1, 1, 2, 3))):
            end(ground, undisturbed.moment(rng), send, signal.SIGKILL)
            faults.count("kills")
        finished = ground.finished()
        left = {path: at for path, at in crop_stamps(ground.sku).items() if path.endswith(".jpg")}
        ground.rerun()
        after = crop_stamps(ground.sku)
        assert {path: after[path] for path in finished} == {path: left[path] for path in finished}
        found += len(left)
        kept += sum(after[path] == stamp for path, stamp in left.items())
        ground.assert_as(undisturbed)
    assert found > 0
    assert kept >= KEPT * found


def test_a_build_survives_the_death_of_its_workers(
    undisturbed: Undisturbed, faults: Faults
) -> None:
    for rng, ground in faults.arenas(undisturbed.df2_root, short=1, long=30):
        with ground.command() as process:
            ground.wait_for(undisturbed.moment(rng), process)
            workers = processes.workers(process.pid)
            if workers:
                os.kill(rng.choice(workers), signal.SIGKILL)
                faults.count("kills")
            done = process.end()
        assert done.returncode == 0, done
        ground.assert_as(undisturbed)


@pytest.mark.parametrize(
    ("send", "number"),
    [
        (Started.signal, signal.SIGTERM),
        (Started.signal_group, signal.SIGINT),
        (Started.signal_group, signal.SIGHUP),
    ],
    ids=["kill", "Ctrl-C", "closed terminal"],
)
def test_a_build_stopped_at_any_moment_leaves_no_process(
    send: Send, number: int, undisturbed: Undisturbed, faults: Faults
) -> None:
    for rng, ground in faults.arenas(undisturbed.df2_root, short=1, long=40):
        done = end(ground, undisturbed.moment(rng), send, number, patience=2)
        states = ground.runs()
        assert states in ([], ["CANCELED"], ["SUCCESS"]), done
        assert done.returncode != 0 or states == ["SUCCESS"], done
        faults.count("stops")
        ground.rerun()
        ground.assert_as(undisturbed)
