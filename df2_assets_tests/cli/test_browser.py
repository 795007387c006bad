"""Opening a gallery in a browser, on machines with and without one."""

import os
from pathlib import Path

import pytest

from df2_assets.cli.browser import open_page
from df2_assets_tests.cli.conftest import Desk
from df2_assets_tests.support.processes import wait_until
from df2_assets_tests.support.site import SPLIT, Site

PAGE = "file:///a/page.html"
WORKS = 'echo "$@" >"$0.opened"'
FAILS = "echo 'xdg-open: no method available for opening' >&2; exit 3"


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder in PATH, on a machine without a display."""
    for name in ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def install(folder: Path, name: str, does: str) -> Path:
    """Install a command in a folder; return the file to which it writes what it opens."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{does}\n")
    path.chmod(0o755)
    return path.with_name(f"{name}.opened")


def test_xdg_open_is_used_if_there_is_a_display(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = install(machine, "xdg-open", WORKS)
    assert not open_page(PAGE)
    assert not opened.exists()
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    assert open_page(PAGE)
    assert opened.read_text().split() == [PAGE]


def test_xdg_open_does_not_try_text_browsers(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISPLAY", ":0")
    opened = install(machine, "xdg-open", 'echo "$BROWSER" >"$0.opened"')
    assert open_page(PAGE)
    tried = opened.read_text().strip().split(":")
    assert "firefox" in tried
    assert not {"www-browser", "links", "elinks", "lynx", "w3m"} & {*tried}


def test_a_missing_or_failing_browser_opens_and_prints_nothing(
    machine: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DISPLAY", ":0")
    assert not open_page(PAGE)
    install(machine, "xdg-open", FAILS)
    assert not open_page(PAGE)
    assert capfd.readouterr() == ("", "")


def test_a_chosen_browser_needs_no_display(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """VS Code sets one that opens pages on the machine of the user."""
    opened = install(machine, "helper", WORKS)
    monkeypatch.setenv("BROWSER", f"{machine / 'helper'} --new{os.pathsep}lynx")
    assert open_page(PAGE)
    assert opened.read_text().split() == ["--new", PAGE]


def test_in_wsl_the_browser_of_windows_is_used(machine: Path) -> None:
    opened = install(machine, "wslview", WORKS)
    assert open_page(PAGE)
    assert opened.read_text().split() == [PAGE]


def test_a_browser_that_stays_open_is_not_waited_for(
    machine: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("df2_assets.cli.browser._PATIENCE", 0.01)
    monkeypatch.setenv("DISPLAY", ":0")
    release = tmp_path / "release"
    waits = f"while [ ! -e {release} ]; do /bin/sleep 0.1; done; {WORKS}"
    opened = install(machine, "xdg-open", waits)
    assert open_page(PAGE)
    assert not opened.exists()
    release.touch()
    wait_until(opened.exists)


@pytest.mark.slow
def test_report_prints_the_path_of_a_page_that_it_cannot_open(desk: Desk, site: Site) -> None:
    page = site.roots.gallery(SPLIT)
    unset = dict.fromkeys(("BROWSER", "DISPLAY", "WAYLAND_DISPLAY"), "")
    done = desk.start("report", "--open", "--json", **unset)
    assert done.returncode == 0
    assert done.stderr == f"note: no browser can be opened here. Open this file yourself: {page}\n"
    assert done.stdout.startswith("{")
    helper = desk.folder / "helper"
    opened = install(desk.folder, "helper", WORKS)
    done = desk.start("report", "--open", **unset | {"BROWSER": helper})
    assert done.stderr == ""
    assert opened.read_text().split() == [page.as_uri()]
