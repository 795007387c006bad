"""`df2-assets embed`: vectors of the crops of built splits."""

import pytest

from df2_assets.embeddings.files import read_embeddings
from df2_assets_tests.cli.conftest import Desk
from df2_assets_tests.support import encoders
from df2_assets_tests.support.processes import PROJECT
from df2_assets_tests.support.site import CROPS, SPLIT, Site

pytestmark = pytest.mark.slow


def test_it_encodes_built_splits_and_says_where_the_files_are(desk: Desk, site: Site) -> None:
    result = desk.run("embed")
    assert result.exit_code == 0, result.output
    _, row, files = result.output.splitlines()
    assert row.split()[:5] == [SPLIT, "histogram", str(CROPS), str(CROPS), "1,020"]
    assert files == f"Files: {site.roots.all_embeddings / 'histogram'}"
    (split,) = desk.json("embed", "--split", SPLIT)["splits"]
    assert split["encoder"] == "histogram"
    assert split["passed"] == ["embeddings: vectors_match_crops"]
    numbers = split["numbers"]["embeddings"]
    assert {"crops": CROPS, "encoded": 0, "dimension": 1020}.items() <= numbers.items()
    assert len(read_embeddings(site.roots, SPLIT, "histogram").vectors) == CROPS


@pytest.mark.parametrize("engine", ["local", "serial", pytest.param("ray", marks=pytest.mark.ray)])
def test_an_encoder_of_a_users_module_runs_on_every_engine(
    desk: Desk, site: Site, engine: str
) -> None:
    name = encoders.setting(encoders.mean)
    settings = {"DF2_ENGINE": engine, "DF2_ENCODER": name, "PYTHONPATH": PROJECT}
    done = desk.start("embed", "--json", **settings)
    assert done.returncode == 0, done
    assert read_embeddings(site.roots, SPLIT, name).vectors.shape == (CROPS, 3)


def test_an_encoder_that_does_not_exist_ends_the_run_before_its_first_step(
    desk: Desk, site: Site
) -> None:
    reply = desk.json("embed", "--encoder", "no_such:thing", exit_code=1)
    (split,) = reply["splits"]
    assert split["error"] == "EncoderError"
    assert "no_such:thing cannot be loaded (ModuleNotFoundError" in split["problems"][0]
    reply = desk.json("embed", "--encoder", "nothing", exit_code=1)
    assert reply["error"]["kind"] == "SettingsError"
    assert reply["error"]["message"].startswith("--encoder is 'nothing': give histogram, open_clip")
