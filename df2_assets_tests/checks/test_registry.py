"""Every check of the registry on a split without problems, and on one without crops."""

import pytest

from df2_assets.checks.registry import CHECKS, OPTIONAL_ASSETS
from df2_assets.store.layout import Roots
from df2_assets_tests.checks.clean import find, passes

CROPS = 2 * 9 * 13
NUMBERS: dict[str, dict[str, int]] = {
    "layout": {"images": 18, "annotations": 18, "foreign": 0},
    "pairing": {"images": 18, "annotations": 18, "images_without_annotation": 0},
    "refusals_within_limit": {"refused_images": 0, "refused_items": 0},
    "boxes": {"reversed": 0, "outside": 0, "clamped": 0, "fractional": 0},
    "labels": {"label_out_of_range": 0},
    "known_answers": {},
    "identity": {"skus": 13, "crops": CROPS},
    "counts": {"skus": 13, "crops": CROPS, "items_of_style_0": 18},
    "files_match": {"crops": CROPS, "files": CROPS, "foreign": 0},
    "all_refusals_within_limit": {"refused_images": 0, "refused_items": 0, "refused_crops": 0},
    "tiny_crops": {"tiny": 0},
    "duplicate_crops": {"duplicates_within": 0},
    "contract": {"skus": 13, "crops": CROPS},
    "matches_metadata": {"lines": CROPS, "crops": CROPS},
    "prompt_coverage": {"wrong_prompts": 0, "empty_combinations": 0},
    "sku_tokens": {"tokens": 0, "wrong_tokens": 0},
    "caption_coverage": {},
}
"""The numbers of each check for a clean split; `freshness` needs an instance."""


def test_every_check_of_the_data_set_is_tried_here() -> None:
    of_build = {check.name for check in CHECKS if check.asset not in OPTIONAL_ASSETS}
    assert NUMBERS.keys() == of_build - {"freshness"}


@pytest.mark.parametrize("check", NUMBERS)
def test_a_split_without_faults_passes(every_look: Roots, check: str) -> None:
    finding = find(check, every_look)
    assert passes(finding)
    assert finding.checked_count > 0
    assert finding.numbers.items() >= NUMBERS[check].items()


@pytest.mark.parametrize("check", NUMBERS)
def test_a_split_without_images_passes(every_look: Roots, check: str) -> None:
    finding = find(check, every_look, "test")
    assert passes(finding)
    assert finding.checked_count == 0
