"""A real browser that cannot leave this machine: Debian's Chromium, driven by Playwright.

A test that needs it has the marker `browser` and uses the fixture `page` from `conftest.py`. Other
code opens pages with `launched` and `opened`.
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
"""No name is resolved: requests to other machines fail, and are reported below."""

PATIENCE = 60_000.0
"""Milliseconds to wait for something on a page."""

LOCAL_SCHEMES = {"file", "data", "blob", "about"}


def is_local(url: str) -> bool:
    """Return whether a request stays on this machine."""
    parts = urlsplit(url)
    return parts.scheme in LOCAL_SCHEMES or parts.hostname == "127.0.0.1"


@contextmanager
def launched() -> Iterator["Browser"]:
    """Open a Chromium without a window."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def opened(browser: "Browser", size: tuple[int, int] = (1440, 900)) -> Iterator["Page"]:
    """Open a page in a new browser context. At the end, fail if a request has left this machine."""
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
    """Provide one browser for all tests of a file.

    One for the whole process is impossible: while it is open, the event loop of Playwright keeps
    Dagster from running its own.
    """
    with launched() as browser:
        yield browser


@pytest.fixture
def page(chromium: "Browser") -> Iterator["Page"]:
    """Provide an empty page in a new browser context."""
    with opened(chromium) as page:
        yield page
