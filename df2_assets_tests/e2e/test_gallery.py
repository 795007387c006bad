"""A user in the gallery, opened as a file in a real browser."""

import re
import shutil
from collections.abc import Callable, Generator, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from df2_assets.checks.finding import read_findings
from df2_assets.dataset.metadata import ImageText
from df2_assets.dataset.prompts import prompt
from df2_assets.dataset.taxonomy import CATEGORIES
from df2_assets.engines.base import Lost, R, S
from df2_assets.engines.progress import silent
from df2_assets.engines.serial import SerialEngine
from df2_assets.report.addresses import data_set_id
from df2_assets.report.gallery import content
from df2_assets.report.gallery.site import write_site
from df2_assets.settings import Settings
from df2_assets.store.layout import Roots
from df2_assets_tests.support import processes
from df2_assets_tests.support.builder import DataSet, item
from df2_assets_tests.support.processes import DF2_ASSETS
from df2_assets_tests.support.reports import running
from df2_assets_tests.support.site import Site

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = pytest.mark.browser

SPLIT, OTHER = "train", "validation"
HOSTILE = "<img src=x onerror=\"document.title='run'\"><script>document.title='run'</script>"
FULL_SKUS = 21_190
BOX = (10, 20, 300, 400)
NO_PICTURE = bytes.fromhex("47494638396101000100800000000000ffffff2c00000000010001000002024401003b")


SHAPES: dict[str, Any] = {
    "segmentation": [[20, 30, 40, 30, 40, 70, 20, 70]],
    "landmarks": [20, 30, 2, 40, 30, 2, 40, 70, 1, *[0] * 66],
}
"""A rectangle, and landmarks of a short sleeve top: two visible and one occluded."""

