"""`df2-assets plan` says what a build would do, and a disk that cannot hold it is refused."""

import json
import shutil
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from df2_assets.cli import main
from df2_assets.pipeline.cutting import Probe, probe
from df2_assets_tests.support import builder
from df2_assets_tests.support.builder import DataSet, item

Usage = namedtuple("Usage", ["total", "used", "free"])


class Place:
    """A small data set, and the commands as a person there has them."""

    def __init__(self, base: Path) -> None:
        self.df2, self.sku = base / "df2", base / "sku"
        self.environment = {
            "DF2_ROOT": str(self.df2),
            "SKU_ROOT": str(self.sku),
            "DAGSTER_HOME": str(base / "home"),
            "SPLITS": "train",
            "DF2_WORKERS": "2",
        }

    def run(self, *words: str) -> Result:
        return CliRunner().invoke(main, words, env=self.environment)

    def plan(self) -> dict[str, Any]:
        """The only split's part of the plan."""
        said = self.run("plan", "--json")
        assert said.exit_code == 0, said.output
        found: dict[str, Any] = json.loads(said.output)["splits"][0]
        return found

    def files(self) -> dict[str, bytes]:
        return {str(p): p.read_bytes() for p in sorted(self.sku.rglob("*")) if p.is_file()}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Two SKUs of two crops each, one unpaired item, one refused one, one image without use."""
    place = Place(tmp_path)
    data = DataSet(place.df2)
    images: list[tuple[int, str, dict[int | str, Any]]] = [
        (1, "shop", {1: item(1, 1, (0, 0, 80, 60)), 2: item(8, 2, (10, 50, 90, 110))}),
        (2, "user", {1: item(1, 1, (5, 5, 70, 90)), 2: item(8, 2, (10, 60, 90, 115))}),
        (3, "user", {1: item(3, 1, (5, 5, 70, 90))}),
        (4, "shop", {1: item(3, 0, (5, 5, 70, 90)), 2: item(3, 2, (50, 50, 40, 60))}),
    ]
    for image_id, source, items in images:
        data.image("train", image_id, size=(160, 120))
        data.annotation("train", image_id, source, 1, items)
    return place


def test_a_plan_counts_what_the_build_then_does_and_changes_nothing(place: Place) -> None:
    planned = place.plan()
    assert not place.sku.exists()
    assert {name: planned[name] for name in planned if name not in ("takes", "fits")} == {
        "split": "train",
        "images": 4,
        "annotations_to_read": 4,
        "images_to_decode": 2,
        "crops_to_make": 4,
        "crops_to_keep": 0,
        "files_to_remove": 0,
        "refused": 1,
        "notes": [],
    }
    built = json.loads(place.run("build", "--json").stdout)["splits"][0]["numbers"]
    assert built["crops"]["added"] == planned["crops_to_make"]
    assert built["crops"]["images_decoded"] == planned["images_to_decode"]
    assert built["refusals"]["refused"] == planned["refused"]


def test_a_plan_of_what_is_built_has_nothing_to_do(place: Place) -> None:
    assert place.run("build").exit_code == 0
    before = place.files()
    planned = place.plan()
    assert place.files() == before
    assert planned["crops_to_keep"] == 4
    assert not any(
        planned[name]
        for name in ("annotations_to_read", "images_to_decode", "crops_to_make", "files_to_remove")
    )
    assert planned["takes"]["bytes"] == 0


def test_a_plan_sees_what_changed(place: Place) -> None:
    assert place.run("build").exit_code == 0
    DataSet(place.df2).annotation("train", 2, "user", 1, {1: item(1, 1, (5, 5, 60, 80))})
    planned = place.plan()
    assert planned["annotations_to_read"] == 1
    assert (planned["images_to_decode"], planned["crops_to_make"]) == (1, 1)
    assert planned["crops_to_keep"] == 1  # the catalog crop of the SKU that is left
    assert planned["files_to_remove"] == 2  # both crops of the SKU that lost its query


def test_a_plan_for_people_names_every_split_and_says_whether_it_fits(place: Place) -> None:
    said = place.run("plan", "--split", "train", "--split", "test")
    assert said.exit_code == 0
    lines = said.output.splitlines()
    assert [line.split()[0] for line in lines[1:3]] == ["train", "test"]
    assert lines[-1].endswith("It fits.")


def test_a_disk_that_cannot_hold_the_result_is_refused_before_anything_is_cut(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**6, 10**6 - 2000, 2000))
    said = place.run("plan")
    assert said.exit_code == 1
    assert "does NOT fit" in said.output
    refused = place.run("build")
    assert refused.exit_code == 1
    assert "train needs about" in refused.output
    assert "0.0 MB free: make room" in refused.output
    assert "Traceback" not in refused.output
    assert not (place.sku / "train").exists()
    monkeypatch.undo()
    assert place.run("build").exit_code == 0


def test_a_probe_makes_crops_in_memory_and_passes_over_what_it_cannot_read(tmp_path: Path) -> None:
    from df2_assets.pipeline.cutting import Cut, SourceImage

    good, bad = tmp_path / "good.jpg", tmp_path / "bad.jpg"
    good.write_bytes(builder.jpeg((100, 80)))
    bad.write_bytes(b"no image")
    cuts = [Cut("a", (0, 0, 10, 10), "f"), Cut("b", (5, 5, 25, 15), "f")]
    images = [SourceImage(str(path), 0, 0, cuts) for path in (good, bad, tmp_path / "missing.jpg")]
    found: Probe = probe(images)
    assert (found.images, found.pixels) == (1, 300)
    assert found.bytes > 500
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.jpg", "good.jpg"]
