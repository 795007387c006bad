"""The conditions that assets carry, as the sensor `follow_data_versions` evaluates it."""

import os

import dagster as dg
import pytest
from dagster._core.definitions.asset_daemon_cursor import AssetDaemonCursor

from df2_assets.dataset.taxonomy import SPLITS
from df2_assets.defs.runs.history import SOURCE, TEMPLATES
from df2_assets.exports import NAMES
from df2_assets_tests.defs.platform import OTHER, SPECS, SPLIT, Platform

ALL = SPECS.keys() - {SOURCE, TEMPLATES}
MADE = ALL - {*NAMES}
"""Exports are made only where somebody has asked for them."""

WITH_PROMPTS = {"image_text", "gallery"}
AFTER_THE_INDEX = MADE - {"raw_annotation_index"}


class Follower:
    """Evaluates the conditions again and again, with a cursor, as the daemon does."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self._cursor: AssetDaemonCursor | None = None

    def look(self) -> dict[str, set[str]]:
        """What is asked for now: assets by split."""
        result = dg.evaluate_automation_conditions(
            self.platform.defs,
            self.platform.instance,
            asset_selection=dg.AssetSelection.all(include_sources=True),
            cursor=self._cursor,
        )
        self._cursor = result.cursor
        asked: dict[str, set[str]] = {}
        for asset in ALL:
            for split in result.get_requested_partitions(dg.AssetKey(asset)):
                asked.setdefault(str(split), set()).add(asset)
        return asked

    def follow(self) -> dict[str, set[str]]:
        """Look, and carry out what is asked for, a run a split."""
        asked = self.look()
        for split, assets in asked.items():
            self.platform.materialize(split, assets)
        return asked

    def settle(self) -> None:
        """Look twice at a platform at rest: the first look only learns how things are."""
        assert self.look() == {}
        assert self.look() == {}


@pytest.fixture
def follower(platform: Platform) -> Follower:
    """Both splits are built, and everything that was not asked for before is known."""
    platform.observe()
    follower = Follower(platform)
    follower.follow()
    follower.settle()
    return follower


pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:.*include_sources.* is currently in beta"),
]


def test_what_was_never_made_is_made_whole_once_the_source_has_been_seen(
    platform: Platform,
) -> None:
    follower = Follower(platform)
    assert follower.look() == {}
    platform.observe()
    asked = follower.follow()
    assert {split: asked[split] for split in (SPLIT, OTHER)} == {SPLIT: MADE, OTHER: MADE}
    follower.settle()


def test_each_state_of_the_source_is_followed_once_in_its_own_split_also_one_that_comes_back(
    follower: Follower,
) -> None:
    platform = follower.platform
    for state in (1_700_000_001, 1_700_000_002, 1_700_000_001):
        os.utime(platform.file(), (state, state))
        assert follower.look() == {}
        platform.observe()
        assert follower.follow() == {SPLIT: MADE}
        follower.settle()
        platform.observe()
        assert follower.look() == {}


def test_other_templates_are_followed_in_every_split_by_what_is_made_with_them(
    follower: Follower,
) -> None:
    platform = follower.platform
    for occ in ("", "{occ}"):
        platform.give_prompts(f'prompts: {{text_short: "{occ}{{category_name}}"}}')
        assert follower.look() == {}
        platform.observe()
        assert follower.follow() == dict.fromkeys(SPLITS, WITH_PROMPTS)
        follower.settle()
    platform.give_prompts(f"# In other words.\nprompts:\n  text_short: '{occ}{{category_name}}'")
    platform.observe()
    assert follower.look() == {}


def test_what_was_made_by_hand_is_followed_where_its_data_version_has_changed(
    follower: Follower,
) -> None:
    assert follower.platform.materialize(SPLIT, ["raw_annotation_index"]).success
    assert follower.look() == {}
    follower.platform.relabel()
    assert follower.platform.materialize(SPLIT, ["raw_annotation_index"]).success
    assert follower.follow() == {SPLIT: AFTER_THE_INDEX}
    follower.settle()


def test_a_change_that_a_build_has_taken_in_asks_for_its_reports_alone(follower: Follower) -> None:
    follower.platform.relabel()
    follower.platform.build()
    assert follower.follow() == {SPLIT: {"crop_quality", "gallery"}}
    follower.settle()


def test_nothing_follows_an_asset_whose_blocking_check_has_failed_in_its_own_split(
    follower: Follower,
) -> None:
    platform = follower.platform
    platform.spoil()
    assert not platform.materialize(SPLIT, ["raw_annotation_index"]).success
    assert follower.look() == {}
    assert follower.look() == {}
    platform.relabel(OTHER)
    platform.observe()
    assert set(follower.follow()) == {OTHER}

    for image in (901, 902, 903):
        (platform.data.root / SPLIT / "annos" / f"{image:06d}.json").unlink()
    platform.relabel()
    platform.observe()
    assert follower.follow() == {SPLIT: MADE}
    follower.settle()


def test_what_fails_before_it_was_ever_made_is_not_tried_at_each_look(platform: Platform) -> None:
    platform.spoil()
    platform.observe()
    follower = Follower(platform)
    assert follower.follow()[SPLIT] == MADE
    assert SPLIT not in follower.look()
    assert SPLIT not in follower.look()


def test_an_export_follows_once_it_was_made_and_in_its_own_split_only(follower: Follower) -> None:
    assert follower.platform.materialize(SPLIT, ["coco"]).success
    assert follower.look() == {}
    for split in (SPLIT, OTHER):
        follower.platform.relabel(split)
    follower.platform.observe()
    assert follower.follow() == {SPLIT: MADE | {"coco"}, OTHER: MADE}
    follower.settle()
