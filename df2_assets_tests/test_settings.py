"""What the environment says is what counts, down to nought."""

import pytest

from df2_assets.settings import read_settings


@pytest.mark.parametrize(("said", "share"), [("0", 0.0), ("0.05", 0.05), ("1", 1.0), (" ", 0.01)])
def test_the_share_that_may_be_refused_is_the_one_that_was_given(said: str, share: float) -> None:
    assert read_settings({"DF2_MAX_REFUSED": said}).max_refused == share
    assert read_settings({}).max_refused == 0.01
