"""The texts that name their SKU: the share of train rows that do, and the form of the text."""

import json

import numpy as np
import pyarrow as pa
import pytest

from df2_assets.dataset.composing import compose_lines
from df2_assets.dataset.prompts import SkuToken, Subject, Texts, prompt
from df2_assets.dataset.tables import SKU_GROUPS
from df2_assets.dataset.taxonomy import SPLITS

ROWS = 50_000


def crops(split: str) -> pa.Table:
    """Return rows of `sku_groups`: five crops per SKU, with all labels."""
    number = np.arange(ROWS)
    sku_ids = [f"{1 + n // 5:06d}_02_08" for n in number]
    domains = np.where(number % 5 < 2, "catalog", "query")
    paths = [
        f"{split}/{domain}/{sku_id}/{n:06d}_item1.jpg"
        for domain, sku_id, n in zip(domains, sku_ids, number, strict=True)
    ]
    columns = {
        "split": [split] * ROWS,
        "sku_id": sku_ids,
        "pair_id": 1 + number // 5,
        "style": np.full(ROWS, 2),
        "category_id": np.full(ROWS, 8),
        "category_name": ["trousers"] * ROWS,
        "domain": domains,
        "image_id": [f"{n:06d}" for n in number],
        "item_idx": np.ones(ROWS),
        "occlusion": 1 + number % 3,
        "viewpoint": 1 + number // 3 % 3,
        "crop_path": paths,
        "orig_image_path": [f"{split}/image/{n:06d}.jpg" for n in number],
    }
    others = {field.name: np.ones(ROWS) for field in SKU_GROUPS if field.name not in columns}
    return pa.table(
        {field.name: pa.array((columns | others)[field.name]) for field in SKU_GROUPS}
    ).cast(SKU_GROUPS)


def texts(split: str, dropout: float) -> list[dict[str, str]]:
    composed = compose_lines(crops(split), Texts(sku_token=SkuToken(dropout)))
    return [json.loads(line) for line in composed.splitlines()]


def recipe(line: dict[str, str]) -> str:
    """Return the training text of the original recipe."""
    return f"{line['text']} (style {line['style']}, SKU {line['sku_id']})"


@pytest.mark.parametrize(("dropout", "share"), [(0.5, 0.5), (0.2, 0.8), (0.0, 1.0), (1.0, 0.0)])
def test_train_rows_name_their_sku_with_the_probability_that_the_dropout_leaves(
    dropout: float, share: float
) -> None:
    lines = texts("train", dropout)
    named = [line for line in lines if line["text_sku"] != line["text"]]
    assert abs(len(named) / ROWS - share) <= (0.01 if 0 < dropout < 1 else 0)
    assert all(line["text_sku"] == recipe(line) for line in named)


@pytest.mark.parametrize("split", [split for split in SPLITS if split != "train"])
@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_no_row_of_another_split_names_its_sku(split: str, dropout: float) -> None:
    assert [line for line in texts(split, dropout) if line["text_sku"] != line["text"]] == []


def test_the_same_rows_name_their_sku_in_every_build() -> None:
    table, rule = crops("train"), Texts(sku_token=SkuToken(0.5))
    whole = compose_lines(table, rule)
    assert compose_lines(table, rule) == whole
    parts = [compose_lines(table.slice(start, 7000), rule) for start in range(0, ROWS, 7000)]
    assert b"".join(parts) == whole


def test_a_smaller_dropout_only_adds_rows() -> None:
    shares = [
        {line["image_path"] for line in texts("train", dropout) if line["text_sku"] != line["text"]}
        for dropout in (0.6, 0.5, 0.4)
    ]
    assert shares[0] < shares[1] < shares[2]


def test_the_path_of_the_crop_decides() -> None:
    """The expected values are fixed: they must never change, on any machine."""
    rule = SkuToken(0.5)
    labels = ("query", "vest", 1, 2)
    decisions = [
        rule.prompt(Subject(f"train/query/000001_01_05/{n:06d}_item1.jpg", "a", 1, *labels))
        != prompt(*labels)
        for n in range(20)
    ]
    assert "".join(str(int(named)) for named in decisions) == "10110101110011110010"


def test_the_text_is_that_of_the_original_recipe() -> None:
    path = "train/query/000001_01_05/000002_item1.jpg"
    crop = Subject(path, "000001_01_05", 1, "query", "vest", 2, 2)
    assert SkuToken(0.0).prompt(crop) == (
        "A user photo of a person wearing a partially occluded vest from the front. "
        "(style 1, SKU 000001_01_05)"
    )
