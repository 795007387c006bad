"""The checks of crop quality: they name dark, blank and duplicate crops, and nothing else."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from PIL import ImageEnhance

from df2_assets.checks import crop_quality as inspection
from df2_assets.checks.finding import Finding
from df2_assets_tests.checks.clean import fails
from df2_assets_tests.support.looks import jpeg, path, picture, plain, seen

SKU, OTHER = "000001_01_01", "000002_01_01"


@pytest.fixture(scope="module")
def clean() -> pd.DataFrame:
    return seen((path(seed, SKU if seed % 2 else OTHER), jpeg(picture(seed))) for seed in range(20))


def near(crops: pd.DataFrame, **others: pd.DataFrame | None) -> Finding:
    alike = inspection.pairs_alike("train", crops, others)
    not_compared = [split for split, looks in others.items() if looks is None]
    return inspection.near_duplicate_crops(crops, alike, not_compared)


def shared(crops: pd.DataFrame) -> Finding:
    return inspection.image_in_two_skus(crops, inspection.pairs_alike("train", crops, {}))


def test_good_crops_give_no_alarm(clean: pd.DataFrame) -> None:
    assert inspection.dark_crops(clean).passed
    assert inspection.blank_crops(clean).passed
    assert near(clean).passed
    assert shared(clean).passed


def test_no_crops_give_no_alarm() -> None:
    nothing = seen([(path(1), jpeg(picture(1)))]).iloc[:0]
    for finding in (inspection.dark_crops(nothing), near(nothing), shared(nothing)):
        assert finding.passed
        assert finding.checked_count == 0


def test_dark_crops_are_named_the_darkest_first(clean: pd.DataFrame) -> None:
    dim = [ImageEnhance.Brightness(picture(40 + i)).enhance(by) for i, by in enumerate((0.1, 0.04))]
    crops = pd.concat([clean, seen((path(40 + i), jpeg(one)) for i, one in enumerate(dim))])
    found = inspection.dark_crops(crops)
    assert fails(found, "warn")
    assert found.offenders["image_id"].tolist() == ["000041", "000040"]
    assert found.numbers["dark"] == 2
    assert inspection.blank_crops(crops).passed, "one problem has one alarm"


def test_blank_crops_are_named(clean: pd.DataFrame) -> None:
    crops = pd.concat([clean, seen([(path(50), jpeg(plain("white")))])])
    found = inspection.blank_crops(crops)
    assert found.offenders["crop_path"].tolist() == [path(50)]
    assert inspection.dark_crops(crops).passed


def test_a_tiny_crop_is_for_another_check_to_name() -> None:
    crops = seen([(path(1), jpeg(plain("black").resize((20, 60))))])
    assert inspection.dark_crops(crops).passed
    assert inspection.blank_crops(crops).passed


def test_a_picture_saved_anew_is_near_within_its_sku(clean: pd.DataFrame) -> None:
    crops = pd.concat([clean, seen([(path(60, OTHER), jpeg(picture(2), quality=55))])])
    found = near(crops)
    assert set(found.offenders["crop_path"]) == {path(2, OTHER), path(60, OTHER)}
    assert set(found.offenders["what"]) == {"like another crop of its SKU"}
    assert found.numbers["near_duplicates_within_a_SKU"] == 2
    assert shared(crops).passed


def test_a_picture_under_two_skus_is_named_also_with_the_same_bytes(clean: pd.DataFrame) -> None:
    anew = seen([(path(61, OTHER), jpeg(picture(3), quality=55))])
    same = seen([(path(62, OTHER), jpeg(picture(5)))])
    crops = pd.concat([clean, anew, same])
    assert set(near(crops).offenders["crop_path"]) == {path(3, SKU), path(61, OTHER)}
    found = shared(crops)
    paths = {path(3, SKU), path(61, OTHER), path(5, SKU), path(62, OTHER)}
    assert set(found.offenders["crop_path"]) == paths
    assert found.numbers == {"crops_in_two_skus": 4, "skus_sharing": 2}
    assert set(found.offenders["like_sku_uid"]) == {f"train/{SKU}", f"train/{OTHER}"}


def test_a_picture_in_another_split_leaks(clean: pd.DataFrame) -> None:
    there = path(7, "000009_01_01", "validation")
    theirs = seen([(there, jpeg(picture(4), quality=55))])
    found = near(clean, validation=theirs, test=None)
    assert found.offenders["crop_path"].tolist() == [path(4, OTHER)]
    assert found.offenders["like"].tolist() == [there]
    assert found.offenders["what"].tolist() == ["like a crop of validation"]
    assert "Not compared with test" in found.summary


@pytest.mark.parametrize(
    ("other", "data"),
    [
        pytest.param(path(2), jpeg(picture(1)), id="equal bytes are for another check to name"),
        pytest.param(
            path(1, OTHER).replace("_item1", "_item2"),
            jpeg(picture(1), quality=70),
            id="crops of one image are not compared",
        ),
        pytest.param(
            path(2),
            jpeg(ImageEnhance.Color(picture(1)).enhance(0)),
            id="another colour is another picture",
        ),
    ],
)
def test_what_is_not_near(other: str, data: bytes) -> None:
    assert near(seen([(path(1), jpeg(picture(1))), (other, data)])).passed


def test_banded_search_finds_what_comparing_all_finds() -> None:
    rng = np.random.default_rng(7)
    base = rng.integers(0, 2**63, 300, dtype=np.uint64)
    flips = [
        np.bitwise_xor.reduce(np.uint64(1) << rng.choice(64, bits, replace=False).astype(np.uint64))
        for bits in rng.integers(1, 8, 300)
    ]
    hashes = np.concatenate([base, base ^ np.array(flips, np.uint64), base[:5]])
    one, other = inspection._similar(hashes)
    brute = {
        (a, b)
        for a, b in combinations(range(len(hashes)), 2)
        if int(hashes[a] ^ hashes[b]).bit_count() <= inspection.BITS
    }
    assert set(zip(one.tolist(), other.tolist(), strict=True)) == brute
    assert len(brute) > 100


def test_a_crowd_of_equal_hashes_is_searched_in_bounded_work() -> None:
    hashes = np.zeros(1000, np.uint64)
    one, other = inspection._similar(hashes)
    assert len(one) < 1000 * 65
    assert set(one.tolist()) | set(other.tolist()) == set(range(1000))
