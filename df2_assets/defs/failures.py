"""Errors that a person can mend, as failures that Dagster shows with cause and remedy first."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from df2_assets.errors import Df2Error, explain_os_error


class Failure(dg.Failure, dg.DagsterError):
    """A failure that Dagster passes on as it is.

    Being a DagsterError, it is not wrapped in an error that only names the resource or step.
    """


@contextmanager
def explained() -> Iterator[None]:
    """Turn a Df2Error or OSError into a Failure with its message, which is not retried.

    A person has to mend what it says.
    """
    try:
        yield
    except Df2Error as error:
        raise Failure(str(error), allow_retries=False) from error
    except OSError as error:
        raise Failure(str(explain_os_error(error)), allow_retries=False) from error
