"""The requests to a store: listings in pages of a thousand, and otherwise a fixed number."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import click
import dagster as dg
import pytest

from df2_assets.cli.runs import Outcome, run_split
from df2_assets.definitions import build_defs
from df2_assets.exports import NAMES
from df2_assets.settings import Settings
from df2_assets.store import lease
from df2_assets_tests.objects.outputs import crops
from df2_assets_tests.support.builder import DataSet, item
from df2_assets_tests.support.object_store import PICTURES, ObjectStore, Place

SPLIT = "train"
FEW, MANY = 10, 520
"""The numbers of pairs of a shop and a user image: 20 and 1,040 files of each kind."""

JOBS = {"build_dataset": 48, "build_exports": 0}
"""The commands, with the most crops that each may read: a contact sheet of six SKUs, four crops
per domain.
"""


@dataclass
class Site:
    """A data set in the bucket, built into the bucket. `cold` has the requests of the first job."""

    df2: Place
    sku: Place
    cold: dict[str, Counter[str]] = field(default_factory=dict)

    def run(self, job: str) -> Outcome:
        settings = Settings(df2_root=self.df2.root, sku_root=self.sku.url, workers=2)
        with dg.DagsterInstance.ephemeral() as instance:
            outcome = run_split(build_defs(settings), instance, SPLIT, job=job)
        assert outcome.failed + outcome.problems == []
        return outcome


def write(folder: Path, pairs: int) -> Path:
    """Write small images of one garment each."""
    data = DataSet(folder)
    for pair in range(1, pairs + 1):
        for image_id, source in ((2 * pair, "shop"), (2 * pair + 1, "user")):
            data.image(SPLIT, image_id, (48, 48))
            data.annotation(SPLIT, image_id, source, pair, {1: item(1, 1, (4, 4, 44, 44))})
    return data.root


@pytest.fixture(scope="module")
def sites(store: ObjectStore, tmp_path_factory: pytest.TempPathFactory) -> dict[int, Site]:
    """Build and export data sets with few images, and with more than a page of each kind."""
    made = {}
    for pairs in (FEW, MANY):
        place = Place(store, f"out/pairs-{pairs}")
        made[pairs] = Site(place / "df2", place / "sku")
        made[pairs].df2.upload(write(tmp_path_factory.mktemp("df2"), pairs))
        for job in JOBS:
            with store.counting() as made[pairs].cold[job]:
                made[pairs].run(job)
    return made


def test_all_of_a_listing_of_several_pages_is_seen(sites: dict[int, Site]) -> None:
    site = sites[MANY]
    names = crops(site.sku.tags())
    assert len(names) == 2 * MANY > 1000
    assert {name.rpartition("/")[2][:6] for name in names} == {
        f"{image_id:06d}" for image_id in range(2, 2 * MANY + 2)
    }
    whole = site.sku.get(max(names))
    site.sku.delete(max(names))
    again = site.run("build_dataset").numbers["crops"]
    assert (again["crops"], again["unchanged"]) == (2 * MANY, 2 * MANY - 1)
    assert site.sku.get(max(names)) == whole


@pytest.mark.parametrize(("job", "shown"), JOBS.items())
def test_an_unchanged_rerun_needs_as_many_requests_for_many_crops_except_pages(
    store: ObjectStore,
    sites: dict[int, Site],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    job: str,
    shown: int,
) -> None:
    monkeypatch.setattr(
        lease, "LEASE_SECONDS", 3600.0
    )  # on a slow machine renewals would count as puts
    asked: dict[int, Counter[str]] = {}
    for pairs, site in sites.items():
        with store.counting() as asked[pairs]:
            again = site.run(job)
        assert not again.changed
        assert all(again.numbers[name]["written"] == 0 for name in NAMES if name in again.numbers)
        with capsys.disabled():
            cold, warm = dict(site.cold[job]), dict(asked[pairs])
            click.echo(f"\n{job}, {2 * pairs} crops: cold {cold}, warm {warm}")
    assert all(warm.pop(PICTURES, 0) <= shown for warm in asked.values())
    pages = {pairs: warm.pop("list") for pairs, warm in asked.items()}
    assert asked[FEW] == asked[MANY]
    assert pages[FEW] < pages[MANY] < 2 * pages[FEW]  # a second page, of some
