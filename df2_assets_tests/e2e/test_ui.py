"""A user in Dagster's UI, in a real browser: clicks, and the text that then appears."""

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from df2_assets.checks.finding import read_findings
from df2_assets.sample import make_sample
from df2_assets.store.layout import Roots
from df2_assets_tests.e2e.conftest import BAD, BAD_IMAGES, GOOD, held_while_cutting
from df2_assets_tests.support import processes
from df2_assets_tests.support.browser import PATIENCE
from df2_assets_tests.support.processes import DF2_ASSETS
from df2_assets_tests.support.webserver import Dev, split_of

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = pytest.mark.browser

WIDTHS = (1440, 1280)

TOO_WIDE = """() => [...document.querySelectorAll('*')]
    .filter(e => e.clientWidth && e.scrollWidth > e.clientWidth + 1)
    .filter(e => getComputedStyle(e).overflowX !== 'visible')
    .map(e => `${e.className}: ${e.scrollWidth} in ${e.clientWidth}`)"""
"""A script that returns the parts of a page that are wider than their space."""


def sees(what: "Locator") -> None:
    """Wait until a user can read something."""
    from playwright.sync_api import expect

    expect(what.first).to_be_visible(timeout=PATIENCE)


def go(page: "Page", ui: Dev, *links: str) -> None:
    """Open a page from the front page along links, as a user without its address."""
    page.goto(ui.api.address)
    for link in links:
        page.get_by_role("link", name=link).first.click()


def launch(page: "Page", ui: Dev, split: str) -> None:
    """Build a split by clicks only."""
    go(page, ui, "Jobs", "build_dataset")
    page.get_by_role("button", name="Materialize").first.click()
    page.get_by_text("Select a partition or create one").click()
    page.get_by_role("menuitem", name=split).first.click()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Launch 1 run").click()


def open_launched(page: "Page") -> None:
    """Follow the link that a launch shows for a moment."""
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
    sees(page.get_by_text("Too many items of validation: repair the files that are listed"))
    for image in BAD_IMAGES:
        sees(page.locator("tr", has_text=re.compile(rf"^{image}2.*{image}\.json$")))
    sees(page.get_by_text("reason box_reversed, detail bounding_box is [500, 300, 200, 690]"))


def errors(ui: Dev, run_id: str) -> list[tuple[str, str]]:
    """Return each check that failed as an error in a run, by name and split."""
    return [
        (one["checkName"], one["partition"])
        for one in ui.api.evaluations(run_id)
        if not one["success"] and one["severity"] == "ERROR"
    ]


def test_everything_is_materialized_by_one_button_the_smallest_split_first(
    page: "Page", ui: Dev
) -> None:
    go(page, ui, "Lineage")
    page.get_by_role("button", name="Materialize all").first.click()
    page.get_by_role("button", name="All", exact=True).click()
    page.get_by_role("button", name="Launch backfill").click()
    backfill = page.get_by_text("Created backfill").locator("code, span").last.inner_text()

    def ended() -> list[dict[str, Any]] | None:
        runs = ui.api.runs(backfill=backfill)
        return runs if len(runs) == 3 and all(run["endTime"] for run in runs) else None

    runs = processes.wait_until(ended, ui.process)
    assert [split_of(run) for run in runs] == ["test", BAD, GOOD]
    assert [run["status"] for run in runs] == ["SUCCESS", "FAILURE", "SUCCESS"]
    assert runs[0]["endTime"] <= runs[1]["startTime"]
    assert runs[1]["endTime"] <= runs[2]["startTime"]
    assert errors(ui, runs[1]["runId"]) == [("refusals_within_limit", BAD)]


CHECKED = {
    "deepfashion2": {BAD, GOOD},
    "raw_annotation_index": {"test", BAD, GOOD},
    "sku_groups": {"test", GOOD},
    "sku_metadata": {"test", GOOD},
    "crop_quality": {"test", GOOD},
    "coco": {"test", GOOD},
}
"""The partitions of each asset. The bad split has nothing after its index."""


def test_every_split_is_checked_by_the_buttons_that_know_no_partition(
    page: "Page", ui: Dev
) -> None:
    launched = {}
    for asset in CHECKED:
        page.goto(f"{ui.api.address}/assets/{asset}?view=checks")
        page.get_by_role("button", name="Execute all").click()
        launched[asset] = launched_run(page)
    page.goto(f"{ui.api.address}/assets/deepfashion2")
    page.get_by_role("button", name="Observe").first.click()
    observed = launched_run(page)

    for asset, run_id in {**launched, "deepfashion2 ": observed}.items():
        bad = [("refusals_within_limit", BAD)] if asset == "raw_annotation_index" else []
        assert ui.api.end(run_id) == ("FAILURE" if bad else "SUCCESS"), asset
        assert errors(ui, run_id) == bad
        splits = {evaluation["partition"] for evaluation in ui.api.evaluations(run_id)}
        assert splits == CHECKED[asset.strip()]

    page.goto(f"{ui.api.address}/assets/sku_metadata?view=checks")
    sees(page.get_by_text("The job check_only evaluates it again"))
    page.get_by_text("Partitions", exact=True).last.click()
    for split in ("test", GOOD):
        sees(page.get_by_text(split, exact=True))


