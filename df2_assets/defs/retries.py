"""A disk or network that fails for a moment does not end a run."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import dagster as dg

from df2_assets.defs.failures import convert_errors
from df2_assets.errors import OutputError

TRIES: Final = 3
_SECONDS: Final = 5.0
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
"""What a network file system or a disk says that may answer again in a moment."""


@contextmanager
def retry_transient(context: dg.OpExecutionContext) -> Iterator[None]:
    """Run a step's work again, twice, after an OSError that is TRANSIENT; then raise Failure.

    A Df2Error becomes a Failure immediately.

    Not by a RetryPolicy: with one, Dagster takes a terminated run for a step to be tried again,
    and would try again what only a person can mend.
    """
    with convert_errors():
        try:
            yield
        except OSError as error:
            if error.errno not in TRANSIENT:
                raise
            if context.retry_number + 1 < TRIES:
                context.log.warning(f"Trying again in {_SECONDS:.0f} s: {error}")
                raise dg.RetryRequested(TRIES - 1, _SECONDS) from error
            raise OutputError(
                f"{error}, {TRIES} times in a row: mend the disk or its network, then build again."
            ) from None
