"""The platform as a user sees it: `dagster dev` over a small data set."""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from df2_assets.store.layout import Roots
from df2_assets_tests.support import processes, webserver
from df2_assets_tests.support.builder import write_pairs
from df2_assets_tests.support.processes import Started
from df2_assets_tests.support.webserver import Dev, station

GOOD, BAD = "train", "validation"
BAD_IMAGES = ("000007", "000021", "000040")
"""The images whose item 2 has a reversed box: too many for a split of this size."""


def write(root: Path) -> None:
    """Write 100 good images of 50 pairs, and 40 of 20 pairs, of which three have a bad item."""
    size = (900, 700)
    write_pairs(root, 100, (GOOD,), size)
    write_pairs(root, 40, (BAD,), size)
    for image in BAD_IMAGES:
        path = root / BAD / "annos" / f"{image}.json"
        annotation = json.loads(path.read_text())
        annotation["item2"]["bounding_box"] = [500, 300, 200, 690]
        path.write_text(json.dumps(annotation))


@pytest.fixture(scope="module")
def ui(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dev]:
    """Start `dagster dev` and the reports before anything is built."""
    folder = tmp_path_factory.mktemp("ui")
    write(folder / "df2")
    served = station(folder, folder / "df2")
    with webserver.dev(served) as started, webserver.reports(served):
        yield started.wait()


@contextmanager
def held_while_cutting(started: Started, roots: Roots, split: str) -> Iterator[list[int]]:
    """Stop the workers of a build as soon as it cuts crops, until the end of the block.

    Builds are descendants of the process `started`.
    """
    journal = roots.journal(split)
    processes.wait_until(lambda: journal.exists() and journal.stat().st_size, started)
    stopped = processes.workers(started.pid)
    assert stopped
    for worker in stopped:
        os.kill(worker, signal.SIGSTOP)
    try:
        yield stopped
    finally:
        for worker in filter(processes.lives, stopped):
            os.kill(worker, signal.SIGCONT)
