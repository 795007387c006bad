"""What a build would do to the crops that are on disk: keep them, or make them again."""

from dataclasses import dataclass

import pandas as pd
import pytest

from df2_assets.dataset import cropping
from df2_assets.engines.serial import SerialEngine
from df2_assets.pipeline.planning import CropPlan, estimate, mark_damaged, plan_crops
from df2_assets.store import state, tables
from df2_assets.store.crop_sets import contract_crops
from df2_assets.store.layout import Roots
from df2_assets_tests.checks.clean import Built

SPLIT = "train"
CROPS = contract_crops(SPLIT)


@dataclass(frozen=True)
class Place:
    """A split that is built."""

    roots: Roots
    built: Built

    @property
    def paths(self) -> list[str]:
        paths: list[str] = self.built.groups["crop_path"].tolist()
        return paths

    def plan(self, groups: pd.DataFrame | None = None) -> CropPlan:
        files = tables.find(self.roots, "files", SPLIT)
        assert files is not None
        groups = self.built.groups if groups is None else groups
        return plan_crops(self.roots, CROPS, groups, tables.frame(files), SerialEngine())


@pytest.fixture
def place(disk: Roots, built: Built) -> Place:
    return Place(disk, built)


def test_nothing_is_to_do_after_a_build(place: Place) -> None:
    plan = place.plan()
    assert plan.nothing_to_do
    assert plan.keep["crop_path"].to_pylist() == place.paths
    assert (len(plan.skip), len(plan.images), plan.rebuild_reason) == (0, 0, None)


def test_only_what_is_missing_is_made(place: Place) -> None:
    missing = place.paths[3]
    place.roots.crop(missing).unlink()
    plan = place.plan()
    assert plan.make["crop_path"].tolist() == [missing]
    (image,) = plan.images
    assert [cut.crop_path for cut in image.cuts] == [missing]
    assert plan.remove == []


def test_another_box_makes_a_crop_again_and_no_other(place: Place) -> None:
    groups = place.built.groups
    narrower = (groups["crop_path"] == place.paths[5]).astype(int)
    groups = groups.assign(x2=groups["x2"] - narrower)
    assert place.plan(groups).make["crop_path"].tolist() == [place.paths[5]]


def test_another_encoder_makes_all_crops_again_and_says_so(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = cropping.encoder()
    monkeypatch.setattr(cropping, "QUALITY", 80)
    plan = place.plan()
    assert sorted(plan.make["crop_path"]) == sorted(place.paths)
    assert plan.rebuild_reason == f"{before} -> {cropping.encoder()}"


def test_crops_that_nothing_wants_are_removed(place: Place) -> None:
    sku = place.built.groups["sku_id"].iloc[0]
    groups = place.built.groups[place.built.groups["sku_id"] != sku]
    assert place.plan(groups).remove == sorted(path for path in place.paths if sku in path)


def test_damaged_crops_that_are_marked_are_made_again(place: Place) -> None:
    crop = place.roots.crop(place.paths[0])
    crop.write_bytes(b"x" * crop.stat().st_size)
    assert mark_damaged(place.roots, SPLIT, place.paths[:2]) == place.paths[:1]
    assert place.plan().make["crop_path"].tolist() == place.paths[:1]
    assert not state.load(place.roots, SPLIT).complete


def test_an_estimate_grows_with_what_is_to_be_made(place: Place) -> None:
    assert estimate(place.roots, [place.plan()], SerialEngine()).bytes == 0
    for path in place.paths:
        place.roots.crop(path).unlink()
    needed = estimate(place.roots, [place.plan()], SerialEngine(), images_per_second=2.0)
    assert (needed.images, needed.crops, needed.seconds) == (4, len(place.paths), 2.0)
    assert needed.bytes > int(place.built.manifest["size"].sum()) / 2
