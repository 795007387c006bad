"""`df2-assets report`: a gallery of what was built, and a word where there is nothing."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from df2_assets.cli import main
from df2_assets_tests.support.site import CROPS, SPLIT, Site, write_and_build


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return write_and_build(tmp_path_factory.mktemp("report"))


@pytest.fixture(autouse=True)
def _environment(built: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DF2_ROOT", str(built.data.root))
    monkeypatch.setenv("SKU_ROOT", str(built.sku))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))


def test_it_looks_at_the_crops_of_what_was_built_and_says_where_the_page_is(built: Site) -> None:
    page = built.sku / "_df2_assets" / "report" / SPLIT / "index.html"
    said = CliRunner().invoke(main, ["report"])
    assert said.exit_code == 0, said.output
    assert f"Gallery of {SPLIT}: {page}" in said.output
    assert "validation" not in said.output
    assert page.is_file()
    again = json.loads(CliRunner().invoke(main, ["report", "--json"]).output)
    (split,) = again["splits"]
    assert split["page"] == str(page)
    quality = split["numbers"]["crop_quality"]
    assert (quality["crops"], quality["crops_opened"]) == (CROPS, 0)
    assert split["numbers"]["gallery"]["thumbnails_drawn"] == 0
    assert len(split["passed"]) == 5


def test_what_was_not_built_is_said_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SKU_ROOT", str(tmp_path / "nothing"))
    said = CliRunner().invoke(main, ["report"])
    assert said.exit_code == 1
    assert "run df2-assets build" in said.output
    assert "Traceback" not in said.output


def test_a_named_split_that_was_not_built_fails_its_run(built: Site) -> None:
    said = CliRunner().invoke(main, ["report", "--split", "validation"])
    assert said.exit_code == 1
    assert "error: validation: " in said.output
    assert "materialize" in said.output
