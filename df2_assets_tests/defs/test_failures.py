"""What Dagster shows first of a run that failed over something that a person can mend."""

import errno
import os

import pytest

from df2_assets.defs.failures import Failure, explained
from df2_assets.errors import BusyError


@pytest.mark.parametrize(
    ("error", "first"),
    [
        (BusyError("train is being built: wait for it."), "train is being built: wait for it."),
        (OSError(errno.EROFS, os.strerror(errno.EROFS), "/data"), "/data: Read-only file system. "),
    ],
)
def test_cause_and_remedy_are_the_description_and_nothing_is_retried(
    error: Exception, first: str
) -> None:
    with pytest.raises(Failure) as failure, explained():
        raise error
    assert (failure.value.description or "").startswith(first)
    assert not failure.value.allow_retries
