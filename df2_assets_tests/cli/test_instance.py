"""A DAGSTER_HOME that Dagster cannot open: commands that need it fail, the others still answer."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from df2_assets_tests.cli.conftest import Desk
from df2_assets_tests.support.site import Site


def configure(text: str) -> Callable[[Path], None]:
    def write(home: Path) -> None:
        home.mkdir()
        (home / "dagster.yaml").write_text(text)

    return write


def damage(home: Path) -> None:
    """Cut the databases, so that only their first bytes are left."""
    folder = home / "history"
    (folder / "runs").mkdir(parents=True)
    for path in (folder / "runs.db", folder / "runs" / "index.db"):
        path.write_bytes(b"SQLite format 3\0" + os.urandom(8176))


class Broken(NamedTuple):
    """A way to break a home, and the reason in the message."""

    what: str
    spoil: Callable[[Path], object]
    says: str


BROKEN = [
    Broken("bad YAML", configure("telemetry: [\n  a: b: c\n"), "line 2"),
    Broken(
        "a misspelt key", configure("telemetri:\n  enabled: false\n"), '"telemetri" at the root'
    ),
    Broken(
        "a missing package",
        configure("event_log_storage:\n  module: missing_package\n  class: Storage\n"),
        "missing_package",
    ),
    Broken(
        "an unset variable",
        configure("storage:\n  sqlite:\n    base_dir:\n      env: UNSET_\n"),
        "UNSET_",
    ),
    Broken("a damaged database", damage, "database"),
    Broken("a file", lambda home: home.write_text(""), "Move away the file"),
    Broken("a dead link", lambda home: home.symlink_to("nowhere"), "a link to nowhere"),
]


@pytest.fixture(params=BROKEN, ids=[broken.what for broken in BROKEN])
def broken(request: pytest.FixtureRequest, desk: Desk) -> Broken:
    param: Broken = request.param
    param.spoil(desk.home)
    return param


def test_a_run_prints_one_line_with_the_home_and_the_reason(
    desk: Desk, original: Site, broken: Broken
) -> None:
    done = desk.run("build", "--split", "test", DF2_ROOT=original.data.root, SKU_ROOT=desk.sku)
    assert done.exit_code == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"Error: DAGSTER_HOME ({desk.home}) cannot be used: fix it, or set it")
    assert broken.says in line
    assert line.isprintable()


def test_commands_that_start_no_run_make_no_home(desk: Desk, original: Site) -> None:
    answer_without_a_home(desk, original)
    assert desk.files() == {}


@pytest.mark.usefixtures("broken")
def test_commands_that_start_no_run_need_no_home(desk: Desk, original: Site) -> None:
    answer_without_a_home(desk, original)


def answer_without_a_home(desk: Desk, original: Site) -> None:
    roots = {"DF2_ROOT": original.data.root, "SKU_ROOT": original.sku}
    for command in (("plan", "--split", "train"), ("explain", "train", "000011"), ("prompts",)):
        done = desk.run(*command, **roots)
        assert done.exit_code == 0, done.output
        assert done.stderr == ""
        assert done.stdout
