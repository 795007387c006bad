"""A person at the Dagster UI, in a real browser: what they click, and what they then read."""

import re
from typing import TYPE_CHECKING

import pytest

from df2_assets.checks.finding import read_findings
from df2_assets.sample import make_sample
from df2_assets.store.layout import Roots
from df2_assets_tests.e2e.conftest import BAD, BAD_IMAGES, GOOD, held_while_cutting
from df2_assets_tests.support import processes
from df2_assets_tests.support.browser import PATIENCE
from df2_assets_tests.support.webserver import Dev

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = pytest.mark.browser

WIDTHS = (1440, 1280)

TOO_WIDE = """() => [...document.querySelectorAll('*')]
    .filter(e => e.clientWidth && e.scrollWidth > e.clientWidth + 1)
    .filter(e => getComputedStyle(e).overflowX !== 'visible')
    .map(e => `${e.className}: ${e.scrollWidth} in ${e.clientWidth}`)"""
"""The parts of a page that are wider than the place that they have."""


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


@pytest.mark.parametrize("width", WIDTHS)
def test_the_lineage_opens_with_the_name_and_the_status_of_each_group(
    page: "Page", ui: Dev, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    go(page, ui, "Lineage")
    for group in ("dataset", "reports", "exports"):
        name = page.locator("svg").get_by_text(group, exact=True)
        sees(name)
        page.wait_for_timeout(500)  # the graph is fitted into the window
        place = name.bounding_box()
        assert place is not None
        assert place["height"] > 9
        assert 0 < place["x"] < width - place["width"]
    sees(page.locator("svg").get_by_text(re.compile(r"^[0-9]+ |^[0-9]+$")))


def test_the_lineage_is_found_from_the_front_page(page: "Page", ui: Dev) -> None:
    go(page, ui, "Lineage")
    sees(page.get_by_text("exports", exact=True))
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
    page.get_by_text("Show Markdown").first.click()
    sheet = page.get_by_role("dialog").get_by_role("img", name="catalog above query")
    sees(sheet)
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
        sees(page.locator("tr", has_text=re.compile(f"^{image}2$")))
    sees(page.get_by_text("reason box_reversed, detail bounding_box is [500, 300, 200, 690]"))


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


def test_no_page_of_a_failed_check_or_of_a_materialization_is_wider_than_the_window(
    page: "Page", ui: Dev
) -> None:
    folder = ui.station.folder
    faulty = make_sample(folder / "faulty", images=150, faults=True).root
    built = Roots(faulty, folder / "of_faulty", str(folder / "of_faulty"))
    config = {
        "data": {"config": {"df2_root": str(faulty), "sku_root": built.out_root}},
        "limits": {"config": {"max_refused": 0.5}},
    }
    for job in ("build_dataset", "refresh_reports"):
        run_id = ui.api.launch(GOOD, {"resources": config}, job)
        ui.api.wait_for(run_id, "SUCCESS")
    failed = [one for one in read_findings(built, GOOD) if not one.passed]
    assert len(failed) >= 10
    for one in failed:
        address = f"{ui.api.address}/assets/{one.asset}?view=checks&checkDetail={one.check}"
        assert too_wide(page, address, "looked_at") == {}, one.check
    for asset in ("raw_annotation_index", "crops", "refusals", "sku_metadata", "image_text"):
        address = f"{ui.api.address}/assets/{asset}?view=partitions&partition={GOOD}"
        assert too_wide(page, address, "summary") == {}, asset


def too_wide(page: "Page", address: str, shown: str) -> dict[int, list[str]]:
    """What does not fit on a page once it shows a text, by the width of the window."""
    found: dict[int, list[str]] = {}
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(address)
        sees(page.get_by_text(shown, exact=True))
        found[width] = page.evaluate(TOO_WIDE)
    return {width: parts for width, parts in found.items() if parts}


def roots(ui: Dev) -> Roots:
    return Roots(ui.station.df2_root, ui.station.sku, str(ui.station.sku))
