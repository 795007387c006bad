"""The automation conditions of assets, as the sensor `follow_data_versions` evaluates them."""

import os

import dagster as dg
import pytest
from dagster._core.definitions.asset_daemon_cursor import AssetDaemonCursor

from df2_assets.dataset.taxonomy import SPLITS
from df2_assets.defs.conditions import REBUILD_ON_CHANGE
from df2_assets.defs.runs.history import SOURCE, TEMPLATES
from df2_assets_tests.defs.platform import OTHER, SPECS, SPLIT, Platform

ALL = SPECS.keys() - {SOURCE, TEMPLATES}
MADE = {asset for asset in ALL if SPECS[asset].automation_condition == REBUILD_ON_CHANGE}
"""The other assets, such as exports, are first built on request."""

WITH_PROMPTS = {"image_text", "gallery"}
AFTER_THE_INDEX = MADE - {"raw_annotation_index"}


class Follower:
    """Repeated evaluations of the conditions with a cursor, as in the daemon."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self._cursor: AssetDaemonCursor | None = None

    def evaluate(self) -> dict[str, set[str]]:
        """Return the assets that are requested now, by split."""
        result = dg.evaluate_automation_conditions(
            self.platform.defs,
            self.platform.instance,
            asset_selection=dg.AssetSelection.all(include_sources=True),
            cursor=self._cursor,
        )
        self._cursor = result.cursor
        requested: dict[str, set[str]] = {}
        for asset in ALL:
            for split in result.get_requested_partitions(dg.AssetKey(asset)):
                requested.setdefault(str(split), set()).add(asset)
        return requested

    def follow(self) -> dict[str, set[str]]:
        """Evaluate, and run what is requested, with one run per split."""
        requested = self.evaluate()
        for split, assets in requested.items():
            self.platform.materialize(split, assets)
        return requested

    def require_no_requests(self) -> None:
        """Evaluate twice without changes: the first evaluation only learns the state."""
        assert self.evaluate() == {}
        assert self.evaluate() == {}


@pytest.fixture
def follower(platform: Platform) -> Follower:
    """A follower that knows the state, after both splits were built."""
    platform.observe()
    follower = Follower(platform)
    follower.follow()
    follower.require_no_requests()
    return follower


pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:.*include_sources.* is currently in beta"),
]


def test_a_new_data_set_is_built_once_its_source_is_observed(
    platform: Platform,
) -> None:
    follower = Follower(platform)
    assert follower.evaluate() == {}
    platform.observe()
    requested = follower.follow()
    assert {split: requested[split] for split in (SPLIT, OTHER)} == {SPLIT: MADE, OTHER: MADE}
    follower.require_no_requests()


def test_each_change_of_a_source_rebuilds_its_split_once_even_a_change_back(
    follower: Follower,
) -> None:
    platform = follower.platform
    for state in (1_700_000_001, 1_700_000_002, 1_700_000_001):
        os.utime(platform.file(), (state, state))
        assert follower.evaluate() == {}
        platform.observe()
        assert follower.follow() == {SPLIT: MADE}
        follower.require_no_requests()
        platform.observe()
        assert follower.evaluate() == {}


def test_changed_templates_rebuild_the_assets_that_use_them_in_every_split(
    follower: Follower,
) -> None:
    platform = follower.platform
    for occ in ("", "{occ}"):
        platform.give_prompts(f'prompts: {{text_short: "{occ}{{category_name}}"}}')
        assert follower.evaluate() == {}
        platform.observe()
        assert follower.follow() == dict.fromkeys(SPLITS, WITH_PROMPTS)
        follower.require_no_requests()
    platform.give_prompts(f"# In other words.\nprompts:\n  text_short: '{occ}{{category_name}}'")
    platform.observe()
    assert follower.evaluate() == {}


def test_a_manual_materialization_is_followed_if_its_data_version_changed(
    follower: Follower,
) -> None:
    assert follower.platform.materialize(SPLIT, ["raw_annotation_index"]).success
    assert follower.evaluate() == {}
    follower.platform.relabel()
    assert follower.platform.materialize(SPLIT, ["raw_annotation_index"]).success
    assert follower.follow() == {SPLIT: AFTER_THE_INDEX}
    follower.require_no_requests()


def test_after_a_build_only_the_reports_are_requested(follower: Follower) -> None:
    follower.platform.relabel()
    follower.platform.build()
    assert follower.follow() == {SPLIT: {"crop_quality", "gallery"}}
    follower.require_no_requests()


def test_a_failed_blocking_check_holds_back_only_its_own_split(
    follower: Follower,
) -> None:
    platform = follower.platform
    platform.spoil()
    assert not platform.materialize(SPLIT, ["raw_annotation_index"]).success
    assert follower.evaluate() == {}
    assert follower.evaluate() == {}
    platform.relabel(OTHER)
    platform.observe()
    assert set(follower.follow()) == {OTHER}

    for image in (901, 902, 903):
        (platform.data.root / SPLIT / "annos" / f"{image:06d}.json").unlink()
    platform.relabel()
    platform.observe()
    assert follower.follow() == {SPLIT: MADE}
    follower.require_no_requests()


def test_a_failed_first_build_is_not_tried_again_at_each_evaluation(platform: Platform) -> None:
    platform.spoil()
    platform.observe()
    follower = Follower(platform)
    assert follower.follow()[SPLIT] == MADE
    assert SPLIT not in follower.evaluate()
    assert SPLIT not in follower.evaluate()


def test_an_export_is_rebuilt_once_it_exists_and_only_in_its_split(follower: Follower) -> None:
    assert follower.platform.materialize(SPLIT, ["coco"]).success
    assert follower.evaluate() == {}
    for split in (SPLIT, OTHER):
        follower.platform.relabel(split)
    follower.platform.observe()
    assert follower.follow() == {SPLIT: MADE | {"coco"}, OTHER: MADE}
    follower.require_no_requests()
