"""Retries of steps: a disk or network that fails for a moment does not end a run."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import dagster as dg

from df2_assets.defs.failures import convert_errors
from df2_assets.errors import OutputError

TRIES: Final = 3
_DELAY: Final = 5.0
"""Seconds between two tries."""

TRANSIENT: Final = {
    errno.EAGAIN,
    errno.EBUSY,
    errno.ECONNABORTED,
    errno.ECONNRESET,
    errno.EHOSTDOWN,
    errno.EHOSTUNREACH,
    errno.EIO,
    errno.ENETDOWN,
    errno.ENETRESET,
    errno.ENETUNREACH,
    errno.ESTALE,
    errno.ETIMEDOUT,
}
"""Errors of a disk or a network file system that may be gone in a moment."""


@contextmanager
def retry_transient(context: dg.OpExecutionContext) -> Iterator[None]:
    """Retry a step after an OSError in TRANSIENT, up to TRIES in all; then raise Failure.

    A Df2Error becomes a Failure immediately. A RetryPolicy would also retry a run that somebody
    terminated, and errors that only a person can fix.
    """
    with convert_errors():
        try:
            yield
        except OSError as error:
            if error.errno not in TRANSIENT:
                raise
            if context.retry_number + 1 < TRIES:
                context.log.warning(f"Trying again in {_DELAY:.0f} s: {error}")
                raise dg.RetryRequested(TRIES - 1, _DELAY) from error
            raise OutputError(
                f"{error}, {TRIES} times in a row: fix the disk or its network, then build again."
            ) from None
