"""A data set with each kind of bad input: each is refused with its reason, the rest is built."""

from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest

from df2_assets.dataset.reasons import Reason
from df2_assets_tests.support import oracle, run
from df2_assets_tests.support.builder import DataSet, truncated, write_pairs
from df2_assets_tests.support.compare import (
    assert_same_output,
    assert_same_refusals,
    metadata,
    refused,
)
from df2_assets_tests.support.planted import PLANTED, SPLIT, image_of, plant, planted_refusals


class Outcome(NamedTuple):
    built: Path
    expected: Path
    refusals: list[oracle.Refusal]


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    base = tmp_path_factory.mktemp("bad_input")
    data = DataSet(base / "df2")
    plant(data)
    refusals = oracle.build(data.root, base / "expected", (SPLIT,))
    result = run.build(data.root, base / "built", (SPLIT,), max_refused=1.0)
    assert result.success, result.problems
    return Outcome(base / "built", base / "expected", refusals)


def test_each_defect_is_one_refusal_with_its_reason_and_nothing_else_is_refused(
    outcome: Outcome,
) -> None:
    """The independent reading finds the same."""
    what = {image_of(number): planted.what for number, planted in enumerate(PLANTED)}
    built = refused(run.read_table(outcome.built, "refusals", SPLIT))
    for refusals in (built, Counter(outcome.refusals)):
        assert_same_refusals(refusals, planted_refusals(), what)


def test_each_refusal_names_its_stage_and_says_in_one_harmless_line_what_is_wrong(
    outcome: Outcome,
) -> None:
    table = run.read_table(outcome.built, "refusals", SPLIT)
    stages = {image_of(number): planted.stage for number, planted in enumerate(PLANTED)}
    named = dict(zip(table["image_id"], table["stage"], strict=True))
    assert named == {refusal.image_id: stages[refusal.image_id] for refusal in planted_refusals()}
    details = table["detail"]
    assert all(isinstance(detail, str) and detail.strip() for detail in details)
    assert [detail for detail in details if not detail.isprintable()] == []


def test_everything_that_is_not_refused_is_built(outcome: Outcome) -> None:
    """This includes good items next to a refused one, but no SKU whose only query is refused."""
    assert_same_output(outcome.built, outcome.expected)
    skus = metadata(outcome.built, SPLIT)["skus"]
    for number, planted in enumerate(PLANTED):
        neighbour = skus.get(f"{number + 1:06d}_01_01")
        assert neighbour, planted.what
        indexes = {index for index, _ in planted.refused}
        if indexes:
            assert f"{number + 1:06d}_02_08" not in skus, planted.what
        if indexes and not indexes & {None, 1}:
            queries = {crop["image_id"] for crop in neighbour["query"]}
            assert image_of(number) in queries, planted.what


def test_several_of_each_reason_are_planted() -> None:
    counts = Counter(reason for planted in PLANTED for _, reason in planted.refused)
    assert {reason for reason, count in counts.items() if count >= 2} == set(Reason)


def test_if_all_images_are_truncated_the_build_fails_and_names_files(
    tmp_path: Path,
) -> None:
    """Their headers are intact, so that nothing is refused before the crops are cut."""
    data = write_pairs(tmp_path / "df2", 40, size=(160, 120))
    for path in (data.root / "train" / "image").iterdir():
        content = truncated(path.read_bytes())
        path.unlink()
        path.write_bytes(content)
    result = run.build(data.root, tmp_path / "sku")
    assert not result.success
    (problem,) = result.problems
    assert "crops: all_refusals_within_limit: " in problem
    assert "Refused: 40 of 40 images" in problem
    assert not (tmp_path / "sku" / "train_sku_metadata.json").exists()
