"""What a command takes is measured over all of its processes, and of the first alone."""

import os
import sys
from pathlib import Path

import click
import pytest

from benchmarks.measure import FailedError, Sample, run, split_by_work, work_folder

MIB = 2**20


def through_a_child(program: str) -> list[str]:
    """A command that does nothing but wait for another process."""
    wait = "import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]], check=True)"
    return [sys.executable, "-c", wait, program]


def test_memory_counts_all_processes() -> None:
    grandchild = "import time; block = bytearray(200 * 2**20); time.sleep(0.5)"
    assert 200 * MIB < run(through_a_child(grandchild)).numbers["peak_bytes"] < 300 * MIB


def test_processor_seconds_count_processes_that_were_waited_for() -> None:
    busy = "import time\nwhile time.process_time() < 0.4: pass"
    assert run(through_a_child(busy)).numbers["cpu"] >= 0.4


def test_processor_seconds_of_the_first_process_are_those_that_it_reports_itself() -> None:
    program = (
        "import subprocess, sys, time\n"
        "from resource import RUSAGE_SELF, getrusage\n"
        "busy = 'import time\\nwhile time.process_time() < 0.4: pass'\n"
        "subprocess.run([sys.executable, '-c', busy])\n"
        "while time.process_time() < 0.3: pass\n"
        "used = getrusage(RUSAGE_SELF)\n"
        "print(used.ru_utime + used.ru_stime)"
    )
    measured = run([sys.executable, "-c", program])
    assert measured.numbers["main"] == pytest.approx(float(measured.output), abs=0.05)
    assert measured.numbers["cpu"] > measured.numbers["main"] + 0.4


def test_work_of_other_processes_splits_a_command_into_stretches() -> None:
    samples = [
        Sample(0.0, 0.0, 0.0),
        Sample(1.0, 0.9, 0.0),  # alone
        Sample(2.0, 1.0, 1.5),
        Sample(3.0, 1.2, 1.0),  # one has ended, its parent has not waited for it yet
        Sample(4.0, 1.3, 4.0),
        Sample(5.0, 2.0, 4.0),  # alone
        Sample(6.0, 2.5, 5.0),
    ]
    main_only, stretches = split_by_work(samples)
    assert main_only == 3.0
    assert stretches == [(0.1, 1.5), (0.1, 2.5), (0.5, 1.0)]


def test_a_command_is_measured_alone_and_together_with_its_processes() -> None:
    busy = "import time\nwhile time.process_time() < 0.4: pass"
    numbers = run(through_a_child(busy)).numbers
    assert sum(others for _, others in numbers["stretches"]) == pytest.approx(0.4, abs=0.2)
    assert 0 <= numbers["main_only"] < numbers["seconds"]


def test_a_command_can_be_limited_to_some_of_the_cores() -> None:
    count = [sys.executable, "-c", "import os; print(len(os.sched_getaffinity(0)))"]
    before = os.sched_getaffinity(0)
    assert run(count, cores=1).output == "1\n"
    assert run(count).output == f"{len(before)}\n"
    assert os.sched_getaffinity(0) == before


def test_a_command_runs_in_the_folder_that_it_is_given(tmp_path: Path) -> None:
    where = [sys.executable, "-c", "import os; print(os.getcwd())"]
    assert run(where, tree=tmp_path).output == f"{tmp_path.resolve()}\n"


def test_a_command_that_fails_says_why() -> None:
    with pytest.raises(FailedError, match="ended with 3:\nno room"):
        run([sys.executable, "-c", "import sys; print('no room'); sys.exit(3)"])


def test_only_the_given_settings_reach_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DF2_WORKERS", "7")
    monkeypatch.setenv("SKU_ROOT", "elsewhere")
    program = "import os; print(*(k for k in os.environ if k[:4] in ('DF2_', 'SKU_')))"
    measured = run([sys.executable, "-c", program], {"DF2_ROOT": "here"})
    assert measured.output == "DF2_ROOT\n"
    assert os.environ["SKU_ROOT"] == "elsewhere"


def test_a_folder_is_made_only_if_there_is_room_and_it_is_new(tmp_path: Path) -> None:
    with (
        pytest.raises(click.ClickException, match="not enough"),
        work_folder(tmp_path / "w", 10**18),
    ):
        pass
    assert not (tmp_path / "w").exists()
    with pytest.raises(click.ClickException, match="exists already"), work_folder(tmp_path, 1):
        pass
    assert tmp_path.exists()


def test_a_work_folder_is_removed_also_after_a_failure_unless_it_is_to_be_kept(
    tmp_path: Path,
) -> None:
    with pytest.raises(ZeroDivisionError), work_folder(tmp_path / "work", 1):
        1 / 0  # noqa: B018
    assert not (tmp_path / "work").exists()
    with work_folder(tmp_path / "kept", 1, keep=True) as folder:
        (folder / "file").touch()
    assert (tmp_path / "kept/file").exists()
