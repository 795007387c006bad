"""What counts as found, as missed and as invented."""

import pandas as pd

from df2_assets.sample.answer_key import Expectation, PlantedDefect
from df2_assets.sample.score import score_checks

CHECK = "image_text/prompt_coverage"
KEY = [
    PlantedDefect(
        "train", "000001", 1, "train/annos/000001.json", "dark", Expectation(checks=(CHECK,))
    )
]
FOUND = {"split": "train", "image_id": "000001", "item_idx": 1, "sku_id": "000001_01_01"}


def invented(*rows: dict[str, object]) -> list[tuple[str, str | None, int | None]]:
    (score,) = score_checks(KEY, {CHECK: pd.DataFrame([FOUND, *rows])}, ["train"])
    assert (score.planted, score.reported) == (1, 1)
    return score.invented


def test_offenders_without_a_file_and_a_sku_are_not_invented() -> None:
    """Combinations of labels that no crop of a small sample has are about the split as a whole."""
    assert invented({"split": "train"}) == []


def test_offenders_that_were_not_planted_are_invented() -> None:
    assert invented(
        {"split": "train", "image_id": "000002", "item_idx": 3},
        {"split": "train", "path": "train/image/x.jpg"},
        {"split": "train", "sku_id": "000009_01_01"},
    ) == [
        ("train", "000002", 3),
        ("train", "000009_01_01", None),
        ("train", "train/image/x.jpg", None),
    ]
