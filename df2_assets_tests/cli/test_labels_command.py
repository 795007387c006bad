"""`df2-assets labels`: masks and landmarks of each built split."""

import pytest

from df2_assets.store import tables
from df2_assets_tests.cli.conftest import Desk
from df2_assets_tests.support.site import CROPS, SPLIT, Site
from df2_assets_tests.support.snapshots import contract


@pytest.mark.slow
def test_it_reads_labels_of_built_splits_once_and_changes_nothing_else(
    desk: Desk, site: Site
) -> None:
    built = desk.run("build", "--split", SPLIT)  # the site was built elsewhere
    assert built.exit_code == 0, built.output
    before = contract(site.sku)
    result = desk.run("labels")
    assert result.exit_code == 0, result.output
    assert "validation" not in result.output
    assert f"Tables: {site.roots.tables('labels')}" in result.output
    assert tables.read(site.roots, "labels", SPLIT).num_rows == CROPS
    (split,) = desk.json("labels")["splits"]
    numbers = split["numbers"]["labels"]
    assert (numbers["crops"], numbers["annotations_read"]) == (CROPS, 0)
    assert numbers["refused"] == CROPS, "no item of this site has the landmarks of its category"
    (warned,) = split["warned"]
    assert warned.startswith("labels: refused_shapes: ")
    assert split["passed"] == ["labels: labels_match"]
    assert "Everything is up to date." in desk.run("labels").output
    assert contract(site.sku) == before


def test_a_split_that_was_not_built_fails_its_run(desk: Desk, site: Site) -> None:
    result = desk.run("labels", "--split", "validation")
    assert result.exit_code == 1
    assert "error: validation: " in result.output
    assert "materialize" in result.output
