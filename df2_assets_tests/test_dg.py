"""`dg` in the default location and in a project of create-dagster, with the docs' commands."""

import json
import os
import re
import shlex
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from df2_assets_tests.support import processes
from df2_assets_tests.support.processes import PROJECT, Text
from df2_assets_tests.support.random_data import random_dataset
from df2_assets_tests.support.run import build
from df2_assets_tests.support.snapshots import contract
from df2_assets_tests.support.webserver import DEVELOPMENT

pytestmark = pytest.mark.slow

BIN = Path(sys.executable).parent
PAGE = PROJECT / "docs" / "components.md"
SPLIT = "train"
DATA_SETS = {"street": 1, "shop": 2}
"""The data sets of the page by their prefix, and the seeds of those that the tests draw."""


class Project(NamedTuple):
    """Another project, and the environment in which its owner works."""

    folder: Path
    environment: Mapping[str, str]

    def dg(self, *arguments: str) -> Text:
        return processes.run((str(BIN / "dg"), *arguments), self.environment, self.folder)

    @property
    def yaml(self) -> Path:
        return self.folder / "src" / "garments" / "defs" / "deepfashion2" / "defs.yaml"


def environment(home: Path, **more: str) -> dict[str, str]:
    home.mkdir()
    shutil.copy(DEVELOPMENT, home / "dagster.yaml")
    env = processes.environment(home, VIRTUAL_ENV=BIN.parent, DF2_WORKERS=1, **more)
    return env | {"PATH": f"{BIN}{os.pathsep}{env['PATH']}"}


def blocks(language: str) -> list[str]:
    """Return the code blocks of a language on the page."""
    found: list[str] = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return found


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The project of the docs page, from create-dagster with two data sets."""
    folder = tmp_path_factory.mktemp("projects")
    env = environment(folder / "home", DAGSTER_DG_UPDATE_CHECK_ENABLED="0")
    create = (str(BIN / "create-dagster"), "project", "garments", "--no-uv-sync")
    done = processes.run(create, env, folder)
    assert done.returncode == 0, done
    src = str(folder / "garments" / "src")  # instead of an installation
    path = os.pathsep.join([src, *filter(None, [env.get("PYTHONPATH")])])
    project = Project(folder / "garments", env | {"PYTHONPATH": path})
    done = project.dg("scaffold", "defs", "df2_assets.DeepFashion2Sku", "deepfashion2")
    assert done.returncode == 0, done
    project.yaml.write_text(blocks("yaml")[0])
    for prefix, seed in DATA_SETS.items():
        random_dataset(project.folder / "data" / prefix, seed, (SPLIT,), images=12)
    return project


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The default location with its own DAGSTER_HOME."""
    folder = tmp_path_factory.mktemp("default")
    random_dataset(folder / "df2", 3, (SPLIT,), images=12)
    roots = {"DF2_ROOT": str(folder / "df2"), "SKU_ROOT": str(folder / "sku")}
    return Project(PROJECT, environment(folder / "home", **roots))


def test_the_default_location_passes_its_checks(home: Project) -> None:
    for command in ("yaml", "defs"):
        done = home.dg("check", command)
        assert done.returncode == 0, done
        assert "Warning" not in done.stdout + done.stderr
        assert "telemetry" not in done.stdout + done.stderr


def test_a_partition_is_launched_and_ends_in_the_same_bytes(home: Project, tmp_path: Path) -> None:
    """The commands are those in the README."""
    selection = "+key:image_text or key:refusals"
    done = home.dg("launch", "--job", "build_dataset", "--partition", SPLIT)
    assert done.returncode == 0, done
    build(Path(home.environment["DF2_ROOT"]), tmp_path)
    sku = Path(home.environment["SKU_ROOT"])
    assert contract(sku) == contract(tmp_path)
    done = home.dg("launch", "--assets", selection, "--partition", SPLIT)
    assert done.returncode == 0, done
    assert contract(sku) == contract(tmp_path)


def test_the_component_is_listed_in_another_project(project: Project) -> None:
    done = project.dg("list", "components", "--json")
    assert done.returncode == 0, done
    listed = json.loads(done.stdout)["items"]
    (entry,) = [one for one in listed if one["key"].startswith("df2_assets.")]
    assert entry["key"] == "df2_assets.DeepFashion2Sku"
    assert "SKU crops" in entry["summary"]


def test_the_data_sets_are_defined_side_by_side(project: Project) -> None:
    assert project.dg("check", "yaml").returncode == 0
    done = project.dg("list", "defs", "--json")
    assert done.returncode == 0, done
    defs = json.loads(done.stdout)
    keys = {asset["asset_key"] for asset in defs["assets"]}
    for prefix in DATA_SETS:
        assert {f"{prefix}/{name}" for name in ("deepfashion2", "crops", "image_text")} <= keys
        assert f"{prefix}_build_dataset" in {job["name"] for job in defs["jobs"]}
        assert f"{prefix}_nightly_build" in {one["name"] for one in defs["schedules"]}


@pytest.mark.parametrize("prefix", DATA_SETS)
def test_each_data_set_is_built_as_by_the_command(
    project: Project, prefix: str, tmp_path: Path
) -> None:
    data = project.folder / "data"
    command = next(line for line in commands() if line[:2] == ["dg", "launch"])
    arguments = [argument.replace("street", prefix) for argument in command[1:]]
    done = project.dg(*arguments)
    assert done.returncode == 0, done
    build(data / prefix, tmp_path)
    assert contract(data / f"{prefix}_sku") == contract(tmp_path)


def commands() -> list[list[str]]:
    """Return the commands on the page."""
    text = "".join(blocks("bash")).replace("\\\n", "")
    return [shlex.split(line, comments=True) for line in text.splitlines() if line.strip()]


def test_a_wrong_value_is_refused_with_its_field_and_line(project: Project) -> None:
    right, first = project.yaml.read_text(), "key_prefix: street"
    try:
        project.yaml.write_text(right.replace("exports: []", "exports: []\n  engine: x"))
        done = project.dg("check", "yaml")
        assert done.returncode == 1
        line = right[: right.index("exports: []")].count("\n") + 2
        where = f"defs.yaml:{line} - df2_assets.DeepFashion2Sku"
        assert f"{where} attributes.engine 'x' is not one of" in done.stdout + done.stderr
        project.yaml.write_text(right.replace(first, f"{first}\n  cron: x"))
        done = project.dg("check", "defs")
        assert done.returncode == 1
        result = f"{project.yaml.parent}: cron is 'x': give five cron fields"
        assert result in done.stdout + done.stderr
    finally:
        project.yaml.write_text(right)
