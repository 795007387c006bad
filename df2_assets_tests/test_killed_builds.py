"""Builds that end early: what they leave, and how the next one continues."""

import os
import re
import shutil
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import pytest

from df2_assets.pipeline.cutting import CropShard
from df2_assets.pipeline.reading import IndexShard
from df2_assets.store import state
from df2_assets_tests.faults.arena import SPLIT, Arena, Undisturbed, all_files, arena
from df2_assets_tests.support import oracle, processes
from df2_assets_tests.support.builder import write_pairs
from df2_assets_tests.support.compare import assert_same_output, refused
from df2_assets_tests.support.engines import Deadly, build_while, build_with
from df2_assets_tests.support.oracle import Refusal
from df2_assets_tests.support.processes import Started
from df2_assets_tests.support.run import read_table
from df2_assets_tests.support.site import Site
from df2_assets_tests.support.snapshots import contract, crop_stamps, stamps

IMAGES = 96
UNWANTED = {
    "local": processes.UNWANTED_IN_WORKERS,
    "ray": {"pandas"},  # the others Ray itself loads
}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    """Build images that take a worker some time, so that a build can be stopped half way."""
    folder = tmp_path_factory.mktemp("undisturbed")
    ground = arena(folder, write_pairs(folder / "df2", IMAGES).root)
    ground.rerun()
    return Undisturbed(ground.station.df2_root, contract(ground.sku), all_files(ground.sku), [])


@pytest.fixture
def ground(undisturbed: Undisturbed, tmp_path: Path) -> Arena:
    return arena(tmp_path, undisturbed.df2_root)


@pytest.fixture(params=["local", pytest.param("ray", marks=pytest.mark.ray)])
def engine(request: pytest.FixtureRequest) -> str:
    if request.param == "ray":
        pytest.importorskip("ray", reason="needs the ray extra")
    return str(request.param)


@contextmanager
def half_done(ground: Arena, engine: str) -> Iterator[Started]:
    """Start a build in a process, and wait until half of the crops are done."""
    with ground.command(DF2_ENGINE=engine) as process:
        processes.wait_until(ground.finished, process)
        yield process


@pytest.mark.parametrize(
    ("send", "number", "status"),
    [
        pytest.param(Started.signal, signal.SIGKILL, "STARTED", marks=pytest.mark.slow),
        pytest.param(Started.signal_group, signal.SIGKILL, "STARTED", marks=pytest.mark.slow),
        pytest.param(Started.signal, signal.SIGTERM, "CANCELED", marks=pytest.mark.slow),
        (Started.signal_group, signal.SIGINT, "CANCELED"),
    ],
    ids=["kill -9", "kill -9 of the group", "kill", "Ctrl-C"],
)
def test_a_stopped_build_continues_after_its_finished_shards(
    ground: Arena,
    engine: str,
    undisturbed: Undisturbed,
    send: Callable[[Started, int], None],
    number: int,
    status: str,
) -> None:
    killed = number == signal.SIGKILL
    with half_done(ground, engine) as process:
        # Agents of a Ray whose driver was killed stay for about a minute, at no work.
        idle = killed and engine == "ray"
        started = (processes.workers if idle else processes.descendants)(process.pid)
        send(process, number)
        done = process.end()
        processes.assert_gone(started)
    assert done.returncode == (-number if killed else 128 + number)
    assert killed or len(done.stderr.splitlines()) <= 2
    assert killed or "Traceback" not in done.stderr
    finished, left = ground.finished(), crop_stamps(ground.sku)
    kept = f"{len(finished)} new crops of {SPLIT} are finished and kept"
    assert killed or kept in done.stderr
    assert killed or kept in ground.station.log()
    assert 0 < len(finished) < 2 * IMAGES
    assert not state.load(ground.roots, SPLIT).complete
    assert ground.runs() == [status]

    numbers = ground.rerun()

    assert numbers["images_decoded"] == IMAGES - len(finished) / 2
    taken_over = f"Took over {len(finished)} crops of {SPLIT} from a build that was stopped."
    assert taken_over in ground.station.log()
    after = crop_stamps(ground.sku)
    assert {path: after[path] for path in finished} == {path: left[path] for path in finished}
    assert ground.runs() == ["FAILURE" if killed else status, "SUCCESS"]
    ground.assert_as(undisturbed)


