"""Every command of the README does what it says, on the sample."""

import os
import re
import shlex
import sys
from pathlib import Path

import pytest

from df2_assets.dataset.reasons import MEANINGS
from df2_assets_tests.support import processes
from df2_assets_tests.support.processes import DF2_ASSETS, PROJECT

README = (PROJECT / "README.md").read_text(encoding="utf-8")
LINES = [
    line.split("  #")[0].strip()
    for block in re.findall(r"```bash\n(.*?)```", README, re.DOTALL)
    for line in block.splitlines()
]
COMMANDS = [line for line in LINES if line.startswith(("df2-assets", "dg "))]
TARGETS = sorted(
    {*re.findall(r"`make ([a-z-]+)`", README)}
    | {line.removeprefix("make ") for line in LINES if line.startswith("make ")}
)


@pytest.fixture(scope="module")
def environment(sample_root: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the environment of a user's shell, with the sample and the commands."""
    work = tmp_path_factory.mktemp("readme")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    roots = {"DF2_ROOT": sample_root, "SKU_ROOT": work / "sku"}
    return processes.environment(work / "home", **roots) | {"PATH": path}


def test_the_readme_has_commands() -> None:
    assert len(COMMANDS) > 8
    assert set(LINES) >= {"make demo", "make test", "make ui"}


@pytest.mark.parametrize("target", TARGETS)
def test_a_make_target_of_the_readme_is_there(target: str) -> None:
    said = processes.run(("make", "-n", target), os.environ, PROJECT)
    assert said.returncode == 0, said.stderr


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_readme_ends_well(command: str, environment: dict[str, str]) -> None:
    """Commands run in the order of the README, since some need the result of an earlier one."""
    program, *words = shlex.split(command)
    command_line = DF2_ASSETS if program == "df2-assets" else (program,)
    with processes.start((*command_line, *words), environment, PROJECT) as started:
        said = started.end(patience=600)
    assert said.returncode == 0, f"{said.stdout}\n{said.stderr}"
    assert "Traceback" not in said.stderr


@pytest.mark.slow
def test_the_readme_shows_what_a_build_of_the_sample_prints(
    environment: dict[str, str], tmp_path: Path
) -> None:
    shown = README.partition("ends with:\n\n```text\n")[2].partition("Files: ")[0]
    env = environment | {"SKU_ROOT": str(tmp_path)}
    built = processes.run((*DF2_ASSETS, "build"), env, PROJECT)
    assert shown.splitlines() == built.stdout.partition("Files: ")[0].splitlines()


def test_the_page_of_the_checks_explains_every_reason() -> None:
    page = (PROJECT / "docs" / "checks.md").read_text(encoding="utf-8")
    for reason, meaning in MEANINGS.items():
        assert f"| `{reason.value}` | {meaning} |" in page


def test_the_readme_fits_on_a_few_screens_and_leads_to_the_index() -> None:
    assert len(README.splitlines()) <= 200
    assert "(docs/README.md)" in README
