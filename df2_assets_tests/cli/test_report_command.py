"""`df2-assets report`: a gallery of each built split."""

import re

import pytest

from df2_assets.checks.finding import number_of, read_findings
from df2_assets.checks.registry import CHECKS, OPTIONAL_ASSETS
from df2_assets_tests.cli.conftest import Desk
from df2_assets_tests.support.builder import DataSet, item
from df2_assets_tests.support.site import CROPS, SPLIT, Site


@pytest.mark.slow
def test_it_measures_the_crops_of_built_splits_and_prints_the_path_of_each_page(
    desk: Desk, site: Site
) -> None:
    page = site.roots.gallery(SPLIT)
    result = desk.run("report")
    assert result.exit_code == 0, result.output
    assert f"Gallery of {SPLIT}: {page}" in result.output
    assert "validation" not in result.output
    assert page.is_file()
    (split,) = desk.json("report")["splits"]
    assert split["page"] == str(page)
    quality = split["numbers"]["crop_quality"]
    assert (quality["crops"], quality["crops_opened"]) == (CROPS, 0)
    assert split["numbers"]["gallery"]["thumbnails_drawn"] == 0
    assert len(split["passed"]) == 6  # of crop_quality, and which compares the splits


def test_a_named_split_that_was_not_built_fails_its_run(desk: Desk, site: Site) -> None:
    result = desk.run("report", "--split", "validation")
    assert result.exit_code == 1
    assert "error: validation: " in result.output
    assert "materialize" in result.output


OTHER = "validation"


def write_leaking_splits(desk: Desk) -> None:
    """Write two splits of three SKUs. The first catalog picture is in both."""
    data = DataSet(desk.df2)
    for split in (SPLIT, OTHER):
        for pair in (1, 2, 3):
            for number, source in ((2 * pair, "shop"), (2 * pair + 1, "user")):
                shared = number == 2
                data.image(split, number, seed="shared" if shared else f"{split} {number}")
                data.annotation(split, number, source, pair, {1: item(1, 1, (5, 5, 150, 110))})


def leaking(desk: Desk, split: str) -> list[str]:
    """Return the number of leaking crops on the page of a split, and the note below it."""
    page = desk.roots.gallery(split).read_text(encoding="utf-8")
    found = re.search(r"<dt>Leaking crops</dt><dd>(.*?)</dd><dd class=\"note\">(.*?)</dd>", page)
    assert found
    return [*found.groups()]


@pytest.mark.slow
def test_the_pages_of_all_splits_agree_on_what_leaks(desk: Desk) -> None:
    write_leaking_splits(desk)
    assert desk.run("build").exit_code == 0
    duplicates = desk.roots.finding("crops", "duplicate_crops", OTHER)
    assert "Not compared with train" in duplicates.read_text()
    report = desk.json("report")
    for split in (SPLIT, OTHER):
        assert leaking(desk, split) == ["1", "whose picture is also in another split"]
        assert "Not yet: 1 crop with a picture that another split has" in desk.roots.gallery(
            split
        ).read_text(encoding="utf-8")
        found = {one.check: one for one in read_findings(desk.roots, split)}
        assert found["duplicate_crops"].numbers["duplicates_across"] == 1
    opened = {
        run["split"]: run["numbers"]["crop_quality"]["crops_opened"] for run in report["splits"]
    }
    assert opened == {"train": 6, "validation": 6, "test": 0}


@pytest.mark.slow
def test_a_page_says_with_which_splits_it_was_not_compared(desk: Desk) -> None:
    write_leaking_splits(desk)
    assert desk.run("build").exit_code == 0
    assert desk.run("report", "--split", OTHER).exit_code == 0
    assert leaking(desk, OTHER) == ["unknown", "not compared with train and test"]
    page = desk.roots.gallery(OTHER).read_text(encoding="utf-8")
    assert "Not known yet: it is not compared with train and test" in page
    assert "None found" not in page

    assert desk.run("report", "--split", SPLIT).exit_code == 0
    assert leaking(desk, SPLIT) == ["1 so far", "not compared with test"]
    assert leaking(desk, OTHER) == ["unknown", "not compared with train and test"]

    assert desk.run("report").exit_code == 0
    assert leaking(desk, SPLIT) == leaking(desk, OTHER)

    DataSet(desk.df2).image(SPLIT, 2, seed="another")  # measured no more, once it is built again
    assert desk.run("build", "--split", SPLIT).exit_code == 0
    assert desk.run("report", "--split", OTHER).exit_code == 0
    assert leaking(desk, OTHER) == ["unknown", "not compared with train"]


@pytest.mark.slow
def test_command_and_page_count_the_same_checks(desk: Desk) -> None:
    write_leaking_splits(desk)
    assert desk.run("build").exit_code == 0
    result = desk.run("report", "--split", SPLIT)
    head, row, *_ = (re.split(r"\s{2,}", line) for line in result.output.splitlines())
    counts = dict(zip(head, row, strict=True))
    (split,) = desk.json("report", "--split", SPLIT)["splits"]
    assert {name: str(count) for name, count in split["checks"].items()} == {
        "passed": counts["checks passed"],
        "warned": counts["warned"],
        "failed": counts["failed"],
    }
    findings = read_findings(desk.roots, SPLIT)
    assert sum(split["checks"].values()) == len(findings)
    on_request = {*OPTIONAL_ASSETS} - {"crop_quality"}
    of_report = {check.name for check in CHECKS if check.asset not in on_request}
    assert {one.check for one in findings} == of_report
    page = desk.roots.gallery(SPLIT).read_text(encoding="utf-8")
    checks = split["checks"]
    assert re.search(rf'Checks <span class="count alarm"[^>]*>{len(findings)}</span>', page)
    assert (
        f"{len(findings)} checks: {checks['passed']} passed, {checks['warned']} warned, 0 failed."
    ) in page
    assert page.count('<details class="check ') == len(findings)
    assert checks["warned"] > 0
    assert f"{number_of(checks['warned'], 'check')} warned" in page
