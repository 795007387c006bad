"""`df2-assets plan`: what a build would do, and whether the result fits on the disk."""

import json
import re
import shutil
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest

from df2_assets.pipeline.cutting import CropShard, Cut, SourceImage, probe
from df2_assets.settings import FIELDS
from df2_assets_tests.cli.conftest import Desk
from df2_assets_tests.support import builder
from df2_assets_tests.support.builder import DataSet, item
from df2_assets_tests.support.processes import PROJECT

Usage = namedtuple("Usage", ["total", "used", "free"])


def plan(desk: Desk, **settings: object) -> dict[str, Any]:
    """Return the numbers and notes of the plan of the only split, as `build` returns them."""
    reply = desk.run("plan", "--json", **{"SPLITS": "train"} | settings)
    assert reply.exit_code == 0, reply.output
    (split,) = json.loads(reply.stdout)["splits"]
    return {
        name: split[name] for name in split if name not in ("images", "takes", "fits", "seconds")
    }


def build(desk: Desk, **settings: object) -> dict[str, Any]:
    """Build the only split; return what was done in the numbers and notes of a plan."""
    reply = desk.run("build", "--json", **{"SPLITS": "train"} | settings)
    assert reply.exit_code == 0, reply.output
    (run,) = json.loads(reply.stdout)["splits"]
    numbers = run["numbers"]
    return {
        "split": run["split"],
        "annotations_to_read": numbers["raw_annotation_index"]["annotations_read"],
        "images_to_decode": numbers["crops"]["images_decoded"],
        "crops_to_make": numbers["crops"]["added"] + numbers["crops"]["remade"],
        "crops_to_keep": numbers["crops"]["unchanged"],
        "files_to_remove": numbers["crops"]["removed"],
        "refused": numbers["refusals"]["refused"],
        "notes": run["notes"],
    }


def write(root: Path) -> None:
    """Write two SKUs of two crops each, an unpaired item, a refused item and an unused image."""
    data = DataSet(root)
    images: list[tuple[int, str, dict[int | str, Any]]] = [
        (1, "shop", {1: item(1, 1, (0, 0, 80, 60)), 2: item(8, 2, (10, 50, 90, 110))}),
        (2, "user", {1: item(1, 1, (5, 5, 70, 90)), 2: item(8, 2, (10, 60, 90, 115))}),
        (3, "user", {1: item(3, 1, (5, 5, 70, 90))}),
        (4, "shop", {1: item(3, 0, (5, 5, 70, 90)), 2: item(3, 2, (50, 50, 40, 60))}),
    ]
    for image_id, source, items in images:
        data.image("train", image_id, size=(160, 120))
        data.annotation("train", image_id, source, 1, items)


@pytest.fixture
def desk(desk: Desk) -> Desk:
    write(desk.df2)
    return desk


def test_a_plan_counts_what_the_build_then_does_and_changes_nothing(desk: Desk) -> None:
    planned = plan(desk)
    assert not desk.sku.exists()
    assert planned == {
        "split": "train",
        "annotations_to_read": 4,
        "images_to_decode": 2,
        "crops_to_make": 4,
        "crops_to_keep": 0,
        "files_to_remove": 0,
        "refused": 1,
        "notes": [],
    }
    assert build(desk) == planned


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    desk = Desk(tmp_path_factory.mktemp("plan"))
    write(desk.df2)
    shutil.copytree(desk.df2, desk.folder / "moved")
    assert desk.run("build", SPLITS="train").exit_code == 0
    return desk


def test_a_plan_of_a_built_split_has_nothing_to_do(built: Desk) -> None:
    before = built.files()
    planned = plan(built)
    assert {name for name, value in planned.items() if value} == {
        "split",
        "crops_to_keep",
        "refused",
    }
    assert planned["crops_to_keep"] == 4
    assert built.files().items() >= before.items()


OTHER_VALUES: list[dict[str, object]] = [
    {"DF2_ROOT": "moved"},
    {"SKU_ROOT": "other"},
    {"SPLITS": "test"},
    {"DF2_ENGINE": "serial"},
    {"DF2_PROMPTS": PROJECT / "examples" / "prompts.yaml"},
    {"DF2_SKU_TOKEN": 0.5},
    {"DF2_CAPTIONS": "none"},
    {"DF2_ONLY_PAIRS": "off"},
    {  # of which none may change what is built
        "RAY_ADDRESS": "nowhere:1",
        "DF2_WORKERS": 1,
        "DF2_MAX_REFUSED": 0.5,
        "DF2_MAX_AGE_DAYS": 1,
        "DF2_VARIANTS": PROJECT / "examples" / "variants.yaml",
        "DF2_ENCODER": "timm:resnet18",
        "DF2_CODE_URL": "https://host",
        "DF2_REPORTS_URL": "https://host/reports",
        "DF2_CRON": "0 3 * * *",
        "DF2_TIMEZONE": "Asia/Tokyo",
        "DF2_SCHEDULES": "on",
    },
]


