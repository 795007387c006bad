"""The shell completion that `docs/command-line.md` describes, in real shells."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from df2_assets.cli import main
from df2_assets.dataset.reasons import Reason
from df2_assets_tests.support import processes

PAGE = (processes.PROJECT / "docs" / "command-line.md").read_text(encoding="utf-8")

COMPLETE_IN = {
    "bash": """
        COMP_WORDS=(df2-assets {words}); COMP_CWORD={place}
        _df2_assets_completion df2-assets
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """,
    "zsh": """
        compadd() {{ print -l -- "${{(@P)5}}" }}
        _describe() {{ print -l -- "${{(@P)3}}" }}
        words=(df2-assets {words}); CURRENT=$(({place} + 1))
        _df2_assets_completion
    """,
}
"""What a shell does at the Tab key; zsh takes an answer only while a person types."""


def line_for(shell: str) -> str:
    """Return the line of the page that enables completion."""
    (line,) = re.findall(rf"^.*_DF2_ASSETS_COMPLETE={shell}_source.*$", PAGE, re.MULTILINE)
    return str(line)


def completed(shell: str, folder: Path, *words: str) -> set[str]:
    """Return what a shell offers for the last of `words` after `df2-assets`."""
    command = folder / "df2-assets"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m df2_assets "$@"\n')
    command.chmod(0o755)
    quoted = " ".join(f"'{word}'" for word in words)
    script = COMPLETE_IN[shell].format(words=quoted, place=len(words))
    start = "autoload -Uz compinit; compinit -u -D\n" if shell == "zsh" else ""
    environment = processes.environment(folder)
    done = subprocess.run(
        (shell, "-c", f"{start}{line_for(shell)}\n{script}"),
        env=environment | {"PATH": f"{folder}:{environment['PATH']}"},
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return {line.partition(":")[0] for line in done.stdout.splitlines()}


@pytest.mark.parametrize("shell", ["bash", pytest.param("zsh", marks=pytest.mark.slow)])
def test_a_shell_completes_commands_options_and_values(shell: str, tmp_path: Path) -> None:
    assert completed(shell, tmp_path, "re") == {"refusals", "report"}
    assert {"--split", "--reason", "--csv"} <= completed(shell, tmp_path, "refusals", "--")
    boxes = {reason.value for reason in Reason if reason.value.startswith("box_")}
    assert completed(shell, tmp_path, "refusals", "--reason", "box_") == boxes
    assert completed(shell, tmp_path, "build", "--split", "t") == {"train", "test"}
    assert completed(shell, tmp_path, "export", "web") == {"webdataset"}


def test_the_page_lists_every_command() -> None:
    listed = re.findall(r"^\| `([a-z]+)` \|", PAGE, re.MULTILINE)
    assert {*main.commands} <= {*listed}
