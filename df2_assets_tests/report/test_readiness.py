"""The assessment of a split as a retrieval benchmark."""

from itertools import permutations
from random import Random

import pandas as pd
import pytest

from df2_assets.dataset.skus import group
from df2_assets.report.readiness import (
    Readiness,
    assess_readiness,
    compute_ceiling,
    describe_verdict,
)

NOTHING = pd.DataFrame({"crop_path": [], "kind": []})


def index(rows: list[tuple[str, int, int, int, int]]) -> pd.DataFrame:
    """Return items of category 1 as (source, pair, style, occlusion, viewpoint), one per image."""
    found = pd.DataFrame(rows, columns=["source", "pair_id", "style", "occlusion", "viewpoint"])
    return found.assign(
        split="train",
        image_id=[f"{number:06d}" for number in range(len(rows))],
        item_idx=1,
        category_id=1,
        category_name="vest",
        x1=0,
        y1=0,
        x2=9,
        y2=9,
        width=10,
        height=10,
        scale=2,
        zoom_in=1,
        reason=None,
    )


def judged(
    items: pd.DataFrame, alike: pd.DataFrame = NOTHING, *, only_pairs: bool = True
) -> Readiness:
    crops = group(items, only_pairs=only_pairs)
    texts = crops[["sku_id", "domain"]].assign(text=crops["domain"] + " photo")
    return assess_readiness(items, crops, texts, alike)


@pytest.fixture
def items() -> pd.DataFrame:
    """Return two SKUs, and user and shop items without a counterpart."""
    first = [("shop", 1, 1, 1, 2), ("shop", 1, 1, 1, 2), ("user", 1, 1, 3, 2)]
    second = [
        ("shop", 2, 1, 1, 2),
        ("user", 2, 1, 1, 2),
        ("user", 2, 1, 3, 3),
        ("user", 2, 1, 1, 2),
    ]
    alone = [("user", 3, 1, 1, 2), ("user", 3, 1, 1, 2), ("shop", 4, 1, 1, 2), ("user", 5, 0, 1, 2)]
    return index(first + second + alone)


def test_queries_answers_and_what_has_no_counterpart_are_counted(items: pd.DataFrame) -> None:
    numbers = judged(items).numbers
    assert (numbers["paired_skus"], numbers["queries"]) == (2, 4)
    assert numbers["answers_per_query"] == (2 + 3 * 1) / 4
    assert numbers["queries_without_answer"] == 2, "style 0 asks for nothing"
    assert numbers["catalog_without_query"] == 1


def test_skus_with_one_domain_are_counted_and_not_assessed(items: pd.DataFrame) -> None:
    kept, left_out = judged(items, only_pairs=False), judged(items)
    assert (kept.numbers["unpaired_skus"], left_out.numbers["unpaired_skus"]) == (2, 0)
    assert kept.numbers | {"unpaired_skus": 0, "skus_per_prompt": 2.0} == left_out.numbers
    assert kept.balance.equals(left_out.balance)


def test_the_gap_is_the_share_of_crops_that_would_have_to_change(items: pd.DataFrame) -> None:
    found = judged(items)
    assert found.numbers["occlusion_gap"] == 0.5
    assert found.numbers["viewpoint_gap"] == 0.25
    heavy = found.balance[found.balance["label"] == "heavy"]
    assert heavy[["catalog", "query"]].to_numpy().tolist() == [[0.0, 0.5]]


def test_labels_that_are_not_given_have_a_share_of_their_own(items: pd.DataFrame) -> None:
    before = judged(items).balance
    assert "not given" not in set(before["label"])
    assert set(before["kind"]) == {"occlusion", "viewpoint", "scale", "zoom_in"}
    scales = [None if source == "user" else 2 for source in items["source"]]
    ready = judged(items.assign(scale=pd.array(scales, "Int8")))
    rows = ready.balance[ready.balance["kind"] == "scale"]
    assert rows[["label", "catalog", "query"]].to_numpy().tolist() == [
        ["small", 0.0, 0.0],
        ["modest", 1.0, 0.0],
        ["large", 0.0, 0.0],
        ["not given", 0.0, 1.0],
    ]
    assert ready.numbers["scale_gap"] == 1
    assert ready.numbers["zoom_in_gap"] == 0


def test_prompts_are_listed_with_the_skus_that_share_them(items: pd.DataFrame) -> None:
    found = judged(items)
    assert found.prompts.to_dict("list") == {
        "text": ["catalog photo", "query photo"],
        "skus": [2, 2],
        "crops": [3, 4],
    }
    assert found.numbers["skus_per_prompt"] == 2


def test_the_ceiling_is_that_of_the_best_ranking(items: pd.DataFrame) -> None:
    """One query crop is of the first SKU and three are of the second, all with one text."""
    ready = judged(items)
    assert [ready.numbers[f"text_ceiling@{k}"] for k in (1, 5, 10)] == [3 / 4, 1, 1]
    assert ready.ceilings.to_dict("records") == [
        {"key": "text", "prompts": 2, "skus_per_prompt": 2, "@1": 0.75, "@5": 1, "@10": 1}
    ]


