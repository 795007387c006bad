"""Errors that the user can fix: how commands report them."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

import click

from df2_assets.cli.options import with_options
from df2_assets.errors import Df2Error, StoppedError, explain_os_error


@contextmanager
def short_errors(
    context: click.Context, ending: type[click.ClickException] = click.ClickException
) -> Iterator[None]:
    """End the command with the message of an error that the user can fix, unless `--debug`.

    `ending` sets the exit code.
    """
    try:
        yield
    except (Df2Error, OSError) as error:
        is_closed_pipe = isinstance(error, OSError) and error.errno == errno.EPIPE  # click ends it
        is_debugged = context.find_root().params["debug"] and not isinstance(error, StoppedError)
        if is_closed_pipe or is_debugged:
            raise
        message = str(explain_os_error(error) if isinstance(error, OSError) else error)
        raise ending(with_options(message)) from error


def error_document(error: click.ClickException) -> dict[str, dict[str, str]]:
    """Return an error as JSON. Its kind is the name of a class in `errors` or in click."""
    cause = error.__cause__
    if isinstance(cause, OSError):
        cause = explain_os_error(cause)
    kind = type(cause if isinstance(cause, Df2Error) else error).__name__
    return {"error": {"kind": kind, "message": error.format_message()}}
