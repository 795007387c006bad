"""How commands end on what a person can mend."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

import click

from df2_assets.errors import Df2Error, StoppedError, explain_os_error


@contextmanager
def short_errors(
    context: click.Context, ending: type[click.ClickException] = click.ClickException
) -> Iterator[None]:
    """End the command with the message of an error that a person can mend, unless `--debug`.

    `ending` says with which exit code.
    """
    try:
        yield
    except (Df2Error, OSError) as error:
        is_closed_pipe = isinstance(error, OSError) and error.errno == errno.EPIPE  # click ends it
        is_debugged = context.find_root().params["debug"] and not isinstance(error, StoppedError)
        if is_closed_pipe or is_debugged:
            raise
        told = explain_os_error(error) if isinstance(error, OSError) else error
        raise ending(str(told)) from error
