"""`python -m benchmarks.colours` on a small sample."""

from pathlib import Path

import pytest

from benchmarks import colours


@pytest.mark.slow
def test_most_words_are_those_of_the_planted_fabrics_and_distinguish_more(tmp_path: Path) -> None:
    words, ceilings = colours.measure(tmp_path, images=40)
    plain = words.loc["plain"]
    assert plain["right"].sum() > 2 * plain["wrong"].sum()
    of_keys = ceilings.set_index(["split", "prompt"])[["texts", "recall@1"]].unstack()
    for figure in ("texts", "recall@1"):
        assert (of_keys[figure, "text_colour"] >= of_keys[figure, "text"]).all()
