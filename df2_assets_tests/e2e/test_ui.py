"""A person at the Dagster UI, in a real browser: what they click, and what they then read."""

import re
from typing import TYPE_CHECKING

import pytest

from df2_assets.store.layout import Roots
from df2_assets_tests.e2e.conftest import BAD, BAD_IMAGES, GOOD, held_while_cutting
from df2_assets_tests.support import processes
from df2_assets_tests.support.browser import PATIENCE
from df2_assets_tests.support.processes import DF2_ASSETS
from df2_assets_tests.support.webserver import Dev

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = pytest.mark.browser


def sees(what: "Locator") -> None:
    """Waits until a person can read something."""
    from playwright.sync_api import expect

    expect(what.first).to_be_visible(timeout=PATIENCE)


def go(page: "Page", ui: Dev, *links: str) -> None:
    """From the front page along links, as a person does who was told no address."""
    page.goto(ui.api.address)
    for link in links:
        page.get_by_role("link", name=link).first.click()


def launch(page: "Page", ui: Dev, split: str) -> None:
    """Build a split by clicks alone."""
    go(page, ui, "Jobs", "build_dataset")
    page.get_by_role("button", name="Materialize").first.click()
    page.get_by_text("Select a partition or create one").click()
    page.get_by_role("menuitem", name=split).first.click()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Launch 1 run").click()


def open_launched(page: "Page") -> None:
    """Follow the link that a launch shows for a while."""
    page.get_by_text("View", exact=True).first.click()
    page.wait_for_url("**/runs/*")


def test_the_lineage_is_found_from_the_front_page(page: "Page", ui: Dev) -> None:
    go(page, ui, "Lineage")
    groups = "source index skus crops prompts dataset reports quality exports"
    for group in groups.split():
        sees(page.get_by_text(group, exact=True))
    page.mouse.click(900, 250, button="right")
    page.get_by_role("menuitem", name="Expand all groups").click()
    sees(page.get_by_text("image_text", exact=True))
    for _ in range(2):  # until all is in sight: what is not, is not drawn
        page.get_by_label("zoom_out").click()
    for asset in ("deepfashion2", "sku_groups", "crops", "refusals", "sku_metadata", "image_text"):
        sees(page.get_by_text(asset, exact=True))
    page.get_by_text("sku_groups", exact=True).first.click()
    sees(page.get_by_text("it is kept only with at least one"))


def test_a_split_is_materialized_with_clicks_and_its_progress_and_contact_sheet_are_seen(
    page: "Page", ui: Dev
) -> None:
    launch(page, ui, GOOD)
    open_launched(page)
    with held_while_cutting(ui.process, roots(ui), GOOD):
        sees(page.get_by_text("partition: train"))
        sees(page.get_by_text("Started", exact=True))
        sees(page.get_by_text("Executing (1)"))
    sees(page.get_by_text("Success", exact=True))
    sees(page.get_by_text("Executing (0)"))
    sees(page.get_by_text("Errored (0)"))

    go(page, ui, "Catalog", "image_text")
    page.get_by_role("tab", name="Partitions").or_(page.get_by_text("Partitions")).first.click()
    page.get_by_text(GOOD, exact=True).first.click()
    sees(page.get_by_text("Materialized", exact=True))
    sees(page.locator("tr", has_text=re.compile(r"^crops200$")))

    page.goto(f"{ui.api.address}/assets/crops?view=partitions&partition={GOOD}")
    sheet = page.get_by_role("img", name="catalog above query").first
    sees(sheet)
    processes.wait_until(lambda: sheet.evaluate("image => image.complete"))
    width, height = sheet.evaluate("image => [image.naturalWidth, image.naturalHeight]")
    assert width > 400
    assert height > 200


def test_a_failed_check_names_the_items_that_are_bad(page: "Page", ui: Dev) -> None:
    launch(page, ui, BAD)
    open_launched(page)
    sees(page.get_by_text("Failure", exact=True))
    sees(page.get_by_text("Errored (1)"))

    go(page, ui, "Catalog", "raw_annotation_index")
    page.get_by_text("Checks", exact=True).first.click()
    page.get_by_text("refusals_within_limit").first.click()
    sees(page.get_by_text("This is a blocking asset check."))
    sees(page.get_by_text("Refused: 0 of 40 images and 3 of 80 items"))
    sees(page.get_by_text("Too many items of validation: mend the files that are listed"))
    for image in BAD_IMAGES:
        words = (BAD, image, "2", "box_reversed", "bounding_box is [500, 300, 200, 690]")
        sees(page.locator("tr", has_text="".join(words)))


def test_the_nightly_build_is_turned_on(page: "Page", ui: Dev) -> None:
    go(page, ui, "Automation")
    switch = page.locator("[data-index]", has_text="nightly_build").locator("[class*=Switch]")
    assert ui.api.schedules()["nightly_build"] == "STOPPED"
    switch.click()
    processes.wait_until(lambda: ui.api.schedules()["nightly_build"] == "RUNNING")
    page.reload()
    processes.wait_until(switch.get_by_role("checkbox", checked=True).count)
    others = {name for name, status in ui.api.schedules().items() if status == "RUNNING"}
    assert others == {"nightly_build"}


def roots(ui: Dev) -> Roots:
    return Roots(ui.station.df2_root, ui.station.sku, str(ui.station.sku))


def test_the_link_to_the_gallery_opens_it_with_crops_and_originals(page: "Page", ui: Dev) -> None:
    done = processes.run(
        (*DF2_ASSETS, "report", "--split", GOOD), ui.station.environment, ui.station.folder
    )
    assert done.returncode == 0, done.stderr
    page.goto(f"{ui.api.address}/assets/gallery?view=partitions&partition={GOOD}")
    link = page.locator(f"a[href*='/_df2_assets/report/{GOOD}/index.html']").first
    sees(link)
    with page.context.expect_page() as opening:
        link.click()
    gallery = opening.value
    problems: list[str] = []
    gallery.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
    gallery.wait_for_selector("body[data-ready]")
    assert gallery.url.startswith(str(ui.station.settings["DF2_REPORTS_URL"]))
    gallery.locator(".card").first.click()
    gallery.locator(".side.query .crop button").first.click()
    gallery.wait_for_selector("#original svg rect")
    assert problems == []
