"""A measured command is charged with what all of its processes take."""

import os
import sys
from pathlib import Path

import click
import pytest

from benchmarks.measure import FailedError, run, work_folder

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


def test_a_command_that_fails_says_why() -> None:
    with pytest.raises(FailedError, match="ended with 3:\nno room"):
        run([sys.executable, "-c", "import sys; print('no room'); sys.exit(3)"])


def test_only_the_given_settings_reach_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DF2_WORKERS", "7")
    monkeypatch.setenv("SKU_ROOT", "elsewhere")
    program = "import os; print(*(k for k in os.environ if k[:4] in ('DF2_', 'SKU_')))"
    given = run([sys.executable, "-c", program], {"DF2_ROOT": "here"})
    assert given.output == "DF2_ROOT\n"
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
