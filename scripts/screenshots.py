"""Take the pictures of docs/images again: `make screenshots`.

`python -m scripts.screenshots --rehearsal FOLDER` takes the picture of a gallery at full size, from
a rehearsal that was kept (`make rehearsal ARGS="--keep FOLDER"`).

The sample is built and served as the README describes. Then each shot opens a page as a user would.
A new picture is a function that ends on the page to show, and a line in SHOTS. Shots are taken in
that order, on the same site, so that a later one sees the effects of an earlier one.
"""

import io
import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click
from PIL import Image

from df2_assets.dataset.taxonomy import SPLITS
from df2_assets.defs.runs.liveness import PARTITION_TAG
from df2_assets.sample import make_sample
from df2_assets_tests.support import processes, webserver
from df2_assets_tests.support.browser import launched, opened
from df2_assets_tests.support.processes import DAGSTER, DF2_ASSETS, PROJECT
from df2_assets_tests.support.webserver import Dev, Station, station

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

IMAGES = PROJECT / "docs" / "images"
MAX_BYTES = 1_500_000
"""The most bytes of all pictures together."""

COLOURS = 256
QUALITY = 82


def lineage(page: "Page", ui: Dev) -> None:
    page.goto(f"{ui.api.address}/asset-groups")
    page.get_by_text("exports", exact=True).first.wait_for()
    page.get_by_text("Hide navigation").click()
    page.mouse.click(900, 130, button="right")
    page.get_by_role("menuitem", name="Expand all groups").click()
    for _ in range(2):  # what is out of sight is not drawn
        page.get_by_label("zoom_out").click()
    page.get_by_text("image_text", exact=True).first.wait_for()
    page.get_by_label("settings").last.click()
    page.get_by_text("Change graph to vertical orientation").click()
    page.wait_for_timeout(2000)
    page.reload()  # the graph is only fitted into the window when the page loads
    page.get_by_text("image_text", exact=True).first.wait_for()
    page.get_by_label(
        "panel_show_right"
    ).click()  # close the list of groups, which covers a part of the graph


def contact_sheet(page: "Page", ui: Dev) -> "Locator":
    page.goto(f"{ui.api.address}/assets/crops?view=partitions&partition=validation")
    page.get_by_role("img", name="catalog above query").first.wait_for()
    return page.locator("tr", has=page.get_by_role("img", name="catalog above query")).first


def labels(page: "Page", ui: Dev) -> "Locator":
    """Show the picture of the asset, which is as large as it is stored."""
    run((*DF2_ASSETS, "labels"), ui.station.environment, ui.station.folder)
    page.goto(f"{ui.api.address}/assets/labels?view=partitions&partition=validation")
    picture = page.get_by_role("img", name="masks and landmarks over their crops").first
    picture.wait_for()
    return picture


def failed_check(page: "Page", ui: Dev) -> None:
    """Show the check on the sample with reversed boxes of a few items."""
    faulty = ui.station.folder / "faulty"
    shutil.copytree(ui.station.df2_root / "train", faulty / "train")
    for path in sorted((faulty / "train" / "annos").iterdir())[::30]:
        annotation = json.loads(path.read_text())
        item = next(value for key, value in annotation.items() if key.startswith("item"))
        item["bounding_box"] = item["bounding_box"][::-1]
        path.write_text(json.dumps(annotation))
    config = {"df2_root": str(faulty), "sku_root": str(ui.station.folder / "of_faulty")}
    run_id = ui.api.launch("train", {"resources": {"data": {"config": config}}})
    ui.api.wait_for(run_id, "FAILURE")
    check = "checkDetail=refusals_within_limit"
    page.goto(f"{ui.api.address}/assets/raw_annotation_index?view=checks&{check}")
    page.get_by_text("first 20 offenders").first.wait_for()


def gallery(page: "Page", ui: Dev) -> None:
    page.goto((ui.station.sku / "_df2_assets/report/validation/index.html").as_uri())
    page.wait_for_selector("body[data-ready]")


def gallery_labels(page: "Page", ui: Dev) -> "Locator":
    """Show a SKU as squares of 224 pixels, with masks and landmarks."""
    gallery(page, ui)
    page.locator(".card").nth(3).click()
    page.get_by_label("Mask and landmarks").check()
    page.locator("#variant").select_option("letterbox_224")
    page.locator(".crop svg").first.wait_for()
    return page.locator("dialog#sku")