def launched_run(page: "Page") -> str:
    """Return the run of the last launch, from the link that the UI shows for a moment."""
    link = page.get_by_role("link", name="View", exact=True).or_(
        page.get_by_role("button", name="View", exact=True)
    )
    link.first.click()
    page.wait_for_url("**/runs/*")
    return run_of(page.url)


def test_a_failed_run_is_executed_again_whole_and_from_its_failure(page: "Page", ui: Dev) -> None:
    """Until the files are fixed, it fails in the same way, and the first page says so."""
    failed = [run for run in ui.api.runs(partition=BAD) if run["status"] == "FAILURE"]
    address = f"{ui.api.address}/runs/{failed[0]['runId']}"

    page.goto(address)
    page.get_by_role("button", name="Re-execute all").click()
    again = {"all": other_run(page, address)}
    page.goto(address)
    page.get_by_role("button", name="Re-execute all").locator("xpath=following::button[1]").click()
    page.get_by_role("menuitem", name="From failure").click()
    again["from failure"] = other_run(page, address)
    for run_id in again.values():
        assert ui.api.end(run_id) == "FAILURE"
        assert errors(ui, run_id) == [("refusals_within_limit", BAD)]
        page.goto(f"{ui.api.address}/runs/{run_id}")
        sees(page.get_by_text("Too many items of validation: repair the files that are listed"))
        sees(page.get_by_text("First offender: image_id 000007, item_idx 2"))


def run_of(url: str) -> str:
    return urlsplit(url).path.rpartition("/")[2]


def other_run(page: "Page", address: str) -> str:
    """Return the run to which the page goes from the page of another run."""
    page.wait_for_url(lambda url: "/runs/" in url and not url.startswith(address))
    return run_of(page.url)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"df2_root": "/nowhere"}, "DF2_ROOT (/nowhere) does not exist. Set it to the folder"),
        ({"sku_root": "/"}, "SKU_ROOT is /: set it to a separate folder."),
    ],
)
def test_the_page_of_a_run_over_a_wrong_folder_says_what_to_do(
    page: "Page", ui: Dev, given: dict[str, str], says: str
) -> None:
    run_id = ui.api.launch(GOOD, {"resources": {"data": {"config": given}}})
    ui.api.wait_for(run_id, "FAILURE")
    page.goto(f"{ui.api.address}/runs/{run_id}")
    sees(page.locator("[class]", has_text=re.compile(rf"Failure: {re.escape(says)}")))


def test_runs_of_the_command_line_are_on_every_page_and_are_executed_again(
    page: "Page", ui: Dev
) -> None:
    for command in (("build",), ("export", "coco")):
        arguments = (*DF2_ASSETS, *command, "--split", GOOD)
        done = processes.run(arguments, ui.station.environment, ui.station.folder)
        assert done.returncode == 0, done.stdout + done.stderr
    go(page, ui)
    sees(page.get_by_role("link", name="build_exports"))
    go(page, ui, "Runs")
    row = page.locator("[data-index]", has_text="build_exports").first
    sees(row)
    box = row.bounding_box()
    assert box is not None
    assert box["height"] < 100
    assert "df2_assets_" not in page.content()
    go(page, ui, "Jobs", "build_exports", "Runs")
    page.locator("[data-index]", has_text="Success").get_by_role("link").first.click()
    page.wait_for_url("**/runs/*")
    address = page.url.partition("?")[0]
    page.get_by_role("button", name="Re-execute all").click()
    ui.api.wait_for(other_run(page, address), "SUCCESS")


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
    faulty = make_sample(folder / "faulty", images=150, defects=True).root
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
        assert too_wide(page, address, "checked_count") == {}, one.check
    for asset in ("raw_annotation_index", "crops", "refusals", "sku_metadata", "image_text"):
        address = f"{ui.api.address}/assets/{asset}?view=partitions&partition={GOOD}"
        assert too_wide(page, address, "summary") == {}, asset


def too_wide(page: "Page", address: str, shown: str) -> dict[int, list[str]]:
    """Return what does not fit on a page once it shows a text, by the width of the window.

    Pictures are left out: they have a fixed width, and Dagster does not scale them.
    """
    found: dict[int, list[str]] = {}
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(address)
        sees(page.get_by_text(shown, exact=True))
        page.add_style_tag(content="img { display: none }")
        found[width] = page.evaluate(TOO_WIDE)
    return {width: parts for width, parts in found.items() if parts}


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
