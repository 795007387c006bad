"""A real browser: Debian's Chromium, driven by Playwright, that cannot leave this machine.

A test that needs it has the marker `browser` and takes the fixture `page`, which `conftest.py`
hands out; what is not a test opens pages with `launched` and `opened`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
"""No name is looked up: what asks for another machine gets an error, and is reported below."""

PATIENCE = 60_000.0
"""Milliseconds after which a page that does not come to show something is given up."""

LOCAL_SCHEMES = {"file", "data", "blob", "about"}


def is_local(url: str) -> bool:
    """Whether a request stays on this machine."""
    parts = urlsplit(url)
    return parts.scheme in LOCAL_SCHEMES or parts.hostname == "127.0.0.1"


@contextmanager
def launched() -> Iterator["Browser"]:
    """A Chromium without a window."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def opened(browser: "Browser", size: tuple[int, int] = (1440, 900)) -> Iterator["Page"]:
    """A page of its own, without history; fails at the end if a request has left this machine."""
    width, height = size
    asked: list[str] = []
    context = browser.new_context(
        viewport={"width": width, "height": height}, locale="en-GB", timezone_id="UTC"
    )
    context.set_default_timeout(PATIENCE)
    context.on("request", lambda request: asked.append(request.url))
    try:
        yield context.new_page()
    finally:
        context.close()
    elsewhere = [url for url in asked if not is_local(url)]
    assert not elsewhere, f"asked for from other machines: {elsewhere}"


@pytest.fixture(scope="module")
def chromium() -> Iterator["Browser"]:
    """One browser for all tests of a file.

    Not of a process: while it is open, Playwright's event loop keeps Dagster from running its own.
    """
    with launched() as browser:
        yield browser


@pytest.fixture
def page(chromium: "Browser") -> Iterator["Page"]:
    """An empty page of a person who comes for the first time."""
    with opened(chromium) as page:
        yield page
