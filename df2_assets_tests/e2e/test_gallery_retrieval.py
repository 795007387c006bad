"""A user looks at an evaluation in the gallery, opened as a file in a real browser."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from df2_assets_tests.support import processes
from df2_assets_tests.support.builder import DataSet
from df2_assets_tests.support.encoders import mean, setting
from df2_assets_tests.support.processes import DF2_ASSETS
from df2_assets_tests.support.site import SIZE, SPLIT, TOP, Site

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ENCODERS = ("histogram", setting(mean))
SKUS = 6


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Build six SKUs, which two encoders have encoded."""
    folder = tmp_path_factory.mktemp("retrieval")
    site = Site(DataSet(folder / "df2"), folder / "sku")
    for pair in range(1, SKUS + 1):
        for image in (10 * pair + 1, 10 * pair + 2):
            site.data.image(SPLIT, image, SIZE)
            site.describe(image, {1: TOP})
    commands = [
        (command, "--encoder", encoder) for encoder in ENCODERS for command in ("embed", "evaluate")
    ]
    for command in (("build",), *commands, ("report",)):
        # Another process: Dagster and Playwright do not share a thread's event loop.
        done = processes.run((*DF2_ASSETS, *command), site.environment(), processes.PROJECT)
        assert done.returncode == 0, done.stdout + done.stderr
    return site


@pytest.fixture
def problems(page: "Page") -> Iterator[list[str]]:
    """Collect what scripts report, and assert at the end that it is nothing."""
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
    yield problems
    assert not problems


@pytest.fixture
def gallery(page: "Page", site: Site, problems: list[str]) -> "Page":
    page.goto(site.roots.gallery(SPLIT).as_uri())
    page.wait_for_selector("body[data-ready]")
    return page


@pytest.mark.parametrize("width", [1440, 1280])
def test_the_page_compares_the_encoders_and_shows_their_queries(
    gallery: "Page", width: int
) -> None:
    gallery.set_viewport_size({"width": width, "height": 900})
    gallery.get_by_role("link", name="Retrieval").click()
    section = gallery.locator("#retrieval")
    section.get_by_role("heading", name="Retrieval").wait_for()
    names = section.locator("table").first.locator("tbody th").all_text_contents()
    assert names == sorted([*ENCODERS, *ENCODERS])
    shown = section.locator(".encoder").first.locator("img")
    shown.first.scroll_into_view_if_needed()
    processes.wait_until(lambda: shown.first.evaluate("image => image.naturalWidth") > 0)
    assert gallery.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_crop_of_the_page_leads_to_its_sku(gallery: "Page") -> None:
    gallery.get_by_role("link", name="Retrieval").click()
    link = gallery.locator("#retrieval .encoder").first.locator("figcaption a").first
    sku_id = link.inner_text()
    link.click()
    gallery.wait_for_selector("dialog#sku[open]")
    assert gallery.locator("#sku-title").inner_text() == f"{SPLIT}/{sku_id}"


def test_a_sku_shows_those_like_it_by_any_encoder(gallery: "Page") -> None:
    gallery.locator("#grid .card").first.click()
    similar = gallery.locator("#similar-list .card")
    similar.first.wait_for()
    own = gallery.locator("#sku-title").inner_text().partition("/")[2]
    for encoder in ENCODERS:
        gallery.locator("#similar-by").select_option(encoder)
        processes.wait_until(lambda: similar.count() == SKUS - 1)
        assert own not in gallery.locator("#similar-list b").all_text_contents()
    first = gallery.locator("#similar-list b").first.inner_text()
    similar.first.click()
    title = gallery.locator("#sku-title")
    processes.wait_until(lambda: title.inner_text() == f"{SPLIT}/{first}")
    processes.wait_until(
        lambda: first not in gallery.locator("#similar-list b").all_text_contents()
    )
