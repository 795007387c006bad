"""Every seed and size has a place for each defect, and pictures in which it can be found."""

from collections import Counter

import pytest

from df2_assets.dataset.reasons import Reason
from df2_assets.errors import SampleError
from df2_assets.sample.answer_key import PlantedDefect
from df2_assets.sample.defects import CHECKS, UNLIKE
from df2_assets.sample.plan import plan_images
from df2_assets.sample.planting import SMALLEST, Job, _PlantedSplit, plant

SEEDS = range(20)
FOREIGN = "garment of another SKU"


def planted(images: int, seed: int) -> tuple[list[Job], list[PlantedDefect]]:
    jobs, _, key = plant(plan_images(images, seed), seed)
    return jobs, key


def assert_complete(key: list[PlantedDefect], images: int, seed: int) -> None:
    """Assert that each reason and check has something to find, and no place two entries."""
    where = f"{images} images, seed {seed}"
    assert {check for one in key for check in one.expect.checks} == CHECKS, where
    reasons = Counter((one.split, one.expect.reason) for one in key)
    splits = ("train", "validation")
    assert min(reasons[split, reason] for split in splits for reason in Reason) >= 2, where
    assert len({(one.path, one.item_idx) for one in key}) == len(key), where


@pytest.mark.parametrize("images", [pytest.param(SMALLEST, marks=pytest.mark.slow), 300])
def test_a_seed_has_a_place_for_every_defect(images: int) -> None:
    for seed in range(2):
        _, key = planted(images, seed)
        assert_complete(key, images, seed)
        assert any(one.planted == FOREIGN for one in key)


@pytest.mark.parametrize("images", [11, 26, 100, SMALLEST - 1])
def test_too_few_images_for_the_defects_are_refused_whatever_the_seed(images: int) -> None:
    for seed in range(20):
        with pytest.raises(SampleError, match=f"{images} images is too small .* {SMALLEST} or"):
            plant(plan_images(images, seed), seed)


def test_no_other_photograph_of_a_target_is_planted(monkeypatch: pytest.MonkeyPatch) -> None:
    """It could look like something between the garment of the SKU and the other one."""
    monkeypatch.setattr(_PlantedSplit, "stands_out", lambda field, plan: True)
    jobs, key = planted(480, 1)
    places = {(one.split, str(one.image_id)) for one in key if one.planted == FOREIGN}
    at = {(job.split, job.image_id): number for number, job in enumerate(jobs)}
    targets = {
        (place[0], jobs[at[place]].plan.sku(jobs[at[place]].plan.items[0])) for place in places
    }
    for number, job in enumerate(jobs):
        shown = {(job.split, job.plan.sku(item)) for item in job.plan.items}
        if shown & targets and (job.split, job.image_id) not in places:
            assert number < min(at[place] for place in places if place[0] == job.split)


@pytest.mark.slow
@pytest.mark.parametrize("images", [SMALLEST, 150, 250, 480, 1000])
def test_each_of_20_seeds_has_a_place_for_every_defect(
    monkeypatch: pytest.MonkeyPatch, images: int
) -> None:
    monkeypatch.setattr(_PlantedSplit, "stands_out", lambda field, plan: True)
    for seed in SEEDS:
        _, key = planted(images, seed)
        assert_complete(key, images, seed)


@pytest.mark.slow
def test_each_of_20_seeds_has_a_foreign_garment_that_stands_out() -> None:
    """The pictures of the candidates are drawn, for one size per seed: from 120 images to 1,000."""
    for seed in SEEDS:
        images = SMALLEST + (1000 - SMALLEST) * seed // (len(SEEDS) - 1)
        _, key = planted(images, seed)
        assert_complete(key, images, seed)
        found = Counter(one.split for one in key if UNLIKE in one.expect.checks)
        assert sum(found.values()) >= 1, f"{images} images, seed {seed}"
