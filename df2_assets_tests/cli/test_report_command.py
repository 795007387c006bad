"""`df2-assets report`: a gallery of what was built."""

from df2_assets_tests.cli.conftest import Desk
from df2_assets_tests.support.site import CROPS, SPLIT, Site


def test_it_looks_at_the_crops_of_what_was_built_and_says_where_the_page_is(
    desk: Desk, site: Site
) -> None:
    page = site.roots.gallery(SPLIT)
    said = desk.run("report")
    assert said.exit_code == 0, said.output
    assert f"Gallery of {SPLIT}: {page}" in said.output
    assert "validation" not in said.output
    assert page.is_file()
    (split,) = desk.json("report")["splits"]
    assert split["page"] == str(page)
    quality = split["numbers"]["crop_quality"]
    assert (quality["crops"], quality["crops_opened"]) == (CROPS, 0)
    assert split["numbers"]["gallery"]["thumbnails_drawn"] == 0
    assert len(split["passed"]) == 5


def test_a_named_split_that_was_not_built_fails_its_run(desk: Desk, site: Site) -> None:
    said = desk.run("report", "--split", "validation")
    assert said.exit_code == 1
    assert "error: validation: " in said.output
    assert "materialize" in said.output
