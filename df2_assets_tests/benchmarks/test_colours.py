"""`python -m benchmarks.colours` on a small sample."""

from pathlib import Path

from benchmarks import colours


def test_most_words_are_those_of_the_planted_fabrics_and_add_to_the_ceiling(tmp_path: Path) -> None:
    words, ceilings = colours.measure(tmp_path, images=60)
    plain = words.loc["plain"]
    assert plain["right"].sum() > 4 * plain["wrong"].sum()
    recall = ceilings.set_index(["split", "prompt"])["recall@1"].unstack()
    assert (recall["text_colour"] >= recall["text"]).all()
    assert (recall["text_colour"] > recall["text"]).any()