VARIANTS = """variants:
  square64: {size: 64, square: pad}
  cut_out: {cut_out: alpha, format: png}
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Build 70 SKUs of three categories, with a hostile name in a refusal, and another split.

    The other split has labels and two variants. The landmarks and the mask of its user photo are
    refused.
    """
    folder = tmp_path_factory.mktemp("gallery")
    data = DataSet(folder / "df2")
    for pair in range(1, 71):
        category = (1, 8, 12)[pair % 3]
        for source, viewpoint in (("shop", 2), ("user", 1 + pair // 3 % 3)):
            image = 2 * pair + (source == "user")
            data.image(SPLIT, image, (160, 120))
            garment = item(category, 1, [10, 20, 110, 100], 1 + pair % 2, viewpoint)
            garment["zoom_in"] = 1 + pair % 3
            if pair % 10 == 0:
                del garment["scale"]
            data.annotation(SPLIT, image, source, pair, {1: garment})
    for image, source in ((2, "shop"), (3, "user")):
        data.image(OTHER, image, (160, 120))
        shapes: dict[str, Any] = SHAPES if source == "shop" else {"segmentation": []}
        data.annotation(OTHER, image, source, 1, {1: item(1, 1, [10, 20, 50, 110], **shapes)})
    data.image(SPLIT, 900, (160, 120))
    bad = item(1, 1, [10, 20, 110, 100], category_name=HOSTILE)
    data.annotation(SPLIT, 900, "user", 900, {1: bad})
    made = Site(data, folder / "sku")
    templates = folder / "prompts.yaml"
    templates.write_text('prompts: {text_short: "{occ}{category_name}, {domain}"}')
    roots = {"DF2_ROOT": data.root, "SKU_ROOT": made.sku, "DF2_WORKERS": 2}
    roots["SPLITS"] = f"{SPLIT} {OTHER}"
    environment = processes.environment(folder / "home", **roots, DF2_PROMPTS=templates)
    # Other processes: Dagster and Playwright do not share a thread's event loop.
    declared = folder / "variants.yaml"
    declared.write_text(VARIANTS)
    for command in (
        ("build",),
        ("labels", "--split", OTHER),
        ("variants", "--split", OTHER, "--variants", str(declared)),
        ("report",),
    ):
        done = processes.run((*DF2_ASSETS, *command), environment, folder)
        assert done.returncode == 0, done.stdout + done.stderr
    return made


@pytest.fixture
def gallery(page: "Page", site: Site) -> "Page":
    """Open the gallery. At the end, assert that no script has failed or was injected."""
    open_page(page, site.roots.gallery(SPLIT))
    return page


@pytest.fixture(autouse=True)
def _no_errors(page: "Page") -> Iterator[None]:
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
    yield
    assert not problems


def open_page(page: "Page", path: Path, address: str = "") -> None:
    page.goto(path.as_uri() + address)
    page.wait_for_selector("body[data-ready]")


def wait_until(page: "Page", holds: str) -> None:
    """Wait until an expression is true.

    The policy of the page forbids Playwright to poll it there.
    """
    processes.wait_until(lambda: page.evaluate(holds))


def read_count(page: "Page") -> str:
    return str(page.get_by_role("status").first.inner_text())


def chip(page: "Page", label: str) -> "Locator":
    """Return a choice of the filters, without its number."""
    return page.locator(".chip", has_text=re.compile(rf"^{label}[0-9,]*$"))


def ids(page: "Page") -> list[str]:
    return list(page.locator(".card b").all_text_contents())


def tab_to(page: "Page", selector: str) -> None:
    """Press Tab until something of a kind has the focus."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            return
    pytest.fail(f"no {selector} is reached by Tab")


def test_it_opens_from_its_file_with_every_sku_and_its_thumbnail(gallery: "Page") -> None:
    processes.wait_until(lambda: read_count(gallery) == "70 SKUs 140 crops")
    processes.wait_until(lambda: len(ids(gallery)) == 60)
    wait_until(gallery, "document.querySelector('.card img')?.naturalWidth === 224")
    gallery.get_by_role("button", name="Page 2").click()
    processes.wait_until(lambda: len(ids(gallery)) == 10)


def test_filters_narrow_and_combine_and_must_hold_of_one_crop(gallery: "Page") -> None:
    chip(gallery, "trousers").click()
    assert read_count(gallery) == "24 SKUs 48 crops"
    chip(gallery, "side or back").click()
    assert read_count(gallery) == "8 SKUs 16 crops"
    assert all(name.endswith("_08") for name in ids(gallery))
    gallery.get_by_role("button", name="Clear all").click()
    wait_until(gallery, "document.getElementById('found').textContent.startsWith('70')")

    for label in ("catalog", "not worn"):
        chip(gallery, label).click()
    assert read_count(gallery) == "0 SKUs 0 crops"
    assert gallery.get_by_text("No SKU matches").is_visible()


@pytest.mark.parametrize(
    ("words", "skus"),
    [
        ("000007_01_08", ["000007_01_08"]),
        ("000015", ["000007_01_08", "000015_01_01"]),
        ("wearing vest", None),
        ("nothing of the kind", []),
    ],
)
def test_it_is_searched_by_sku_image_and_prompt(
    gallery: "Page", words: str, skus: list[str] | None
) -> None:
    gallery.keyboard.press("/")
    gallery.keyboard.type(words)
    wait_until(gallery, f"location.hash.includes('q={words.split()[0]}')")
    if skus is None:
        assert ids(gallery)
        assert all(name.endswith("_12") for name in ids(gallery))
    else:
        wait_until(gallery, f"document.querySelectorAll('.card').length === {len(skus)}")
        assert ids(gallery) == skus


def test_what_was_chosen_is_in_the_address(gallery: "Page", site: Site) -> None:
    chip(gallery, "vest dress").click()
    address = gallery.evaluate("location.hash")
    shown = ids(gallery)
    gallery.goto("about:blank")
    open_page(gallery, site.roots.gallery(SPLIT), address)
    assert ids(gallery) == shown
    assert gallery.get_by_role("checkbox", name="vest dress").is_checked()


def test_by_keyboard_alone_from_search_to_the_original_and_back(gallery: "Page") -> None:
    keyboard = gallery.keyboard
    keyboard.press("/")
    keyboard.type("000009_")
    wait_until(gallery, "document.querySelectorAll('.card').length === 1")
    tab_to(gallery, ".card")
    keyboard.press("Enter")
    gallery.wait_for_selector("dialog#sku[open] .crop")
    assert gallery.evaluate("document.activeElement.id") == "sku-title"
    tab_to(gallery, ".crop button")
    keyboard.press("Enter")
    gallery.wait_for_selector("dialog#original[open] svg rect")
    keyboard.press("Escape")
    assert gallery.locator("dialog#sku[open]").count() == 1
    keyboard.press("Escape")
    gallery.wait_for_selector("dialog#sku:not([open])", state="attached")
    assert gallery.evaluate("document.activeElement.getAttribute('href')").startswith("#/sku/")


def test_the_box_is_drawn_on_the_original_where_it_is(gallery: "Page", site: Site) -> None:
    gallery.locator(".card").first.click()
    gallery.locator(".side.query .crop button").first.click()
    rect = gallery.wait_for_selector("#original svg rect")
    box = [rect.get_attribute(name) for name in ("x", "y", "width", "height")]
    assert box == ["10", "20", "100", "80"]
    assert gallery.locator("#original svg").get_attribute("viewBox") == "0 0 160 120"
    link = gallery.get_by_role("link", name="open the file")
    assert link.evaluate("link => link.href") == site.image(3).as_uri()
    link.click()
    gallery.wait_for_url("**/000003.jpg")


def test_further_prompts_are_below_the_contract_prompt(gallery: "Page") -> None:
    gallery.locator(".card").first.click()
    caption = gallery.locator(".side.query .crop figcaption").first
    caption.wait_for()
    shown = caption.inner_text().splitlines()
    assert shown[0].startswith("A user photo of a ")
    assert shown[1] == "text_short partially occluded trousers, query"


def test_arrows_go_from_sku_to_sku(gallery: "Page") -> None:
    gallery.locator(".card").first.click()
    gallery.wait_for_selector("dialog#sku[open]")
    gallery.keyboard.press("ArrowRight")
    wait_until(gallery, "document.getElementById('sku-title').textContent === 'train/000002_01_12'")
    gallery.keyboard.press("ArrowLeft")
    wait_until(gallery, "document.getElementById('sku-title').textContent === 'train/000001_01_08'")
    assert gallery.get_by_role("button", name="Previous SKU").is_disabled()


def test_refusals_are_filtered_and_hostile_text_in_them_does_nothing(gallery: "Page") -> None:
    gallery.get_by_role("link", name="Refusals").click()
    gallery.wait_for_selector("#refused-rows tr")
    assert "<img src=x onerror=" in gallery.locator("#refused-rows").inner_text()
    assert gallery.title() == f"{SPLIT} · DeepFashion2 SKUs"
    assert gallery.locator("#refused-rows img, #refused-rows script").count() == 0
    gallery.get_by_role("button", name="wrong_category").click()
    assert gallery.locator("#refused-rows tr").count() == 1
    assert gallery.locator("#refused-found").inner_text() == "1 of 1"


def test_checks_and_readiness_have_pages(gallery: "Page") -> None:
    gallery.get_by_role("link", name="Readiness").click()
    gallery.get_by_role("heading", name="Ready for retrieval?").wait_for()
    assert gallery.get_by_text("Paired SKUs").locator("..").inner_text().split("\n")[1] == "70"
    gallery.get_by_role("link", name="Checks").click()
    gallery.get_by_text("near duplicate crops").wait_for()
    assert not gallery.get_by_role("heading", name="Ready for retrieval?").is_visible()


def test_dark_colours_are_the_systems_or_chosen(gallery: "Page") -> None:
    def luma() -> int:
        colour = gallery.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        return sum(int(part) for part in re.findall(r"\d+", colour)[:3])

    light = luma()
    gallery.emulate_media(color_scheme="dark")
    assert luma() < 200 < light
    gallery.get_by_role("button", name="Dark colours").click()
    assert luma() == light


def test_a_narrow_screen_shows_everything_without_scrolling_sideways(gallery: "Page") -> None:
    gallery.set_viewport_size({"width": 390, "height": 800})
    for address in ("#/browse", "#/readiness", "#/checks", "#/refusals"):
        gallery.evaluate(f"location.hash = '{address}'")
        gallery.wait_for_selector(f"section{address.replace('/', '')}:not([hidden])")
        wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        assert not gallery.evaluate(wide), address


def test_filters_mark_the_crops_that_match_and_update_the_counts(gallery: "Page") -> None:
    def counts(group: str) -> dict[str, int]:
        texts = gallery.locator(f"#{group} .chip").all_inner_texts()
        pairs = (re.fullmatch(r"(.*?)([0-9,]+)", text.replace("\n", "")) for text in texts)
        return {pair[1].strip(): int(pair[2].replace(",", "")) for pair in pairs if pair}

    assert counts("category") == {"short sleeve top": 23, "trousers": 24, "vest dress": 23}
    assert counts("viewpoint") == {"not worn": 23, "frontal": 70, "side or back": 23}
    assert gallery.locator("#matching").inner_text() == ""
    assert gallery.locator(".tile.match, .tile.other").count() == 0

    chip(gallery, "side or back").click()
    assert gallery.locator("#matching").inner_text() == "23 crops match and are marked"
    assert sum(counts("category").values()) == 23
    assert counts("domain") == {"catalog": 0, "query": 23}
    assert counts("viewpoint") == {"not worn": 23, "frontal": 70, "side or back": 23}
    chip(gallery, "trousers").click()
    assert counts("viewpoint")["side or back"] == 8
    card = gallery.locator(".card").first
    assert card.locator(".tile.upper.left.other, .tile.lower.left.match").count() == 2
    assert "1 crop marked" in card.inner_text()

    card.click()
    gallery.wait_for_selector("dialog#sku[open] .crop")
    assert gallery.locator(".side.query .crop.match").count() == 1
    assert "matches the filters" in gallery.locator(".side.query .crop figcaption").inner_text()
    assert gallery.locator(".side.catalog .crop.match").count() == 0
    gallery.keyboard.press("Escape")
    gallery.get_by_role("button", name="Clear all").click()
    wait_until(gallery, "document.getElementById('matching').textContent === ''")
    assert counts("viewpoint")["side or back"] == 23


def test_all_labels_are_filters_and_a_missing_one_is_not_given(gallery: "Page") -> None:
    def counts(group: str) -> dict[str, int]:
        chips = (chip.inner_text().split("\n") for chip in gallery.locator(f"#{group} .chip").all())
        return {label: int(count) for label, count in chips}

    assert counts("scale") == {"small": 0, "modest": 63, "large": 0, "not given": 7}
    assert counts("zoom_in") == {"none": 23, "medium": 24, "large": 23}
    gallery.locator("#scale").get_by_text("not given").click()
    assert read_count(gallery) == "7 SKUs 14 crops"
    assert sum(counts("zoom_in").values()) == 7
    gallery.locator("#zoom_in").get_by_text("none").click()
    assert read_count(gallery) == "2 SKUs 4 crops"
    assert ids(gallery) == ["000030_01_01", "000060_01_01"]
    assert gallery.locator("#matching").inner_text() == "4 crops match and are marked"
    assert "scale=3&zoom_in=0" in gallery.evaluate("location.hash")
    gallery.locator(".card").first.click()
    caption = gallery.locator(".side.query .crop figcaption").first
    caption.wait_for()
    assert "scale not given · zoom in none" in caption.inner_text()


@pytest.mark.parametrize("width", [1280, 1440])
def test_all_filters_can_be_reached_beside_the_skus(page: "Page", site: Site, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    open_page(page, site.roots.gallery(SPLIT))
    filters, grid = (page.locator(name).bounding_box() for name in ("#filters", "#grid"))
    assert filters
    assert grid
    assert filters["x"] + filters["width"] <= grid["x"]
    for name in ("domain", "occlusion", "viewpoint", "scale", "zoom_in", "category"):
        box = page.locator(f"#{name}")
        box.scroll_into_view_if_needed()
        edges = box.bounding_box()
        assert edges
        assert edges["x"] + edges["width"] <= filters["x"] + filters["width"]
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")


def test_an_id_of_another_split_is_found_on_its_own_page(gallery: "Page") -> None:
    gallery.locator("#q").fill(f"{SPLIT}/000001_01_")
    wait_until(gallery, "document.querySelectorAll('.card').length === 1")
    gallery.locator(".card").click()
    gallery.wait_for_selector("dialog#sku[open] .crop")
    assert gallery.locator("#sku-title").inner_text() == f"{SPLIT}/000001_01_08"
    gallery.keyboard.press("Escape")
    gallery.locator("#q").fill(f"{OTHER}/000001_01_")
    gallery.get_by_text(f"This page has the SKUs of {SPLIT}.").wait_for()
    assert ids(gallery) == []
    gallery.get_by_role("link", name=f"Search in {OTHER}").click()
    gallery.wait_for_url(f"**/{OTHER}/index.html#/browse?q=000001_01_")
    gallery.wait_for_selector("body[data-ready]")
    wait_until(gallery, "document.querySelectorAll('.card').length === 1")
    assert ids(gallery) == ["000001_01_01"]


def test_changing_the_split_stays_on_the_same_page(gallery: "Page") -> None:
    gallery.get_by_role("link", name="Readiness").click()
    gallery.get_by_role("heading", name=SPLIT, exact=True).click()
    gallery.get_by_role("navigation", name="Splits").get_by_role("link", name=OTHER).click()
    gallery.wait_for_url(f"**/{OTHER}/index.html#/readiness")
    gallery.wait_for_selector("body[data-ready]")
    assert gallery.get_by_role("heading", name=OTHER, exact=True).is_visible()
    assert gallery.get_by_role("heading", name="Ready for retrieval?").is_visible()
    gallery.get_by_role("heading", name=OTHER, exact=True).click()
    gallery.get_by_role("link", name=SPLIT).wait_for()
    gallery.keyboard.press("Escape")
    assert not gallery.get_by_role("link", name=SPLIT).is_visible()


def test_a_single_crop_has_an_empty_place_beside_it(gallery: "Page", site: Site) -> None:
    wait_until(gallery, "document.querySelector('.card img').naturalWidth === 224")
    assert gallery.locator(".card").first.locator(".tile.right.none").count() == 2
    (sheet,) = site.roots.gallery(SPLIT).parent.glob("thumbs/001/000001_01_08-*.jpg")
    with Image.open(sheet) as image:
        beside = image.crop((120, 4, 220, 276))
    assert np.asarray(beside).min() > 250


def test_the_whole_crop_is_seen_in_the_details(page: "Page", site: Site) -> None:
    for split, size in ((SPLIT, (100, 80)), (OTHER, (40, 90))):
        open_page(page, site.roots.gallery(split))
        page.locator(".card").first.click()
        picture = page.locator(".side.query .crop img")
        picture.wait_for()
        images = "[...document.querySelectorAll('.crop img')]"
        wait_until(page, f"{images}.every((image) => image.naturalWidth)")
        shown, button = (
            picture.bounding_box(),
            page.locator(".side.query .crop button").bounding_box(),
        )
        assert shown
        assert button
        assert shown["width"] / shown["height"] == pytest.approx(size[0] / size[1], rel=0.02)
        assert shown["x"] >= button["x"]
        assert shown["y"] + shown["height"] <= button["y"] + button["height"] + 0.5
        page.keyboard.press("Escape")


def test_the_page_of_readiness_answers_its_question(gallery: "Page", site: Site) -> None:
    gallery.get_by_role("link", name="Readiness").click()
    answer = gallery.locator(".verdict").inner_text()
    checks = len(read_findings(site.roots, SPLIT))
    assert re.match(r"(Yes|Not yet|Not known yet|Yes, with doubts): ", answer)
    assert "it is not compared with test" in answer
    assert answer.endswith("70 queries of 70 SKUs can be answered.")
    assert f"Checks {checks}" in gallery.get_by_role("link", name="Checks").inner_text()


def test_a_refusal_leads_to_the_files_that_it_is_about(gallery: "Page", site: Site) -> None:
    gallery.get_by_role("link", name="Refusals").click()
    row = gallery.locator("#refused-rows tr", has_text="000900")
    at_fault = row.locator("strong a")
    assert at_fault.inner_text() == "annotation"
    assert at_fault.evaluate("link => link.href") == site.annotation(900).as_uri()
    image = row.get_by_role("link", name="image")
    assert image.evaluate("link => link.href") == site.image(900).as_uri()


def test_a_narrow_screen_has_one_row_above_and_closed_filters(page: "Page", site: Site) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    open_page(page, site.roots.gallery(SPLIT))
    box = page.locator("header.top").bounding_box()
    assert box
    assert box["height"] < 60
    links = page.locator("header.top > nav a").all()
    assert len({round((link.bounding_box() or {})["y"]) for link in links}) == 1
    edge = links[-1].bounding_box()
    assert edge
    assert edge["x"] + edge["width"] <= 390
    assert not page.locator("#filters legend", has_text="Viewpoint").is_visible()
    first = page.locator(".card").first.bounding_box()
    assert first
    assert first["y"] < 400
    page.get_by_text("Filters", exact=False).first.click()
    chip(page, "trousers").click()
    assert read_count(page) == "24 SKUs 48 crops"
    page.get_by_text("Filters", exact=False).first.click()
    assert page.locator("#chosen").inner_text() == "1"
    page.set_viewport_size({"width": 1440, "height": 900})
    page.locator("#filters legend", has_text="Viewpoint").wait_for(state="visible")


def test_everything_has_an_accessible_name(gallery: "Page") -> None:
    gallery.locator(".card").first.click()
    gallery.wait_for_selector("dialog#sku[open] .crop")
    nameless = """() => [...document.querySelectorAll('button, a, input, select, img')]
        .filter((one) => !(one.textContent.trim() || one.getAttribute('aria-label')
          || one.labels?.length || one.hasAttribute('alt'))).map((one) => one.outerHTML)"""
    assert gallery.evaluate(nameless) == []


def test_a_copy_without_the_crops_still_shows_the_thumbnails(
    page: "Page", site: Site, tmp_path: Path
) -> None:
    alone = shutil.copytree(site.roots.gallery(SPLIT).parent, tmp_path / "a" / "b" / "c")
    open_page(page, Path(alone) / "index.html")
    wait_until(page, "document.querySelector('.card img').naturalWidth === 224")


def full_size(roots: Roots) -> Path:
    """Write the gallery of as many SKUs as a full build has, without pictures."""
    records = []
    more: dict[str, dict[str, int | None]] = {}
    for number in range(FULL_SKUS):
        category = 1 + number % 13
        name = CATEGORIES[category]
        sku_id = f"{number + 1:06d}_01_{category:02d}"
        for place, domain in enumerate(("catalog", *["query"] * 8, "catalog")):
            image = f"{(10 * number + place) % 1_000_000:06d}"
            occlusion, viewpoint = 1 + number % 3, 1 + (number + place) % 3
            paths = f"{SPLIT}/{domain}/{sku_id}/{image}_item1.jpg", f"{SPLIT}/image/{image}.jpg"
            more[paths[0]] = {"scale": 1 + number % 3, "zoom_in": 1 + (number + place) // 3 % 3}
            text = prompt(domain, name, occlusion, viewpoint)
            garment = SPLIT, sku_id, number + 1, 1, category, name
            records.append(
                ImageText(*garment, domain, *paths, image, 1, BOX, occlusion, viewpoint, text)
            )
    records.sort(key=lambda one: (one.sku_id, one.domain))
    shown = content.collect_content(records, more, {}, {})
    lists: dict[str, object] = {
        name: [] for name in ("figures", "prompts", "ceilings", "leaks", "not_compared")
    }
    ready = lists | {"gap": "", "balance": {}, "distinct": 0, "more_leaks": 0}
    ready |= {"verdict": ""}
    figures = {"skus": FULL_SKUS, "crops": len(records), "refused": 0, "checks": 0}
    figures |= {"passed": 0, "warned": 0, "failed": 0}
    page = {"figures": figures, "readiness": ready, "checks": [], "reasons": []}
    page |= {"retrieval": [], "metrics": []}
    return write_site(roots, SPLIT, shown, [], [], [], {}, page, Idle(), silent).page


class Idle(SerialEngine):
    """An engine that draws nothing, since there are no crops."""

    def map(
        self, function: Callable[[S], R], shards: Iterable[S]
    ) -> Generator[tuple[S, R | Lost], None, None]:
        yield from ()


def test_a_full_data_set_is_ready_searched_and_paged(page: "Page", roots: Roots) -> None:
    page.route("**/*.jpg", lambda route: route.fulfill(body=NO_PICTURE, content_type="image/gif"))
    open_page(page, full_size(roots))
    print(f"ready after {page.evaluate('performance.now()'):.0f} ms")  # noqa: T201
    assert read_count(page) == "21,190 SKUs 211,900 crops"
    page.locator("#q").fill("skirt not worn")
    assert read_count(page) == "1,630 SKUs 16,300 crops"
    page.locator("#q").fill("skirt heavily from the front")
    assert 60 < int(read_count(page).split()[0]) < 1630
    assert page.locator(".card").count() == 60
    page.locator("#q").fill("021190")
    wait_until(page, "document.querySelectorAll('.card').length >= 1")
    page.locator(".card").last.click()
    page.wait_for_selector("dialog#sku[open] .crop")
    assert page.locator("dialog#sku .crop").count() == 10


@pytest.fixture
def labelled(page: "Page", site: Site) -> "Page":
    """Open the SKU of the split with labels and variants."""
    open_page(page, site.roots.gallery(OTHER), "#/sku/000001_01_01")
    page.wait_for_selector("dialog#sku[open] .crop")
    return page


def test_without_labels_and_variants_nothing_is_offered(gallery: "Page") -> None:
    gallery.locator(".card").first.click()
    gallery.wait_for_selector("dialog#sku[open] .crop")
    assert not gallery.locator("#views").is_visible()


def test_mask_and_landmarks_are_drawn_over_the_crop_by_keyboard(labelled: "Page") -> None:
    assert labelled.locator(".crop svg").count() == 0
    assert not labelled.locator("#legend").is_visible()
    tab_to(labelled, "#labels")
    labelled.keyboard.press("Space")
    catalog, query = (labelled.locator(f".side.{domain} .crop") for domain in ("catalog", "query"))
    catalog.locator("svg").wait_for()
    assert catalog.locator("svg").get_attribute("viewBox") == "0 0 40 90"
    assert catalog.locator(".mask").get_attribute("d") == "M10 10l20 0 0 40 -20 0Z"
    assert catalog.locator(".visible").count() == 3
    assert catalog.locator(".occluded").get_attribute("d") == "M30 50h0"
    picture, drawing = (catalog.locator(name).bounding_box() for name in ("img", "svg"))
    assert picture == drawing
    assert "landmarks: 2 visible, 1 occluded" in catalog.inner_text()
    assert "landmarks: 0 visible, 0 occluded · refused: " in query.inner_text()
    assert query.locator(".visible").count() == 0
    assert labelled.get_by_role("list", name="Legend").inner_text().split("\n") == [
        "mask",
        "visible landmark",
        "occluded landmark",
    ]
    labelled.keyboard.press("Space")
    wait_until(labelled, "document.querySelectorAll('.crop svg').length === 0")


def test_the_original_has_the_mask_and_landmarks_as_well(labelled: "Page") -> None:
    labelled.get_by_label("Mask and landmarks").check()
    labelled.locator(".side.catalog .crop svg").wait_for()
    labelled.locator(".side.catalog .crop button").click()
    labelled.wait_for_selector("#original svg .mask")
    assert labelled.locator("#original svg .occluded").get_attribute("d") == "M40 70h0"


def test_a_variant_is_shown_with_the_mask_in_its_pixels(labelled: "Page", site: Site) -> None:
    labelled.get_by_label("Mask and landmarks").check()
    labelled.locator("#variant").select_option("square64")
    picture = labelled.locator(".side.catalog .crop img")
    wait_until(labelled, "document.querySelector('.side.catalog .crop img')?.naturalWidth === 64")
    path = f"{OTHER}/catalog/000001_01_01/000002_item1.jpg"
    expected = site.roots.variants / "square64" / path
    assert picture.evaluate("image => image.src") == Path(str(expected)).as_uri()
    labelled.locator(".side.catalog .crop svg").wait_for()
    mask = labelled.locator(".side.catalog .mask")
    bounds = mask.evaluate("""(path) => {
        const bounds = path.getBBox(), { a, d, e, f } = path.transform.baseVal[0].matrix;
        return [a * bounds.x + e, d * bounds.y + f, a * bounds.width, d * bounds.height];
    }""")
    # The crop of 40 by 90 pixels is 28 by 64 in the middle of the width.
    assert bounds == pytest.approx([18 + 7, 64 / 9, 14, 64 * 4 / 9], abs=0.01)
    labelled.locator("#variant").select_option("cut_out")
    wait_until(labelled, "document.querySelector('.side.catalog img').src.endsWith('.png')")
    assert "cut_out does not have this crop" in labelled.locator(".side.query .crop").inner_text()
    labelled.locator("#variant").select_option("as in the contract")
    wait_until(labelled, "document.querySelector('.side.query img')?.naturalWidth === 40")


def test_arrows_in_the_choice_of_variants_stay_on_the_sku(labelled: "Page") -> None:
    labelled.locator("#variant").focus()
    labelled.keyboard.press("ArrowDown")
    labelled.keyboard.press("ArrowRight")
    assert labelled.locator("#sku-title").inner_text() == f"{OTHER}/000001_01_01"


@pytest.mark.parametrize("width", [1280, 1440])
def test_labels_and_variants_fit_beside_each_other(labelled: "Page", width: int) -> None:
    labelled.set_viewport_size({"width": width, "height": 800})
    labelled.get_by_label("Mask and landmarks").check()
    labelled.locator("#legend").wait_for()
    boxes = [labelled.locator(name).bounding_box() for name in ("#variant", "#labels", "#legend")]
    tops = [box["y"] + box["height"] / 2 for box in boxes if box]
    assert max(tops) - min(tops) < 4
    dialog = labelled.locator("#sku")
    assert dialog.evaluate("dialog => dialog.scrollWidth <= dialog.clientWidth")


def test_variants_are_shown_through_the_server(page: "Page", site: Site) -> None:
    settings = Settings(df2_root=site.data.root, sku_root=str(site.sku))
    with running(settings) as server:
        name = site.roots.gallery(OTHER).relative_to(site.sku).as_posix()
        root = f"http://127.0.0.1:{server.port}/{data_set_id(settings.roots)}/sku"
        page.goto(f"{root}/{name}#/sku/000001_01_01")
        page.wait_for_selector("dialog#sku[open] .crop")
        page.get_by_label("Mask and landmarks").check()
        page.locator("#variant").select_option("cut_out")
        wait_until(page, "document.querySelector('.side.catalog .crop svg') !== null")
