"""Builds that end before they are done: what they leave, and how the next one goes on."""

import os
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import dagster as dg
import pandas as pd
import pytest

from df2_assets.pipeline.cutting import CropShard
from df2_assets.pipeline.reading import IndexShard
from df2_assets.settings import Settings
from df2_assets.store import journal, state
from df2_assets.store.layout import Roots
from df2_assets_tests.support import processes
from df2_assets_tests.support.builder import write_pairs
from df2_assets_tests.support.compare import assert_same_output, metadata
from df2_assets_tests.support.engines import Deadly, build_while, build_with
from df2_assets_tests.support.processes import Started
from df2_assets_tests.support.run import build, read_table
from df2_assets_tests.support.site import Site, only, write_and_build
from df2_assets_tests.support.snapshots import contract, crop_stamps, stamps

SPLIT = "train"
IMAGES = 96
UNWANTED = {
    "local": processes.UNWANTED_IN_WORKERS,
    "ray": {"pandas"},  # the others Ray itself loads
}
SKU_ROOT = Path("sku")
"""As given: relative, so that every build says the same in its metadata."""


@pytest.fixture(scope="module")
def df2_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pairs of images that take a worker a while, so that a build can be ended half way."""
    return write_pairs(tmp_path_factory.mktemp("data") / "df2", IMAGES).root


@pytest.fixture(scope="module")
def undisturbed(
    df2_root: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, bytes | None]:
    """The bytes of a build that nothing has disturbed."""
    folder = tmp_path_factory.mktemp("undisturbed")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        only(build(df2_root, SKU_ROOT))
    return contract(folder / SKU_ROOT)


class Place(NamedTuple):
    """Where a test builds: the current folder."""

    folder: Path
    df2_root: Path
    engine: str

    @property
    def sku(self) -> Path:
        return self.folder / SKU_ROOT

    @property
    def roots(self) -> Roots:
        return Roots(self.df2_root, self.sku, str(SKU_ROOT))

    @contextmanager
    def command(self) -> Iterator[Started]:
        """The build as a command in a process of its own, half way through the crops."""
        env = processes.environment(
            self.folder / "home",
            DF2_ROOT=self.df2_root,
            SKU_ROOT=SKU_ROOT,
            SPLITS=SPLIT,
            DF2_ENGINE=self.engine,
            DF2_WORKERS=2,
        )
        with processes.start((*processes.DF2_ASSETS, "build"), env, self.folder) as process:
            processes.wait_until(lambda: self.finished(), process)
            yield process

    def finished(self) -> set[str]:
        """The crops of finished shards, as the journal has them, by path below the split."""
        rows = journal.read(self.roots, SPLIT)
        return {row.crop_path.removeprefix(f"{SPLIT}/") for row in rows}

    def rerun(self) -> dict[str, int | float]:
        """Build again, in this process; the numbers of the crops."""
        with dg.DagsterInstance.from_config(str(self.folder / "home")) as instance:
            return only(build(self.df2_root, SKU_ROOT, instance=instance)).numbers["crops"]

    def log(self) -> list[str]:
        """What the log of the last run says."""
        with dg.DagsterInstance.from_config(str(self.folder / "home")) as instance:
            (run,) = instance.get_runs(limit=1)
            return [entry.user_message for entry in instance.all_logs(run.run_id)]

    def runs(self) -> list[str]:
        """What became of each run, the first one first."""
        with dg.DagsterInstance.from_config(str(self.folder / "home")) as instance:
            return [run.status.value for run in reversed(instance.get_runs())]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return write_and_build(tmp_path)


@pytest.fixture(params=["local", pytest.param("ray", marks=pytest.mark.ray)])
def place(
    df2_root: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> Place:
    if request.param == "ray":
        pytest.importorskip("ray", reason="needs the ray extra")
    monkeypatch.chdir(tmp_path)
    return Place(tmp_path, df2_root, request.param)


def temporary(sku: Path) -> list[Path]:
    """What was left half-written."""
    return [path for path in sku.rglob("*") if path.name.endswith(".tmp")]


@pytest.mark.parametrize("kill", [Started.signal, Started.signal_group])
def test_a_killed_build_goes_on_from_its_finished_shards(
    place: Place,
    undisturbed: dict[str, bytes | None],
    kill: Callable[[Started, int], None],
) -> None:
    with place.command() as process:
        # Agents of a Ray whose driver was killed stay for about a minute, at no work.
        of_engine = {"local": processes.descendants, "ray": processes.workers}
        started = of_engine[place.engine](process.pid)
        kill(process, signal.SIGKILL)
        process.end()
        processes.assert_gone(started)
    finished = place.finished()
    left = crop_stamps(place.sku)
    assert 0 < len(finished) < 2 * IMAGES
    assert not state.load(place.roots, SPLIT).complete
    assert place.runs() == ["STARTED"]

    numbers = place.rerun()

    assert numbers["images_decoded"] == IMAGES - len(finished) / 2
    after = crop_stamps(place.sku)
    assert {path: after[path] for path in finished} == {path: left[path] for path in finished}
    assert contract(place.sku) == undisturbed
    assert temporary(place.sku) == []
    assert place.runs() == ["FAILURE", "SUCCESS"]


def test_a_build_outlives_one_of_its_workers(
    place: Place, undisturbed: dict[str, bytes | None]
) -> None:
    with place.command() as process:
        victim, other = processes.wait_until(lambda: both_at_work(process.pid), process)
        assert not processes.mapped_packages(other) & UNWANTED[place.engine]
        os.kill(victim, signal.SIGKILL)
        done = process.end()
    assert done.returncode == 0, done
    (said,) = [line for line in place.log() if "A worker process ended unexpectedly" in line]
    assert re.search(r"\d+ from .*/train/image/\d{6}.jpg to .*/train/image/\d{6}.jpg", said)
    assert f"warning: {said}" in done.stderr.splitlines()
    assert contract(place.sku) == undisturbed
    assert read_table(place.sku, "refusals", SPLIT).empty
    assert place.runs() == ["SUCCESS"]


def both_at_work(pid: int) -> list[int] | None:
    """The two workers of a build, once both have begun to cut."""
    found = processes.workers(pid)
    cutting = [one for one in found if "PIL" in processes.mapped_packages(one)]
    return cutting if len(cutting) == 2 else None


@pytest.mark.parametrize(
    ("send", "number"),
    [(Started.signal_group, signal.SIGINT), (Started.signal, signal.SIGTERM)],
    ids=["as Ctrl-C does", "as kill does"],
)
def test_a_build_that_is_told_to_end_does_and_its_run_is_canceled(
    place: Place,
    undisturbed: dict[str, bytes | None],
    send: Callable[[Started, int], None],
    number: int,
) -> None:
    with place.command() as process:
        started = processes.descendants(process.pid)
        send(process, number)
        done = process.end(patience=20)
        processes.assert_gone(started)
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) <= 2
    assert place.runs() == ["CANCELED"]
    finished = place.finished()
    assert 0 < len(finished) < 2 * IMAGES

    numbers = place.rerun()

    assert numbers["images_decoded"] == IMAGES - len(finished) / 2
    assert contract(place.sku) == undisturbed
    assert temporary(place.sku) == []


@pytest.fixture
def local_place(df2_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.chdir(tmp_path)
    return Place(tmp_path, df2_root, "local")


def refused_by(engine: Deadly, place: Place) -> pd.DataFrame:
    """What a build on `engine`, which goes well, refuses."""
    settings = Settings(df2_root=place.df2_root, sku_root=str(SKU_ROOT))
    outcome = build_with(engine, settings, SPLIT)
    assert outcome.success, outcome.problems
    return read_table(place.sku, "refusals", SPLIT)


def test_an_image_that_kills_its_decoder_is_refused_by_name_and_the_rest_is_built(
    local_place: Place, undisturbed: dict[str, bytes | None]
) -> None:
    place = local_place
    refused = refused_by(Deadly("000008", CropShard), place)
    assert list(refused["image_id"]) == ["000008", "000008"]
    assert list(refused["item_idx"]) == [1, 2]
    assert set(refused["reason"]) == {"unreadable_image"}
    assert "ended the process" in refused["detail"][0]
    lost = {"000004_01_01", "000004_02_08"}
    assert not lost & metadata(place.sku, SPLIT)["skus"].keys()
    assert len(metadata(place.sku, SPLIT)["skus"]) == IMAGES - len(lost)
    left = {path: data for path, data in contract(place.sku).items() if path.endswith(".jpg")}
    assert left == {
        path: undisturbed[path] for path in undisturbed if path.endswith(".jpg") and path in left
    }

    again = only(build(place.df2_root, SKU_ROOT)).numbers["crops"]
    assert again["images_decoded"] == 2
    assert contract(place.sku) == undisturbed


def test_a_file_that_kills_its_reader_is_refused_by_name_and_read_again_by_the_next_build(
    local_place: Place, undisturbed: dict[str, bytes | None]
) -> None:
    place = local_place
    refused = refused_by(Deadly("000008", IndexShard), place)
    assert list(refused["image_id"]) == ["000008"]
    assert list(refused["reason"]) == ["unreadable_image"]
    assert "ended the process" in refused["detail"][0]
    assert len(read_table(place.sku, "raw_annotation_index", SPLIT)) == 2 * IMAGES - 1

    again = only(build(place.df2_root, SKU_ROOT)).numbers["raw_annotation_index"]
    assert again["annotations_read"] == 1
    assert contract(place.sku) == undisturbed


def test_a_second_build_of_a_split_says_who_holds_it_and_changes_nothing(site: Site) -> None:
    """The second, a command, comes while the first, in this process, makes its first crop."""
    seconds: list[tuple[processes.Text, bool]] = []
    env = processes.environment(
        site.sku.with_name("home"), DF2_ROOT=site.data.root, SKU_ROOT=site.sku, SPLITS=SPLIT
    )

    def build_too() -> None:
        if not seconds and not site.complete:
            before = stamps(site.sku)
            done = processes.run((*processes.DF2_ASSETS, "build"), env, site.sku.parent)
            seconds.append((done, stamps(site.sku) == before))

    site.add_image()
    first = build_while(site.settings, SPLIT, build_too)

    ((second, unchanged),) = seconds
    assert second.returncode != 0
    holder = rf"error: train: train is being built by process {os.getpid()} on \S+ since \S+ .*\n"
    assert re.fullmatch(holder, second.stderr)
    assert unchanged
    assert first.success, first.problems
    assert_same_output(site.sku, site.read_anew())
