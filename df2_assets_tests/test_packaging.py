"""What a fresh clone depends on: version, dependencies, constraints, Makefile."""

import ast
import os
import re
import shutil
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import df2_assets
from df2_assets_tests.support import processes
from df2_assets_tests.support.processes import PROJECT, Text

SUPPORTED = ("311", "312", "313")


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    table: dict[str, Any] = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    return table


@pytest.fixture(scope="module")
def requirements(project: dict[str, Any]) -> list[Requirement]:
    """Return every dependency, also those of the extras."""
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    return [Requirement(line) for group in groups for line in group]


def test_the_first_heading_of_the_changelog_is_the_version() -> None:
    headings = re.findall(r"^## (\S+)", (PROJECT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == df2_assets.__version__


def test_every_folder_with_code_is_a_package_so_that_a_wheel_has_it() -> None:
    folders = {path.parent for path in (PROJECT / "df2_assets").rglob("*.py")}
    assert [str(folder) for folder in folders if not (folder / "__init__.py").exists()] == []


def test_every_dependency_has_a_lower_and_an_upper_bound(requirements: list[Requirement]) -> None:
    for requirement in requirements:
        operators = {specifier.operator for specifier in requirement.specifier}
        assert operators == {">=", "<"}, requirement.name


def imported_packages(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module)
    return {name.partition(".")[0] for name in names}


def test_what_the_package_imports_is_declared(project: dict[str, Any]) -> None:
    extras = project["optional-dependencies"]
    of_package = ("ray", "objects", "torch", "encoders")
    lines = [*project["dependencies"], *(line for name in of_package for line in extras[name])]
    declared = {canonicalize_name(Requirement(line).name) for line in lines}
    imported = set().union(*map(imported_packages, (PROJECT / "df2_assets").rglob("*.py")))
    # Where the extra is not installed, only this name tells.
    distributions = {"open_clip": ["open-clip-torch"], **packages_distributions()}
    names = imported - sys.stdlib_module_names - {"df2_assets"}
    used = {canonicalize_name(distributions.get(name, [name])[0]) for name in names}
    assert used - declared == set()


def test_there_are_constraints_for_each_supported_python_and_no_other() -> None:
    files = sorted(path.name for path in (PROJECT / "constraints").iterdir())
    assert files == [f"py{version}.txt" for version in SUPPORTED]


@pytest.mark.parametrize("version", SUPPORTED)
def test_constraints_are_sorted_names_and_versions_within_all_bounds(
    version: str, requirements: list[Requirement]
) -> None:
    lines = (PROJECT / "constraints" / f"py{version}.txt").read_text().splitlines()
    assert [line for line in lines if not re.fullmatch(r"[a-z0-9-]+==[0-9][0-9a-z.]*", line)] == []
    pinned = dict(line.split("==") for line in lines)
    assert list(pinned) == sorted(pinned)
    assert len(pinned) == len(lines)
    for requirement in requirements:
        assert requirement.specifier.contains(pinned[canonicalize_name(requirement.name)])


def test_the_pictures_that_pages_show_are_there_and_small_together() -> None:
    shown = set()
    for page in (PROJECT / "README.md", *(PROJECT / "docs").glob("*.md")):
        links = re.findall(r"!\[[^]]*\]\(([^)]+)\)", page.read_text(encoding="utf-8"))
        shown |= {(page.parent / link).resolve() for link in links}
    assert shown == set((PROJECT / "docs" / "images").iterdir())
    assert sum(path.stat().st_size for path in shown) < 1_500_000


def executable(path: Path, body: str) -> Path:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


def python_of_version(path: Path, version: tuple[int, int]) -> Path:
    """Write a Python that claims a version, and whose `-m venv` only records the call."""
    pretend = f"import sys; sys.version_info = (*{version}, 1, 'final', 0)"
    return executable(
        path,
        'case "$1" in\n'
        f"-c) exec '{sys.executable}' -c \"{pretend}; $2\" ;;\n"
        '-m) mkdir -p .venv/bin && echo "$0" > .venv/bin/python ;;\n'
        "esac",
    )


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a folder with a space in its path that has the Makefile and no environment."""
    folder = tmp_path / "a checkout"
    folder.mkdir()
    shutil.copy(PROJECT / "Makefile", folder)
    return folder


def make_environment(checkout: Path, *variables: str, path: str = os.environ["PATH"]) -> Text:
    inherited = {key: value for key, value in os.environ.items() if key != "PYTHON"}
    env = inherited | {"PATH": path, "MAKEFLAGS": ""}
    return processes.run(("make", ".venv/bin/python", *variables), env, checkout)


@pytest.mark.parametrize("version", [(3, 9), (3, 10), (3, 14)])
def test_make_refuses_a_python_that_is_not_supported(
    checkout: Path, tmp_path: Path, version: tuple[int, int]
) -> None:
    python = python_of_version(tmp_path / "python", version)
    made = make_environment(checkout, f"PYTHON={python}")
    assert made.returncode != 0
    assert "3.11, 3.12 or 3.13" in made.stderr
    assert str(python) in made.stderr
    assert "PYTHON=" in made.stderr
    assert not (checkout / ".venv").exists()


@pytest.mark.parametrize("version", [(3, 11), (3, 12), (3, 13)])
def test_make_uses_the_python_that_is_set(
    checkout: Path, tmp_path: Path, version: tuple[int, int]
) -> None:
    python = python_of_version(tmp_path / "my python", version)
    made = make_environment(checkout, f"PYTHON={python}")
    assert made.returncode == 0, made.stderr
    assert (checkout / ".venv/bin/python").read_text().strip() == str(python)


def test_make_passes_over_a_python_that_does_not_run(checkout: Path, tmp_path: Path) -> None:
    shims = tmp_path / "shims"
    shims.mkdir()
    executable(shims / "python3.13", "echo no such version >&2; exit 127")
    python_of_version(shims / "python3.12", (3, 12))
    made = make_environment(checkout, path=f"{shims}{os.pathsep}{os.environ['PATH']}")
    assert made.returncode == 0, made.stderr
    assert "no such version" not in made.stderr
    assert (checkout / ".venv/bin/python").read_text().strip().endswith("shims/python3.12")


def test_make_rebuilds_an_environment_of_another_folder(checkout: Path, tmp_path: Path) -> None:
    python = python_of_version(tmp_path / "python", (3, 12))
    environment = checkout / ".venv"
    (environment / "bin").mkdir(parents=True)
    copied = "of the folder that was copied"
    (environment / "bin/python").write_text(copied)
    for folder, expected in ((str(checkout), copied), ("/elsewhere", str(python))):
        (environment / ".installed").write_text(f"{folder}\n")
        make_environment(checkout, f"PYTHON={python}")
        assert (environment / "bin/python").read_text().strip() == expected
