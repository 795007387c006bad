"""The platform compared with the independent reading, on random data sets, new and edited."""

import json
import random
from collections import Counter
from pathlib import Path

import pytest

from df2_assets_tests.support import oracle, run
from df2_assets_tests.support.builder import DataSet, item, jpeg, truncated
from df2_assets_tests.support.compare import (
    assert_same_output,
    assert_same_refusals,
    metadata,
    refused,
)
from df2_assets_tests.support.random_data import random_dataset


def assert_agreement(
    data: DataSet,
    built: Path,
    expected: Path,
    splits: tuple[str, ...] = ("train",),
    *,
    only_pairs: bool = True,
) -> list[oracle.Refusal]:
    """Build over what exists. Output and refusals, which are returned, are as expected."""
    refusals = oracle.build(data.root, expected, splits, only_pairs=only_pairs)
    result = run.build(data.root, built, splits, max_refused=1.0, only_pairs=only_pairs)
    assert result.success, result.problems
    assert_same_output(built, expected)
    tables = (refused(run.read_table(built, "refusals", split)) for split in splits)
    assert_same_refusals(sum(tables, Counter()), Counter(refusals))
    return refusals


@pytest.mark.parametrize("bad", [0.0, 0.2])
@pytest.mark.parametrize("seed", [1, *(pytest.param(n, marks=pytest.mark.slow) for n in (2, 3))])
def test_a_build_agrees_on_a_data_set_with_and_without_bad_files_and_items(
    tmp_path: Path, seed: int, bad: float
) -> None:
    splits = ("train", "validation", "test")
    data = random_dataset(tmp_path / "df2", seed, splits, images=80, bad=bad)
    refusals = assert_agreement(data, tmp_path / "built", tmp_path / "expected", splits)
    assert len({refusal.reason for refusal in refusals}) > 6 if bad else refusals == []
    assert metadata(tmp_path / "expected", "train")["num_skus"] > 5


@pytest.mark.slow
@pytest.mark.parametrize("seed", [11, pytest.param(12, marks=pytest.mark.slow)])
def test_a_build_that_keeps_skus_with_one_domain_agrees_before_and_after_one_that_does_not(
    tmp_path: Path, seed: int
) -> None:
    data, built = random_dataset(tmp_path / "df2", seed, images=80, bad=0.2), tmp_path / "built"
    kept = []
    for number, only_pairs in enumerate((False, True, False)):
        if number == 1:
            edit(data, "train", seed)
        assert_agreement(data, built, tmp_path / str(number), only_pairs=only_pairs)
        kept.append(metadata(built, "train")["skus"])
    assert all(kept[2][sku_id] == sku for sku_id, sku in kept[1].items())
    alone = [sku for sku_id, sku in kept[2].items() if sku_id not in kept[1]]
    assert all(bool(sku["catalog"]) != bool(sku["query"]) for sku in alone)
    assert len(alone) > 2


@pytest.mark.parametrize("seed", [21, pytest.param(22, marks=pytest.mark.slow)])
def test_a_build_over_an_older_one_agrees_with_an_independent_reading(
    tmp_path: Path, seed: int
) -> None:
    data = random_dataset(tmp_path / "df2", seed, images=80, bad=0.1)
    assert_agreement(data, tmp_path / "built", tmp_path / "before")
    edit(data, "train", seed)
    assert_agreement(data, tmp_path / "built", tmp_path / "after")
    with pytest.raises(AssertionError):
        assert_same_output(tmp_path / "before", tmp_path / "after")


@pytest.mark.slow
@pytest.mark.parametrize("first", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_what_is_refused_does_not_depend_on_what_was_built_before(
    tmp_path: Path, first: int
) -> None:
    """A SKU loses its catalog image, then its query image too, or the other way round."""
    data, built = DataSet(tmp_path / "df2"), tmp_path / "built"
    for image_id, source in enumerate(("shop", "user"), start=1):
        data.annotation("train", image_id, source, 1, {1: item(1, 1, [10, 10, 90, 90])})
        data.image("train", image_id)
    assert_agreement(data, built, tmp_path / "whole")
    assert metadata(built, "train")["num_skus"] == 1
    data.raw_image("train", first, truncated(jpeg()))
    assert_agreement(data, built, tmp_path / "half")
    data.raw_image("train", 3 - first, truncated(jpeg()))
    refusals = assert_agreement(data, built, tmp_path / "nothing")
    assert [refusal.image_id for refusal in refusals] == ["000001", "000002"]


def edit(data: DataSet, split: str, seed: int) -> None:
    """Add, remove and change some images and annotations, as people do between two builds."""
    rng = random.Random(f"edit/{seed}")
    for path in sorted((data.root / split / "annos").iterdir()):
        image = data.root / split / "image" / f"{path.stem}.jpg"
        chance = rng.random()
        if chance < 0.06:
            path.unlink()
        elif chance < 0.12:
            image.unlink(missing_ok=True)
        elif chance < 0.2:
            image.write_bytes(jpeg((rng.randint(40, 150), 97), "rgb", chance))
        elif chance < 0.27 and image.is_file():
            image.write_bytes(truncated(jpeg((90, 90), "rgb", chance)))
        elif chance < 0.45:
            path.write_bytes(_rearranged(path.read_bytes(), rng))
    random_dataset(data.root, seed + 1000, (split,), images=6)


def _rearranged(text: bytes, rng: random.Random) -> bytes:
    """Return the annotation with another pair or other boxes, or a valid one if it was invalid."""
    try:
        annotation = json.loads(text)
    except ValueError:
        return b'{"source": "shop", "pair_id": 1}'
    if not isinstance(annotation, dict):
        return text[1:-1]
    if rng.random() < 0.3:
        annotation["pair_id"] = rng.randint(1, 5)
    for fields in annotation.values():
        box = fields.get("bounding_box") if isinstance(fields, dict) else None
        edge = rng.randint(0, 1)
        if isinstance(box, list) and len(box) == 4 and isinstance(box[edge], int | float):
            box[edge] += rng.choice((-1, 1))
            fields["occlusion"] = rng.randint(1, 3)
    return json.dumps(annotation).encode()
