"""Every command of the README does what it says there, on the sample."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]
README = (PROJECT / "README.md").read_text(encoding="utf-8")
LINES = [
    line.split("  #")[0].strip()
    for block in re.findall(r"```bash\n(.*?)```", README, re.DOTALL)
    for line in block.splitlines()
]
COMMANDS = [line for line in LINES if line.startswith(("df2-assets", "dagster"))]
TARGETS = sorted(
    {*re.findall(r"`make ([a-z-]+)`", README)}
    | {line.removeprefix("make ") for line in LINES if line.startswith("make ")}
)


@pytest.fixture(scope="module")
def environment(sample_root: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A person's shell: the sample as download, the commands on the path."""
    work = tmp_path_factory.mktemp("readme")
    return {
        **os.environ,
        "DF2_ROOT": str(sample_root),
        "SKU_ROOT": str(work / "sku"),
        "DAGSTER_HOME": str(work / "home"),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }


def test_the_readme_has_commands() -> None:
    assert len(COMMANDS) > 8
    assert set(LINES) >= {"make demo", "make test", "make ui"}


@pytest.mark.parametrize("target", TARGETS)
def test_a_make_target_of_the_readme_is_there(target: str) -> None:
    said = subprocess.run(
        ["make", "-n", target], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    assert said.returncode == 0, said.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_readme_ends_well(command: str, environment: dict[str, str]) -> None:
    """In the order of the README: what a command needs, one before it has made."""
    words = shlex.split(command)
    if words[0] == "df2-assets":
        words[:1] = [sys.executable, "-m", "df2_assets"]
    said = subprocess.run(
        words, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False
    )
    assert said.returncode == 0, f"{said.stdout}\n{said.stderr}"
    assert "Traceback" not in said.stderr


def test_every_reason_is_in_the_readme() -> None:
    from df2_assets.dataset.reasons import Reason

    for reason in Reason:
        assert f"`{reason.value}`" in README
