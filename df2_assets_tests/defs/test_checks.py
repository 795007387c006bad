"""What Dagster is told of the checks."""

import dagster as dg
import pytest

from df2_assets import exports
from df2_assets.dataset.taxonomy import SPLITS
from df2_assets.defs.checks import all_checks, crops, raw_annotation_index, sku_groups

BLOCKING = [raw_annotation_index.BLOCKING, sku_groups.BLOCKING, crops.BLOCKING]
SPECS = [spec for check in all_checks for spec in check.check_specs] + BLOCKING

NAMES = {
    "deepfashion2": {"layout"},
    "raw_annotation_index": {
        "pairing",
        "refusals_within_limit",
        "boxes",
        "labels",
        "known_answers",
    },
    "sku_groups": {"identity", "counts"},
    "crops": {"files_match", "tiny_crops", "duplicate_crops"},
    "sku_metadata": {"contract"},
    "image_text": {"matches_metadata", "prompt_coverage", "freshness"},
    "crop_quality": {
        "dark_crops",
        "blank_crops",
        "near_duplicate_crops",
        "image_in_two_skus",
        "unlike_crops",
    },
    **{export: {"matches_image_text"} for export in exports.NAMES},
}


def test_every_check_of_the_design_is_there_once() -> None:
    names = sorted((spec.asset_key.to_user_string(), spec.name) for spec in SPECS)
    assert names == sorted((asset, name) for asset in NAMES for name in NAMES[asset])


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_every_check_has_a_partition_a_split_and_a_description(spec: dg.AssetCheckSpec) -> None:
    assert spec.partitions_def is not None
    assert tuple(spec.partitions_def.get_partition_keys()) == SPLITS
    assert spec.description


def test_three_checks_block_what_comes_after() -> None:
    blocking = {spec.name for spec in SPECS if spec.blocking}
    assert blocking == {"refusals_within_limit", "identity", "files_match"}


def test_the_checks_of_an_asset_are_one_step() -> None:
    assets = [{spec.asset_key.to_user_string() for spec in c.check_specs} for c in all_checks]
    assert assets == [{asset} for asset in NAMES]
