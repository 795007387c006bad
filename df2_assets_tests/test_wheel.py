"""The project installed from a wheel: everything works where no checkout is."""

import os
import shutil
import site
import sys
import urllib.request
import zipfile
from pathlib import Path
from typing import NamedTuple

import pytest

from df2_assets_tests.support import processes
from df2_assets_tests.support.processes import PROJECT
from df2_assets_tests.support.webserver import DEVELOPMENT, Api, free_port

NEEDED = ("df2_assets", "pyproject.toml", "setup.py", "README.md", "LICENSE")
"""What of the project a wheel is built from."""

IGNORED = shutil.ignore_patterns("__pycache__")


class Wheel(NamedTuple):
    """A wheel, and the files of the clone that it was built in, before and after."""

    path: Path
    before: set[str]
    after: set[str]


class Installed(NamedTuple):
    """An environment with the wheel and no checkout, an empty home, and a folder to work in."""

    folder: Path

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def work(self) -> Path:
        return self.folder / "work"

    @property
    def package(self) -> Path:
        (path,) = self.folder.glob("venv/lib/python*/site-packages/df2_assets")
        return path

    def environment(self, **settings: object) -> dict[str, str]:
        path = f"{self.folder}/venv/bin:/usr/bin:/bin"
        given = {name: str(value) for name, value in settings.items()}
        return {"HOME": str(self.home), "PATH": path, **given}

    def run(self, *command: str, **settings: object) -> str:
        """Run a command that ends well and warns of nothing; return what it prints."""
        done = processes.run(command, self.environment(**settings), self.work)
        assert done.returncode == 0, done
        assert done.stderr == "", done
        return done.stdout


def files(folder: Path) -> set[str]:
    paths = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return {path.as_posix() for path in paths if "__pycache__" not in path.parts}


def pip(*arguments: str, folder: Path) -> None:
    done = processes.run((sys.executable, "-m", "pip", *arguments), os.environ, folder)
    assert done.returncode == 0, done


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Wheel:
    folder = tmp_path_factory.mktemp("wheel")
    clone = folder / "clone"
    shutil.copytree(PROJECT / "df2_assets", clone / "df2_assets", ignore=IGNORED)
    for name in NEEDED[1:]:
        shutil.copy(PROJECT / name, clone)
    before = files(clone)
    pip("wheel", ".", "--no-deps", "--no-build-isolation", "-w", str(folder), folder=clone)
    (path,) = folder.glob("*.whl")
    return Wheel(path, before, files(clone))


@pytest.fixture(scope="module")
def installed(wheel: Wheel, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel alone, beside the dependencies of the environment that runs the tests."""
    person = Installed(tmp_path_factory.mktemp("installed"))
    person.home.mkdir()
    person.work.mkdir()
    venv = (sys.executable, "-m", "venv", "--without-pip", "venv")
    assert processes.run(venv, os.environ, person.folder).returncode == 0
    options = ("--python", "venv/bin/python", "install", "--no-deps", "--no-index")
    pip(*options, str(wheel.path), folder=person.folder)
    # A folder that a .pth file names is no site folder: the editable project in it is not there.
    dependencies = person.package.with_name("dependencies.pth")
    dependencies.write_text("\n".join(site.getsitepackages()))
    return person


def test_building_a_wheel_leaves_nothing_in_the_clone(wheel: Wheel) -> None:
    assert wheel.after == wheel.before


def test_a_wheel_has_every_file_of_the_package(wheel: Wheel) -> None:
    with zipfile.ZipFile(wheel.path) as archive:
        packed = {name for name in archive.namelist() if name.startswith("df2_assets/")}
    assert packed == {f"df2_assets/{name}" for name in files(PROJECT / "df2_assets")}


@pytest.mark.slow
def test_without_any_setting_all_lies_in_the_folder_where_one_is(installed: Installed) -> None:
    before = files(installed.package)
    installed.run("df2-assets", "sample", "data/DeepFashion2_original", "--images", "60")
    assert "It fits." in installed.run("df2-assets", "plan")
    built = installed.run("df2-assets", "build", "--split", "train")
    assert built.endswith("To see runs, checks and pictures: df2-assets ui\n")
    assert "is in the data set" in installed.run("df2-assets", "explain", "train", "1")
    installed.run("df2-assets", "verify", "--deep")
    installed.run("df2-assets", "export", "croissant")
    installed.run("df2-assets", "report")

    assert {path.name for path in installed.work.iterdir()} == {".dagster", "data"}
    roots = {path.name for path in (installed.work / "data").iterdir()}
    assert roots == {"DeepFashion2_original", "DeepFashion2_SKU"}
    configuration = installed.work / ".dagster" / "dagster.yaml"
    assert configuration.read_bytes() == DEVELOPMENT.read_bytes()
    gallery = installed.work / "data/DeepFashion2_SKU/_df2_assets/report/train"
    assert {path.suffix for path in (gallery / "static").iterdir()} >= {".css", ".js"}
    assert not (installed.home / ".dagster").exists()
    assert files(installed.package) == before


@pytest.mark.slow
def test_the_ui_loads_with_the_settings_of_the_project_and_calls_nobody(
    installed: Installed,
) -> None:
    port, reports = free_port(), free_port()
    environment = installed.environment(
        DAGSTER_HOME="a new home",
        DF2_REPORTS_URL=f"http://127.0.0.1:{reports}",
        DF2_CODE_URL="https://host/project/blob/main",
    )
    api = Api(port)
    command = ("df2-assets", "ui", "--port", str(port))
    with processes.start(command, environment, installed.work) as started:
        processes.wait_until(api.answers, started)
        state = api.ask(
            """{ shouldShowNux instance { runLauncher { name } }
                 workspaceOrError { ... on Workspace { locationEntries { name loadStatus } } }
                 assetNodes { assetKey { path } metadataEntries { ... on CodeReferencesMetadataEntry
                   { codeReferences { ... on UrlCodeReference { url } } } } } }"""
        )
        with urllib.request.urlopen(api.address) as page:
            assert b'"telemetryEnabled": false' in page.read()
        with urllib.request.urlopen(f"http://127.0.0.1:{reports}") as page:
            assert page.status == 200
    location = {"name": "df2_assets.definitions", "loadStatus": "LOADED"}
    assert state["workspaceOrError"]["locationEntries"] == [location]
    assert state["instance"]["runLauncher"]["name"] == "WatchfulRunLauncher"
    assert not state["shouldShowNux"]
    references = [
        reference["url"]
        for node in state["assetNodes"]
        for entry in node["metadataEntries"]
        for reference in entry.get("codeReferences", [])
    ]
    places = {
        url.removeprefix("https://host/project/blob/main/").split("#")[0] for url in references
    }
    assert "df2_assets/defs/assets/crops.py" in places
    assert [place for place in places if not (PROJECT / place).is_file()] == []
    assert (installed.work / "a new home" / "dagster.yaml").exists()
    assert not (installed.home / ".dagster").exists()
