"""Duration and seed of the harness, and the record of what it has tried.

`make faults` is its short form, with a fixed seed. `make faults-long` runs for about an hour with a
new seed, which the first lines and each failure name. The options are declared in the conftest
above, the only one that pytest reads in time.
"""

import shutil
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from random import Random, SystemRandom
from typing import Any

import pytest

from df2_assets_tests.faults.arena import (
    SPLIT,
    Arena,
    Undisturbed,
    arena,
    build_undisturbed,
    write_data,
)
from df2_assets_tests.faults.report import FIGURES, keep, table

FOLDER = Path(__file__).parent
FIXED_SEED = 1


class Faults:
    """How much a test tries, its random numbers, and counts of what it has tried."""

    def __init__(self, test: str, long: bool, seed: int, folder: Path) -> None:
        """Take the node id of the test; arenas lie in `folder`."""
        self.test = test
        self.long = long
        self.seed = seed
        self.folder = folder
        self.counted: Counter[str] = Counter()

    def amount(self, *, short: int, long: int) -> int:
        """Return how many cases to try in this form of the harness."""
        return long if self.long else short

    def random(self, *case: object) -> Random:
        """Return random numbers of this test, or of one of its cases: equal for equal seeds."""
        return Random("/".join(map(str, (self.seed, self.test, *case))))

    def cases(self, *, short: int, long: int) -> Iterator[tuple[Random, Path]]:
        """Yield the random numbers of each case and a folder, removed once the case is over."""
        for number in range(self.amount(short=short, long=long)):
            folder = self.folder / str(number)
            folder.mkdir()
            yield self.random(number), folder
            shutil.rmtree(folder)  # a hundred of them would be some gigabytes

    def arenas(self, df2_root: Path, *, short: int, long: int) -> Iterator[tuple[Random, Arena]]:
        """Yield the random numbers of each case and a fresh arena."""
        for rng, folder in self.cases(short=short, long=long):
            yield rng, arena(folder, df2_root)

    def count(self, name: str, number: int = 1) -> None:
        """Add to a figure that `report.FIGURES` describes."""
        assert name in FIGURES, f"report.FIGURES does not say what {name} is"
        self.counted[name] += number


@pytest.fixture
def faults(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Faults]:
    options = request.config.option
    faults = Faults(request.node.nodeid, options.long, options.fault_seed, tmp_path)
    yield faults
    # Properties travel with the report, also from the processes of pytest-xdist.
    request.node.user_properties.append(("figures", dict(faults.counted)))


@pytest.fixture(scope="module")
def undisturbed(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Undisturbed:
    """An undisturbed build of the module's `IMAGES`, and of its `SPLITS` where it names some."""
    folder = tmp_path_factory.mktemp("undisturbed")
    splits = getattr(request.module, "SPLITS", (SPLIT,))
    data = write_data(folder, request.module.IMAGES, splits)
    return build_undisturbed(folder / "build", data)


class Totals:
    """Adds up what the tests of a session have tried, file by file."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.counted: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.failed: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        counted: dict[str, Any] = dict(report.user_properties)
        file = Path(report.fspath).stem
        if report.failed:
            self.failed.add(file)
        if report.when == "teardown" and "figures" in counted:
            self.counted[file].update(counted["figures"])

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        form = "long" if self.config.option.long else "short"
        if self.counted:
            terminalreporter.section(f"faults, {form}, seed {self.config.option.fault_seed}")
            terminalreporter.write_line(table({form: self.counted}))
        if self.config.option.write_figures:
            passed = self.counted.keys() - self.failed
            keep(form, {file: self.counted[file] for file in sorted(passed)})


def pytest_configure(config: pytest.Config) -> None:
    if config.option.fault_seed is None:
        drawn = SystemRandom().randrange(1_000_000)
        config.option.fault_seed = drawn if config.option.long else FIXED_SEED
    config.pluginmanager.register(Totals(config))


def pytest_report_header(config: pytest.Config) -> str:
    return f"faults: {'long' if config.option.long else 'short'}, seed {config.option.fault_seed}"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all tests of this folder as `faults`."""
    for item in items:
        if FOLDER in item.path.parents:
            item.add_marker("faults")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):  # type: ignore[no-untyped-def]
    """Add to a failure how to reproduce it."""
    report = yield
    if report.failed:
        form = " --long" if item.config.option.long else ""
        again = f"pytest '{item.nodeid}' --fault-seed {item.config.option.fault_seed}{form}"
        report.sections.append(("the same again", again))
    return report
