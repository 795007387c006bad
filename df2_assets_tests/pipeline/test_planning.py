"""What a build would do to the crops that are on disk: keep them, or make them again."""

from pathlib import Path

import pandas as pd
import pytest

from df2_assets.dataset import cropping
from df2_assets.dataset.boxes import Box, size
from df2_assets.pipeline.planning import CropPlan, estimate, mark_damaged, plan_crops
from df2_assets.settings import Settings
from df2_assets.store import state, tables
from df2_assets_tests.checks import clean
from df2_assets_tests.support.builder import DataSet

SPLIT = "train"


class Place:
    """A split that is built."""

    def __init__(self, folder: Path) -> None:
        self.settings = Settings(df2_root=folder / "df2", sku_root=str(folder / "sku"))
        self.roots = self.settings.roots
        clean.write(DataSet(self.roots.df2_root), SPLIT, looks=1)
        self.built = clean.build(self.roots)
        self.paths: list[str] = self.built.groups["crop_path"].tolist()

    def plan(self, groups: pd.DataFrame | None = None) -> CropPlan:
        files = tables.find(self.roots, "files", SPLIT)
        assert files is not None
        groups = self.built.groups if groups is None else groups
        return plan_crops(self.settings, SPLIT, groups, tables.frame(files))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_nothing_is_to_do_after_a_build(place: Place) -> None:
    plan = place.plan()
    assert plan.nothing_to_do
    assert [row.crop_path for row in plan.keep] == place.paths
    assert (plan.settled, plan.images, plan.anew) == ([], [], None)


def test_only_what_is_missing_is_made(place: Place) -> None:
    missing = place.paths[3]
    (place.roots.sku_root / missing).unlink()
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
    assert plan.anew == f"{before} -> {cropping.encoder()}"


def test_crops_that_nothing_wants_are_removed(place: Place) -> None:
    sku = place.built.groups["sku_id"].iloc[0]
    groups = place.built.groups[place.built.groups["sku_id"] != sku]
    assert place.plan(groups).remove == sorted(path for path in place.paths if sku in path)


def test_damaged_crops_that_are_marked_are_made_again(place: Place) -> None:
    crop = place.roots.sku_root / place.paths[0]
    crop.write_bytes(b"x" * crop.stat().st_size)
    assert mark_damaged(place.roots, SPLIT, place.paths[:2]) == place.paths[:1]
    assert place.plan().make["crop_path"].tolist() == place.paths[:1]
    assert not state.load(place.roots, SPLIT).complete


def test_an_estimate_grows_with_what_is_to_be_made(place: Place) -> None:
    assert estimate(place.roots, place.plan(), clean.Here()).bytes == 0
    for path in place.paths:
        (place.roots.sku_root / path).unlink()
    needed = estimate(place.roots, place.plan(), clean.Here(), images_per_second=2.0)
    assert (needed.images, needed.crops, needed.seconds) == (2, len(place.paths), 1.0)
    assert needed.bytes > int(place.built.manifest["size"].sum()) / 2


def test_the_manifest_has_the_size_of_the_box_that_is_cut(place: Place) -> None:
    rows = place.built.groups.merge(place.built.manifest, on="crop_path")
    for row in rows.to_dict("records"):
        box: Box = (row["x1"], row["y1"], row["x2"], row["y2"])
        assert (row["width"], row["height"]) == size(box)
