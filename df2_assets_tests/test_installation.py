"""Installation: its page is right, and `make install` works with any settings of pip."""

import os
import re
import runpy
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from df2_assets.cli import main
from df2_assets_tests.support.processes import PROJECT

PAGE = (PROJECT / "docs" / "installation.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```bash\n(.*?)```", PAGE, re.DOTALL)
SCRIPT = PROJECT / "scripts" / "pip_install.py"
ELSEWHERE = {
    "PIP_USER": "1",
    "PIP_TARGET": "/elsewhere",
    "PIP_PREFIX": "/elsewhere",
    "PIP_ROOT": "/elsewhere",
    "PIP_NO_DEPS": "1",
    "PIP_DRY_RUN": "1",
    "PIP_REQUIRE_VIRTUALENV": "1",
    "PIP_REQUIREMENT": "/elsewhere",
    "PIP_PYTHON": "/elsewhere",
    "PIP_QUIET": "3",
    "PYTHONPATH": "/elsewhere",
    "PYTHONUSERBASE": "/elsewhere",
}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Write a configuration of pip that leads elsewhere, and names an index."""
    path = tmp_path / "pip.conf"
    path.write_text(
        "[global]\nuser = true\nno-deps = true\nquiet = 3\n"
        "index-url = https://global/simple\nproxy = http://proxy:1\n"
        "[install]\ntarget = /elsewhere\nindex-url = https://install/simple\n"
    )
    return path


def test_only_settings_of_pip_about_the_source_of_packages_are_kept(config: Path) -> None:
    """A variable overrides a file and, in a file, `install` overrides `global`."""
    given = {"HOME": "/home", "PIP_CONFIG_FILE": str(config), "PIP_PROXY": "http://mine:1"}
    script = runpy.run_path(str(SCRIPT))
    kept = script["clean"](ELSEWHERE | given)
    assert kept.pop("PIP_CONFIG_FILE") == os.devnull
    assert kept.pop("PIP_PROXY") == "http://mine:1"
    assert kept.pop("PIP_INDEX_URL") == "https://install/simple"
    assert kept.pop("HOME") == "/home"
    left = {name.removeprefix("PIP_").lower().replace("_", "-") for name in kept}
    assert left <= {*script["KEPT"]}  # of this machine's own configuration


@pytest.mark.slow
def test_a_package_lands_in_the_environment_that_asks_for_it(tmp_path: Path, config: Path) -> None:
    wheel = tmp_path / "tiny-1-py3-none-any.whl"
    info = "tiny-1.dist-info"
    with zipfile.ZipFile(wheel, "w") as file:
        file.writestr("tiny.py", "")
        file.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1\n")
        file.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        file.writestr(f"{info}/RECORD", "")
    env = tmp_path / "env"
    subprocess.run((sys.executable, "-m", "venv", str(env)), check=True)
    subprocess.run(
        (env / "bin" / "python", "-I", SCRIPT, "--no-index", wheel),
        env=os.environ | ELSEWHERE | {"PIP_CONFIG_FILE": str(config)},
        check=True,
    )
    assert len([*env.glob("lib/*/site-packages/tiny.py")]) == 1


@pytest.mark.parametrize("name", ["PYTHONPATH", "PYTHONHOME", "PYTHONUSERBASE"])
def test_make_ignores_other_places_for_packages(tmp_path: Path, name: str) -> None:
    rules = f"include {PROJECT}/Makefile\nshow:\n\t@env\n"
    shown = subprocess.run(
        ("make", "-sf", "-", "show"),
        input=rules,
        env=os.environ | {name: "/elsewhere"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "PATH=" in shown
    assert f"{name}=" not in shown


def test_the_commands_of_the_page_are_there() -> None:
    makefile = (PROJECT / "Makefile").read_text()
    words = [line.split() for block in BLOCKS for line in block.splitlines() if line.strip()]
    targets = [line[1] for line in words if line[0] == "make"]
    commands = [line[1] for line in words if line[0] == "df2-assets" and line[1].isalpha()]
    assert len(targets) > 3
    assert [name for name in targets if not re.search(rf"^{name}:", makefile, re.MULTILINE)] == []
    assert len(commands) > 4
    assert [name for name in commands if name not in main.commands] == []


def test_the_page_names_every_extra_and_no_other() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    section = PAGE.partition("## Extras")[2].partition("```")[0]
    rows = re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
    named = {name.strip("`") for row in rows for name in row.split(", ")}
    assert named == project["optional-dependencies"].keys()
