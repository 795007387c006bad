"""The start of every command."""

import shlex
from pathlib import Path

import pytest

from df2_assets_tests.support import processes
from df2_assets_tests.support.processes import DF2_ASSETS


@pytest.mark.parametrize("command", ["plan --df2-root x", "status --json", "--help"])
def test_in_a_folder_that_was_deleted_a_command_is_one_line(command: str, tmp_path: Path) -> None:
    program = shlex.join([*DF2_ASSETS, *command.split()])
    script = f"mkdir gone && cd gone && rmdir ../gone && exec {program}"
    done = processes.run(("sh", "-c", script), processes.environment(tmp_path / "home"), tmp_path)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        f"Error: The current folder '{tmp_path / 'gone'}' was deleted: change to another one.\n"
    )
