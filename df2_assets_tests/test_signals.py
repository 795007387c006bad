"""How commands end when they are told to: with 128 and the number of the signal."""

import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from df2_assets.signals import ending_with_their_status, received
from df2_assets_tests.cli.conftest import Desk
from df2_assets_tests.support import processes
from df2_assets_tests.support.builder import write_pairs
from df2_assets_tests.support.processes import DF2_ASSETS, Started

NUMBERS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


@pytest.mark.parametrize("number", NUMBERS)
def test_the_status_names_the_signal(number: int, capfd: pytest.CaptureFixture[str]) -> None:
    before = [signal.getsignal(each) for each in NUMBERS]
    with pytest.raises(SystemExit) as end, ending_with_their_status():
        signal.raise_signal(number)
    assert end.value.code == 128 + number
    assert capfd.readouterr().err == "\nAborted!\n"
    assert [signal.getsignal(each) for each in NUMBERS] == before
    assert received() == 0


def handle_and(error: BaseException) -> None:
    """Handle SIGTERM apart from the project's handlers, and raise an error after it."""
    signal.signal(signal.SIGTERM, lambda *_: None)
    signal.raise_signal(signal.SIGTERM)
    raise error


def test_so_it_does_where_others_handle_the_signal_or_make_an_error_of_it() -> None:
    """As Dagster and pydantic do."""
    with pytest.raises(SystemExit) as end, ending_with_their_status():
        handle_and(ValueError("from inside a library"))
    assert end.value.code == 143


def test_what_ends_well_or_without_a_signal_keeps_its_status() -> None:
    for status in (0, 3):
        with pytest.raises(SystemExit) as end, ending_with_their_status():
            sys.exit(status)
        assert end.value.code == status
    with pytest.raises(SystemExit) as end, ending_with_their_status():
        handle_and(SystemExit(0))
    assert end.value.code == 0
    with pytest.raises(ValueError, match="a bug"), ending_with_their_status():
        raise ValueError("a bug")


def test_an_ignored_signal_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with ending_with_their_status():
            signal.raise_signal(signal.SIGHUP)
            assert received() == 0
    finally:
        signal.signal(signal.SIGHUP, before)


def has_loaded(package: str) -> Callable[[Started], bool]:
    """Whether a command has come to load the compiled code of a package."""
    return lambda started: package in processes.mapped_packages(started.pid)


def has_workers(started: Started) -> bool:
    return bool(processes.workers(started.pid))


@pytest.mark.parametrize(
    ("arguments", "is_there", "number"),
    [
        (("build",), has_loaded("pydantic_core"), signal.SIGINT),
        (("build",), has_loaded("yaml"), signal.SIGTERM),
        (("build",), has_loaded("yaml"), signal.SIGHUP),
        (("plan",), has_workers, signal.SIGINT),
        (("plan",), has_workers, signal.SIGTERM),
        (("sample", "out", "--images", "5000"), has_loaded("PIL"), signal.SIGTERM),
    ],
    ids=[
        "import",
        "Dagster starts",
        "Dagster starts, closed",
        "workers",
        "workers, kill",
        "sample",
    ],
)
def test_every_command_ends_so_at_any_moment_in_two_lines(
    tmp_path: Path, arguments: tuple[str, ...], is_there: Callable[[Started], bool], number: int
) -> None:
    desk = Desk(tmp_path)
    write_pairs(desk.df2, 200)
    command = (*DF2_ASSETS, *arguments)
    with processes.start(command, desk.environment(SPLITS="train"), tmp_path) as started:
        processes.wait_until(lambda: is_there(started), started)
        workers = processes.workers(started.pid)
        started.signal(number)
        done = started.end()
        processes.assert_gone(workers)
    assert done.returncode == 128 + number, done
    assert done.stderr.splitlines()[-1] == "Aborted!"
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) <= 2