def test_a_build_survives_the_death_of_one_worker(
    ground: Arena, engine: str, undisturbed: Undisturbed
) -> None:
    with half_done(ground, engine) as process:
        victim, other = processes.wait_until(lambda: both_at_work(process.pid), process)
        assert not processes.mapped_packages(other) & UNWANTED[engine]
        os.kill(victim, signal.SIGKILL)
        done = process.end()
    assert done.returncode == 0, done
    with dg.DagsterInstance.from_config(str(ground.station.home)) as instance:
        (run,) = instance.get_runs()
        log = [entry.user_message for entry in instance.all_logs(run.run_id)]
    (message,) = [line for line in log if "A worker process ended unexpectedly" in line]
    assert re.search(r"\d+ from .*/train/image/\d{6}.jpg to .*/train/image/\d{6}.jpg", message)
    assert f"warning: {message}" in done.stderr.splitlines()
    assert read_table(ground.sku, "refusals", SPLIT).empty
    assert ground.runs() == ["SUCCESS"]
    ground.assert_as(undisturbed)


def both_at_work(pid: int) -> list[int] | None:
    """Return the two workers of a build, once both have started to cut."""
    workers = processes.workers(pid)
    cutting = [worker for worker in workers if "PIL" in processes.mapped_packages(worker)]
    return cutting if len(cutting) == 2 else None


@pytest.mark.parametrize(
    ("kind", "items", "read"), [(CropShard, (1, 2), 0), (IndexShard, (None,), 1)]
)
def test_a_file_that_crashes_the_worker_is_refused_and_tried_again_by_the_next_build(
    original: Site,
    tmp_path: Path,
    kind: type[CropShard | IndexShard],
    items: tuple[int | None, ...],
    read: int,
) -> None:
    """Image 11 is the only catalog image of pair 1, whose other images are 12 and 13."""
    site = Site(original.data, tmp_path / "sku")
    outcome = build_with(Deadly("000011", kind), site.settings, SPLIT)
    assert outcome.success, outcome.problems
    table = read_table(site.sku, "refusals", SPLIT)
    assert refused(table) == Counter(
        Refusal(SPLIT, "000011", index, "unreadable_image") for index in items
    )
    assert all("ended the process" in detail for detail in table["detail"])
    rest = tmp_path / "rest"
    shutil.copytree(site.data.root, rest)
    (rest / SPLIT / "annos" / "000011.json").unlink()
    oracle.build(rest, tmp_path / "expected", [SPLIT])
    assert_same_output(site.sku, tmp_path / "expected")

    again = site.build().numbers
    assert again["raw_annotation_index"]["annotations_read"] == read
    assert again["crops"]["images_decoded"] == 3
    assert_same_output(site.sku, original.sku)


def test_a_second_build_of_a_split_says_who_holds_it_and_changes_nothing(site: Site) -> None:
    """The second is a command. It starts while the first, in this process, makes its first crop."""
    seconds: list[tuple[processes.Text, bool]] = []

    def build_too() -> None:
        if not seconds and not site.complete:
            before = stamps(site.sku)
            done = processes.run(
                (*processes.DF2_ASSETS, "build"), site.environment(), site.sku.parent
            )
            seconds.append((done, stamps(site.sku) == before))

    site.add_image()
    first = build_while(site.settings, SPLIT, build_too)

    ((second, unchanged),) = seconds
    assert second.returncode != 0
    holder = rf"error: train: train is being built by process {os.getpid()} on \S+ since \S+ .*\n"
    assert re.fullmatch(holder, second.stderr)
    assert unchanged
    assert first.success, first.problems
    assert_same_output(site.sku, site.read_independently())