@pytest.mark.slow
@pytest.mark.parametrize("settings", OTHER_VALUES, ids=lambda settings: next(iter(settings)))
def test_a_build_with_other_settings_does_what_its_plan_says(
    settings: dict[str, object], built: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A setting that reaches only one of the two would fail here."""
    monkeypatch.chdir(built.folder)
    shutil.copytree(built.sku, tmp_path / "sku")
    settings = {"SKU_ROOT": tmp_path / "sku", **settings}
    planned = plan(built, **settings)
    assert build(built, **settings) == planned


def test_every_setting_has_another_value_to_plan_and_build_with() -> None:
    variables = {field.validation_alias for field in FIELDS.values()}
    assert {variable for settings in OTHER_VALUES for variable in settings} == variables


def test_a_plan_sees_what_changed(desk: Desk) -> None:
    assert desk.run("build", SPLITS="train").exit_code == 0
    DataSet(desk.df2).annotation("train", 2, "user", 1, {1: item(1, 1, (5, 5, 60, 80))})
    planned = plan(desk)
    assert planned["annotations_to_read"] == 1
    assert (planned["images_to_decode"], planned["crops_to_make"]) == (1, 1)
    assert planned["crops_to_keep"] == 1  # the catalog crop of the SKU that is left
    assert planned["files_to_remove"] == 2  # both crops of the SKU that lost its query


def test_a_plan_for_people_names_every_split_and_says_whether_it_fits(desk: Desk) -> None:
    result = desk.run("plan", "--split", "train", "--split", "test")
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert [line.split()[0] for line in lines[1:3]] == ["train", "test"]
    assert lines[-2].endswith("It fits.")
    parts = re.fullmatch(r"About [\d min]+s in all: (.*)\.", lines[-1])
    assert parts is not None
    named = [re.sub(r"[\d min]+s ", "", part) for part in parts[1].split(", ")]
    assert named == ["to start", "to read", "to cut", "for tables and checks"]


def test_the_time_of_a_plan_has_all_parts_of_a_build(desk: Desk, built: Desk) -> None:
    reply = desk.json("plan", SPLITS="train test")
    seconds = [split["seconds"] for split in reply["splits"]]
    made, empty = seconds
    runs = sum(made.values()) + sum(empty.values()) - empty["start"]  # one start for both
    assert reply["seconds"] == pytest.approx(runs)
    assert made.keys() == {"start", "run", "read", "cut", "finish"}
    assert min(made.values()) > 0
    assert (empty["start"], empty["run"]) == (made["start"], made["run"])
    assert (empty["cut"], empty["finish"]) == (0, 0)
    (kept,) = built.json("plan", SPLITS="train")["splits"]
    assert kept["seconds"]["cut"] == 0
    assert kept["seconds"]["finish"] > 0


def test_a_dry_run_of_a_build_is_its_plan(desk: Desk) -> None:
    before = desk.files().keys() - {"home"}
    options = ("--split", "train", "--split", "test", "--workers", "1")
    planned, dry = (desk.run(*command, *options) for command in (("plan",), ("build", "--dry-run")))
    assert dry.exit_code == planned.exit_code == 0
    shown, expected = (
        re.sub(r"[\d.]+( MB free| s\b)", r"0\1", reply.stdout) for reply in (dry, planned)
    )
    assert shown == expected
    as_json = desk.json("build", "--dry-run", *options)
    assert as_json.keys() == desk.json("plan", *options).keys()
    assert {path for path in desk.files() if not path.startswith("home")} == before


@pytest.mark.slow
def test_a_disk_that_cannot_hold_the_result_is_refused_before_anything_is_cut(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**6, 10**6 - 2000, 2000))
    result = desk.run("plan", SPLITS="train")
    assert result.exit_code == 1
    assert "does NOT fit" in result.output
    refused = desk.run("build", SPLITS="train")
    assert refused.exit_code == 1
    assert "train needs about" in refused.output
    assert "0.0 MB free: free some space" in refused.output
    assert not (desk.sku / "train").exists()
    monkeypatch.undo()
    assert desk.run("build", SPLITS="train").exit_code == 0


def test_a_probe_makes_crops_in_memory_and_skips_unreadable_images(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.jpg", tmp_path / "bad.jpg"
    good.write_bytes(builder.jpeg((100, 80)))
    bad.write_bytes(b"no image")
    cuts = [Cut("a", (0, 0, 10, 10), "f"), Cut("b", (5, 5, 25, 15), "f")]
    images = [SourceImage(str(path), 0, 0, cuts) for path in (good, bad, tmp_path / "missing.jpg")]
    found = probe(CropShard("", (None,), images))
    assert (found.images, found.pixels) == (1, 300)
    assert found.bytes > 500
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.jpg", "good.jpg"]
