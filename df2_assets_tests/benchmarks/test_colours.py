"""`python -m benchmarks.colours`: the words on a small sample, and the ceiling of prompts."""

from pathlib import Path

import pandas as pd

from benchmarks import colours

SPLIT = "train"


def test_most_words_for_plain_garments_are_those_of_the_planted_fabrics(tmp_path: Path) -> None:
    words, ceilings = colours.measure(tmp_path, images=40)
    plain = words.loc["plain"]
    assert plain["right"].sum() > 2 * plain["wrong"].sum()
    assert ceilings["texts"].gt(0).all()


def test_the_ceiling_counts_the_skus_that_share_a_text() -> None:
    """Of seven query crops, four show vests and three dresses. Catalog crops do not count."""
    skus = ["a", "a", "a", "b", "c", "d", "e"]
    queries = pd.DataFrame({"sku_id": skus, "text": ["vest"] * 4 + ["dress"] * 3})
    queries["text_colour"] = ["red vest"] * 3 + ["vest", "red dress", "blue dress", "dress"]
    catalog = queries.assign(domain="catalog", sku_id="z")
    lines = pd.concat([queries.assign(domain="query"), catalog]).assign(split=SPLIT)
    ceilings = colours.compare_ceilings(lines).set_index("prompt")
    assert ceilings["recall@1"].to_dict() == {"text": round(4 / 7, 3), "text_colour": 1}
    assert ceilings["recall@5"].to_dict() == {"text": 1, "text_colour": 1}
