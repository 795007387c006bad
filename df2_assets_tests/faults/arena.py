"""Where builds are disturbed: a data set, the real command, and the expected result."""

import itertools
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import dagster as dg

from df2_assets.pipeline.planning import read_known_crops
from df2_assets.store.crop_sets import contract_crops
from df2_assets.store.layout import Roots
from df2_assets.store.lock import writer
from df2_assets_tests.support import processes
from df2_assets_tests.support.builder import write_pairs
from df2_assets_tests.support.processes import DF2_ASSETS, Started
from df2_assets_tests.support.run import build
from df2_assets_tests.support.site import only
from df2_assets_tests.support.snapshots import contract
from df2_assets_tests.support.webserver import Station, station

SPLIT = "train"
STEP = 0.001
UNFINISHED = {"QUEUED", "NOT_STARTED", "STARTING", "STARTED", "CANCELING"}


def write_data(folder: Path, images: int, splits: tuple[str, ...] = (SPLIT,)) -> Path:
    """Write pairs of small images, two SKUs per pair."""
    return write_pairs(folder / "df2", images, splits, size=(400, 300)).root


def marks(roots: Roots) -> list[Path]:
    """Return the files that a first build creates one after another, one per stage."""
    tables = [roots.table(name, SPLIT) for name in ("files", "raw_annotation_index", "sku_groups")]
    return [
        roots.own,
        *tables,
        roots.journal(SPLIT),
        roots.table("crops", SPLIT),
        roots.sku_metadata(SPLIT),
        roots.image_text(SPLIT),
    ]


class Moment(NamedTuple):
    """`after` seconds after mark number `mark` exists. 0 is the start of the command."""

    mark: int
    after: float


class Undisturbed(NamedTuple):
    """The result of a build that nothing disturbs, and the seconds between its marks."""

    df2_root: Path
    contract: dict[str, bytes | None]
    files: set[str]
    seconds: list[float]

    def moment(self, rng: random.Random, first: int = 0) -> Moment:
        """Return a moment in any stage of the command from `first` on, or right after its end."""
        mark = rng.randrange(first, len(self.seconds))
        return Moment(mark, rng.uniform(0, 1.1 * self.seconds[mark]))


class Arena(NamedTuple):
    """A separate SKU_ROOT and DAGSTER_HOME, and builds there."""

    station: Station

    @property
    def sku(self) -> Path:
        return self.station.sku

    @property
    def roots(self) -> Roots:
        return Roots(self.station.df2_root, self.sku, str(self.sku))

    @contextmanager
    def command(self, *arguments: str, **settings: object) -> Iterator[Started]:
        """Start `df2-assets build`, or another command, in a new process."""
        given = {name: str(value) for name, value in settings.items()}
        env = self.station.environment | {"SPLITS": SPLIT} | given
        command = (*DF2_ASSETS, *(arguments or ("build",)))
        with processes.start(command, env, self.station.folder) as process:
            yield process

    def wait_for(self, moment: Moment, process: Started) -> bool:
        """Wait for a moment of a first build, and return whether the command still runs then."""
        path = self.station.folder if moment.mark == 0 else marks(self.roots)[moment.mark - 1]
        while process.process.poll() is None and not path.exists():
            time.sleep(STEP)
        time.sleep(moment.after)
        return process.process.poll() is None

    def rerun(self, split: str = SPLIT) -> dict[str, int | float]:
        """Build to the end, in this process, and return the numbers of the crops."""
        with dg.DagsterInstance.from_config(str(self.station.home)) as instance:
            result = build(self.station.df2_root, self.sku, (split,), instance=instance)
        return only(result).numbers["crops"]

    def finished(self) -> set[str]:
        """Return the crops on disk according to manifest and journal, by path below the split."""
        rows = read_known_crops(self.roots, contract_crops(SPLIT)).to_pylist()
        return {row["crop_path"].removeprefix(f"{SPLIT}/") for row in rows if not row["reason"]}

    def runs(self) -> list[str]:
        """Return the end of each run, the first one first."""
        with dg.DagsterInstance.from_config(str(self.station.home)) as instance:
            return [run.status.value for run in reversed(instance.get_runs())]

    def assert_as(self, undisturbed: Undisturbed) -> None:
        """Assert the bytes of an undisturbed build.

        No other file, no lock and no run may be left behind.
        """
        assert contract(self.sku) == undisturbed.contract
        assert all_files(self.sku) == undisturbed.files
        assert not UNFINISHED & set(self.runs())
        with writer(self.roots, SPLIT, "a test"):
            pass


def all_files(sku_root: Path) -> set[str]:
    """Return every file under a SKU_ROOT by path, in the contract or not.

    Pictures of changes are left out, since each run has different ones.
    """
    files = (p for p in sku_root.rglob("*") if not p.is_dir())
    return {p.relative_to(sku_root).as_posix() for p in files if "what_changed" not in str(p)}


def arena(folder: Path, df2_root: Path) -> Arena:
    """Make an arena in a folder, with the project's configuration of Dagster."""
    folder.mkdir(exist_ok=True)
    return Arena(station(folder, df2_root))


def build_undisturbed(folder: Path, df2_root: Path) -> Undisturbed:
    """Run the command to its end, and record the times of its marks."""
    ground = arena(folder, df2_root)
    waiting = marks(ground.roots)
    times = [time.monotonic()]
    with ground.command() as process:
        while process.process.poll() is None:
            if waiting and waiting[0].exists():
                waiting.pop(0)
                times.append(time.monotonic())
            time.sleep(STEP)
        done = process.end()
    times.append(time.monotonic())
    assert done.returncode == 0, done
    assert not waiting, f"these never were there: {waiting}"
    seconds = [later - earlier for earlier, later in itertools.pairwise(times)]
    return Undisturbed(df2_root, contract(ground.sku), all_files(ground.sku), seconds)
