"""The platform against the independent reading, on random data sets, fresh and edited."""

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

ALL = ("train", "validation", "test")


def all_refused(sku_root: Path, splits: tuple[str, ...]) -> Counter[oracle.Refusal]:
    """Everything that a build refused."""
    tables = (run.read_table(sku_root, "refusals", split) for split in splits)
    return sum((refused(table) for table in tables), Counter())


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_build_agrees_on_a_valid_data_set(tmp_path: Path, seed: int) -> None:
    data = random_dataset(tmp_path / "df2", seed, ALL, images=60)
    built, expected = tmp_path / "built", tmp_path / "expected"

    assert oracle.build(data.root, expected, ALL) == []
    result = run.build(data.root, built, ALL)
    assert result.success, result.problems

    assert metadata(expected, "train")["num_skus"] > 5
    assert_same_output(built, expected)


@pytest.mark.parametrize("seed", [11, 12, 13])
def test_a_build_agrees_on_a_data_set_with_bad_files_and_items(tmp_path: Path, seed: int) -> None:
    splits = ("train", "validation")
    data = random_dataset(tmp_path / "df2", seed, splits, images=80, bad=0.2)
    built, expected = tmp_path / "built", tmp_path / "expected"

    refusals = oracle.build(data.root, expected, splits)
    result = run.build(data.root, built, splits, max_refused=1.0)
    assert result.success, result.problems

    assert len({refusal.reason for refusal in refusals}) > 6
    assert metadata(expected, "train")["num_skus"] > 5
    assert_same_output(built, expected)
    assert_same_refusals(all_refused(built, splits), Counter(refusals))


@pytest.mark.parametrize("seed", [21, 22])
def test_a_build_over_an_older_one_agrees_with_a_fresh_reading(tmp_path: Path, seed: int) -> None:
    splits = ("train",)
    data = random_dataset(tmp_path / "df2", seed, splits, images=80, bad=0.1)
    built, before, after = tmp_path / "built", tmp_path / "before", tmp_path / "after"
    oracle.build(data.root, before, splits)
    result = run.build(data.root, built, splits, max_refused=1.0)
    assert result.success, result.problems

    edit(data, "train", seed)
    refusals = oracle.build(data.root, after, splits)
    result = run.build(data.root, built, splits, max_refused=1.0)
    assert result.success, result.problems

    with pytest.raises(AssertionError):
        assert_same_output(before, after)
    assert_same_output(built, after)
    assert_same_refusals(all_refused(built, splits), Counter(refusals))


@pytest.mark.parametrize("first", [1, 2])
def test_what_is_refused_does_not_depend_on_what_was_built_before(
    tmp_path: Path, first: int
) -> None:
    """A SKU loses its catalog image, then its query image too (or the other way round)."""
    data = DataSet(tmp_path / "df2")
    built, expected = tmp_path / "built", tmp_path / "expected"
    for image_id, source in enumerate(("shop", "user"), start=1):
        data.annotation("train", image_id, source, 1, {1: item(1, 1, [10, 10, 90, 90])})
        data.image("train", image_id)
    result = run.build(data.root, built, max_refused=1.0)
    assert result.success, result.problems
    assert metadata(built, "train")["num_skus"] == 1

    for image_id in (first, 3 - first):
        data.raw_image("train", image_id, truncated(jpeg()))
        result = run.build(data.root, built, max_refused=1.0)
        assert result.success, result.problems

    refusals = oracle.build(data.root, expected, ("train",))
    assert [refusal.image_id for refusal in refusals] == ["000001", "000002"]
    assert_same_refusals(all_refused(built, ("train",)), Counter(refusals))
    assert_same_output(built, expected)


def test_the_number_of_workers_does_not_show(tmp_path: Path) -> None:
    data = random_dataset(tmp_path / "df2", 31, ("train",), images=60)
    result = run.build(data.root, tmp_path / "one", ("train",), workers=1)
    assert result.success, result.problems
    result = run.build(data.root, tmp_path / "three", ("train",), workers=3)
    assert result.success, result.problems
    assert_same_output(tmp_path / "one", tmp_path / "three")


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
    """The annotation with another pair or other boxes, or mended if it was none."""
    try:
        annotation = json.loads(text)
    except ValueError:
        return b'{"source": "shop", "pair_id": 1}'
    if not isinstance(annotation, dict):
        return text[1:-1]
    if rng.random() < 0.3:
        annotation["pair_id"] = rng.randint(1, 5)
    for name, fields in annotation.items():
        if name.startswith("item") and len(fields.get("bounding_box", [])) == 4:
            fields["bounding_box"][rng.randint(0, 1)] += rng.choice((-1, 1))
            fields["occlusion"] = rng.randint(1, 3)
    return json.dumps(annotation).encode()