def test_each_key_with_prompts_has_its_ceiling(items: pd.DataFrame) -> None:
    crops = group(items)
    texts = crops[["sku_id", "domain"]].assign(text="a photo", text_long="photo " + crops["sku_id"])
    ready = assess_readiness(items, crops, texts, NOTHING)
    assert ready.ceilings["key"].tolist() == ["text", "text_long"]
    assert ready.ceilings["@1"].tolist() == [0.75, 1]
    assert ready.numbers["text_ceiling@1"] == 0.75


@pytest.mark.parametrize("k", [1, 2, 3])
def test_the_ceiling_agrees_with_trying_every_ranking(k: int) -> None:
    rng = Random(k)
    for _ in range(50):
        crops = [
            (
                f"sku {rng.randrange(4)}",
                rng.choice(("query", "query", "catalog")),
                rng.choice("abc"),
            )
            for _ in range(rng.randrange(1, 25))
        ]
        queries = [(sku, text) for sku, domain, text in crops if domain == "query"]
        skus = sorted({sku for sku, _, _ in crops})
        best = sum(
            max(
                sum(text == asked and sku in ranking[:k] for sku, text in queries)
                for ranking in permutations(skus)
            )
            for asked in "abc"
        )
        texts = pd.DataFrame(crops, columns=["sku_id", "domain", "text"])
        expected = round(best / len(queries), 4) if queries else 0
        assert compute_ceiling(texts, "text", k) == expected


def test_query_crops_without_a_text_do_not_count() -> None:
    rows = [("1", "query", "a"), ("2", "query", "b"), ("3", "query", None)]
    texts = pd.DataFrame(rows, columns=["sku_id", "domain", "text"])
    assert compute_ceiling(texts, "text", 1) == 1


def test_only_pairs_across_splits_leak(items: pd.DataFrame) -> None:
    kinds = ["across splits", "across splits", "within a SKU"]
    alike = pd.DataFrame({"crop_path": ["a", "a", "b"], "kind": kinds})
    found = judged(items, alike)
    assert found.numbers["leaking_crops"] == 1
    assert len(found.leaks) == 2


def test_an_empty_split_has_zeros() -> None:
    found = judged(index([("user", 1, 1, 1, 1)]).iloc[:0])
    assert set(found.numbers.values()) == {0}
    assert found.balance[["catalog", "query"]].to_numpy().sum() == 0


LEAKS = pd.DataFrame({"crop_path": ["a", "a", "b"], "kind": ["across splits"] * 3})
STATES = {"passed": 5, "warned": 0, "failed": 0}


@pytest.mark.parametrize(
    ("leaks", "not_compared", "states", "answer"),
    [
        (NOTHING, (), {}, "Yes: no picture is in another split, all 5 checks passed."),
        (NOTHING, (), {"warned": 2}, "Yes, with doubts: 2 checks warned."),
        (NOTHING, ("train",), {}, "Not known yet: it is not compared with train."),
        (
            NOTHING,
            ("train", "test"),
            {"warned": 1},
            "Not known yet: it is not compared with train and test, 1 check warned.",
        ),
        (LEAKS, (), {}, "Not yet: 2 crops with a picture that another split has."),
        (
            LEAKS,
            ("test",),
            {"failed": 1},
            "Not yet: 1 check failed, 2 crops with a picture that another split has, "
            "it is not compared with test.",
        ),
    ],
)
def test_the_question_is_answered_in_a_sentence(
    items: pd.DataFrame,
    leaks: pd.DataFrame,
    not_compared: tuple[str, ...],
    states: dict[str, int],
    answer: str,
) -> None:
    crops = group(items)
    texts = crops[["sku_id", "domain"]].assign(text="a photo")
    found = assess_readiness(items, crops, texts, leaks, not_compared)
    assert (
        describe_verdict(found, STATES | states) == f"{answer} 4 queries of 2 SKUs can be answered."
    )


def test_a_split_without_skus_is_not_ready() -> None:
    found = judged(index([("user", 1, 1, 1, 1)]).iloc[:0])
    assert describe_verdict(found, STATES) == "No: no SKU has both a catalog and a query crop."


def test_zero_leaks_are_not_reported_until_every_split_was_compared(items: pd.DataFrame) -> None:
    crops = group(items)
    texts = crops[["sku_id", "domain"]].assign(text="a photo")
    numbers = [
        assess_readiness(items, crops, texts, leaks, not_compared).numbers.get("leaking_crops")
        for leaks, not_compared in ((NOTHING, ()), (NOTHING, ("train",)), (LEAKS, ("train",)))
    ]
    assert numbers == [0, None, 2]
