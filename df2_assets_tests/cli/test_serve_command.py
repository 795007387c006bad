"""`df2-assets serve`, alone or beside another command."""

import http.client
import os
import signal
import socket
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from df2_assets_tests.support import processes
from df2_assets_tests.support.processes import DF2_ASSETS, PROJECT, Started
from df2_assets_tests.support.webserver import LOOPBACK, free_port, listening

SLEEPER = (sys.executable, "-c", "import time; time.sleep(600)")
STUBBORN = (sys.executable, "-c", "import subprocess, sys; subprocess.run(sys.argv[1:])")
"""A command that starts another one, as `dagster dev` does."""


@contextmanager
def serving(folder: Path, *words: str, **settings: object) -> Iterator[tuple[Started, int]]:
    """Start `df2-assets serve` over an empty data set; yield it and its port once it answers."""
    port = free_port()
    given = {"DF2_REPORTS_URL": f"http://127.0.0.1:{port}"} | settings
    environment = processes.environment(
        folder / "home", DF2_ROOT=folder / "df2", SKU_ROOT=folder / "sku", **given
    )
    with processes.start((*DF2_ASSETS, "serve", *words), environment, folder) as started:
        processes.wait_until(lambda: answers(port), started)
        yield started, port


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/") as answer:
            return bool(answer.status == 200)
    except (OSError, http.client.HTTPException):
        return False


def test_it_listens_on_the_configured_loopback_port_and_prints_the_address(tmp_path: Path) -> None:
    with serving(tmp_path) as (started, port):
        assert listening(started.pid) == {LOOPBACK}
        started.signal(signal.SIGINT)
        ended = started.end()
    assert ended.returncode == 130
    assert ended.stdout == f"Reports of {tmp_path / 'sku'}: http://127.0.0.1:{port}\n"
    assert ended.stderr == ""
    assert not (tmp_path / "sku").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_the_command_beside_it_ends_with_it(tmp_path: Path, number: int) -> None:
    with serving(tmp_path, "--", *STUBBORN, *SLEEPER) as (started, port):
        processes.wait_until(lambda: len(processes.descendants(started.pid)) == 2, started)
        beside = processes.descendants(started.pid)
        started.signal(number)
        status = started.process.wait(processes.PATIENCE)
        assert status == (-number if number == signal.SIGKILL else 128 + number)
        if number == signal.SIGKILL:  # then only its child gets a signal
            beside = beside[:1]
        processes.assert_gone(beside)
        assert not answers(port)


@pytest.mark.parametrize("status", [0, 3])
def test_it_ends_with_the_command_beside_it_and_with_its_status(
    tmp_path: Path, status: int
) -> None:
    waits = (
        "import pathlib, sys, time\n"
        "while not pathlib.Path('go').exists(): time.sleep(0.01)\n"
        f"sys.exit({status})"
    )
    with serving(tmp_path, "--", sys.executable, "-c", waits) as (started, port):
        (tmp_path / "go").touch()
        assert started.end().returncode == status
        assert not answers(port)


def test_the_children_of_a_killed_command_end_too(tmp_path: Path) -> None:
    with serving(tmp_path, "--", *STUBBORN, *SLEEPER) as (started, _):
        processes.wait_until(lambda: len(processes.descendants(started.pid)) == 2, started)
        first, second = processes.descendants(started.pid)
        os.kill(first, signal.SIGKILL)
        assert started.end().returncode != 0
        processes.assert_gone([second])


@pytest.mark.slow
@pytest.mark.parametrize("ends", ["Ctrl-C", "the UI"])
def test_make_ui_serves_both_and_ends_both(tmp_path: Path, ends: str) -> None:
    ui, reports = free_port(), free_port()
    command = ("make", "--no-print-directory", "-n", "ui", f"PORT={ui}")
    result = processes.run(command, os.environ, PROJECT)
    recipe = result.stdout[result.stdout.index("if [ -z") :]  # what follows the installation
    environment = processes.environment(
        tmp_path / "home",
        DF2_ROOT=tmp_path / "df2",
        SKU_ROOT=tmp_path / "sku",
        DF2_REPORTS_URL=f"http://127.0.0.1:{reports}",
    )
    (tmp_path / "home").mkdir()
    with processes.start(("sh", "-c", recipe), environment, PROJECT) as started:
        processes.wait_until(lambda: answers(ui) and answers(reports), started)
        everything = [started.pid, *processes.descendants(started.pid)]
        if ends == "Ctrl-C":
            started.signal_group(signal.SIGINT)
        else:
            dagster = processes.descendants(everything[1])[0]
            os.kill(dagster, signal.SIGKILL)
        processes.assert_gone(everything, patience=60)
        assert (started.process.wait(processes.PATIENCE) == 0) == (ends == "Ctrl-C")
        assert not answers(ui)
        assert not answers(reports)


def test_a_port_in_use_or_a_missing_command_is_reported_in_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        environment = processes.environment(
            tmp_path / "home", DF2_ROOT=tmp_path / "df2", SKU_ROOT=tmp_path / "sku"
        )
        command = (*DF2_ASSETS, "serve", "--port", str(port))
        result = processes.run((*command, "--", *SLEEPER), environment, tmp_path)
        assert result.returncode == 1
        assert result.stderr.startswith(f"Error: Port {port} of 127.0.0.1 cannot be used (")
        assert "set DF2_REPORTS_URL to an address with another port" in result.stderr
    result = processes.run((*command, "--", "no-such-command"), environment, tmp_path)
    assert result.returncode == 1
    assert result.stderr == "Error: no-such-command cannot be started: No such file or directory.\n"