def unlike_crops(page: "Page", ui: Dev) -> "Locator":
    """Show the crops in the gallery of the sample with planted defects."""
    defects = ui.station.folder / "defects"
    for command in (("sample", str(defects), "--defects"), ("score", str(defects))):
        run((*DF2_ASSETS, *command), ui.station.environment, ui.station.folder)
    site = defects.with_name("defects_SKU") / "_df2_assets/report/validation/index.html"
    page.goto(f"{site.as_uri()}#/checks")
    check = page.locator("details", has_text="unlike crops").first
    check.locator("summary").click()
    return check


def automation(page: "Page", ui: Dev) -> None:
    page.goto(f"{ui.api.address}/automation")
    page.get_by_text("nightly_build").first.wait_for()


class Shot(NamedTuple):
    """A picture by its name: how to open the page, and the size of the window.

    `go` may return the part of the page to take. With `photos`, the picture shows photographs and
    is stored as a JPEG.
    """

    name: str
    go: "Callable[[Page, Dev], Locator | None]"
    size: tuple[int, int]
    photos: bool = False


SHOTS = [
    Shot("lineage", lineage, (1440, 720)),
    Shot("contact_sheet", contact_sheet, (2000, 1000)),
    Shot("labels", labels, (2000, 1000), photos=True),
    Shot("gallery", gallery, (1360, 900), photos=True),
    Shot("gallery_labels", gallery_labels, (1100, 760), photos=True),
    Shot("unlike_crops", unlike_crops, (1100, 1000), photos=True),
    Shot("automation", automation, (1200, 740)),
    Shot("failed_check", failed_check, (1440, 860)),
]


@click.command()
@click.option(
    "--rehearsal", type=click.Path(exists=True, path_type=Path), help="A rehearsal that was kept."
)
def main(rehearsal: Path | None) -> None:
    """Take the pictures of docs/images, or the one of a rehearsal's gallery."""
    if rehearsal is None:
        take_shots()
    else:
        take_gallery_of(rehearsal)
    total = sum(path.stat().st_size for path in IMAGES.iterdir())
    if total > MAX_BYTES:
        sys.exit(f"The pictures have {total:,} bytes together, more than {MAX_BYTES:,}.")


def take_gallery_of(rehearsal: Path) -> None:
    """Take the gallery of train, built first if necessary."""
    roots = {"DF2_ROOT": rehearsal / "in", "SKU_ROOT": rehearsal / "out"}
    environment = processes.environment(rehearsal / "home", **roots)
    run((*DF2_ASSETS, "report"), environment, rehearsal)
    with launched() as browser, opened(browser, (1360, 900)) as page:
        page.goto((rehearsal / "out/_df2_assets/report/train/index.html").as_uri())
        page.wait_for_selector("body[data-ready]")
        click.echo(f"ready after {page.evaluate('performance.now()'):.0f} ms")
        page.wait_for_timeout(2000)
        save("gallery_full_size", page.screenshot(), photos=True)


def take_shots() -> None:
    with tempfile.TemporaryDirectory(prefix="deepfashion2-") as folder, launched() as browser:
        site = station(Path(folder), Path(folder, "DeepFashion2_original"))
        make_sample(site.df2_root)
        build(site)
        with webserver.dev(site) as ui, webserver.reports(site):
            ui.wait()
            for name, go, size, photos in SHOTS:
                with opened(browser, size) as page:
                    part = go(page, ui)
                    page.wait_for_timeout(2000)  # wait for the end of animations
                    save(name, (part or page).screenshot(), photos)


def build(site: Station) -> None:
    """Build the sample, labels and variants of validation, and the reports on each split."""
    more = ("--split", "validation")
    declared = ("--variants", str(PROJECT / "examples/variants.yaml"))
    for command in (("build",), ("labels", *more), ("variants", *more, *declared)):
        run((*DF2_ASSETS, *command), site.environment, site.folder)
    job = (*DAGSTER, "job", "execute", "-m", "df2_assets.definitions", "-j", "refresh_reports")
    for split in SPLITS:
        tags = json.dumps({PARTITION_TAG: split})
        run((*job, "--tags", tags), site.environment, site.folder)


def run(command: tuple[str, ...], environment: dict[str, str], folder: Path) -> None:
    """Run a command, and exit with its output if it fails."""
    done = processes.run(command, environment, folder)
    if done.returncode:
        sys.exit(done.stdout + done.stderr)


def save(name: str, png: bytes, photos: bool) -> None:
    """Store a picture with few colours, which are enough for a page of text."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    path = IMAGES / f"{name}.{'jpg' if photos else 'png'}"
    with Image.open(io.BytesIO(png)) as picture:
        colours = picture.convert("RGB")
        if photos:
            colours.save(path, quality=QUALITY, subsampling=0)
        else:
            few = colours.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
            few.save(path, optimize=True)
    click.echo(f"{path.relative_to(PROJECT)}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
