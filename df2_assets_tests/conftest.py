"""Fixtures, hooks and options for all tests."""

import os
import re
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from df2_assets.store.layout import Roots
from df2_assets_tests.support.browser import chromium, page

if TYPE_CHECKING:
    from df2_assets_tests.support.site import Site

__all__ = ["chromium", "page"]

_DAGSTER_CHATTER = re.compile(
    r"^.* - dagster - (?:.*\x1b\[\d+m)?(?:DEBUG|INFO)\b.*\n?", re.MULTILINE
)


@pytest.fixture
def roots(tmp_path: Path) -> Roots:
    """Return two empty roots."""
    return Roots(tmp_path / "df2", tmp_path / "sku", str(tmp_path / "sku"))


@pytest.fixture(scope="session")
def original(tmp_path_factory: pytest.TempPathFactory) -> "Site":
    """Write three pairs of images and build them. Tests must not change them."""
    from df2_assets_tests.support.site import write_and_build

    return write_and_build(tmp_path_factory.mktemp("original"))


@pytest.fixture
def site(original: "Site", tmp_path: Path) -> "Site":
    """Copy the original for one test."""
    return original.copy(tmp_path)


@pytest.fixture(scope="session")
def sample_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Draw the clean sample at its usual size, once. Tests must not change it."""
    from df2_assets.sample import make_sample

    return make_sample(tmp_path_factory.mktemp("sample") / "DeepFashion2_original").root


def pytest_configure() -> None:
    """Make Ctrl-C reach the processes of tests, even if a shell runs them in the background.

    Ray listens on 127.0.0.1 only, where tests start it.
    """
    os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):  # type: ignore[no-untyped-def]
    """Count a skipped test as failed in CI, and keep only warnings of Dagster's log in reports."""
    report = yield
    kept = [(name, _DAGSTER_CHATTER.sub("", text)) for name, text in report.sections]
    report.sections = [(name, text) for name, text in kept if text.strip()]
    if report.skipped and os.environ.get("CI") and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI: {report.longrepr}"
    return report


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the fault harness, `df2_assets_tests/faults`."""
    group = parser.getgroup("faults")
    group.addoption("--long", action="store_true", help="go on for about an hour")
    group.addoption("--fault-seed", type=int, help="what is tried; --long draws a new one")
    group.addoption(
        "--write-figures", action="store_true", help="record in docs/reliability.md what was tried"
    )
