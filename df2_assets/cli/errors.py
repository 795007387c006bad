"""How commands end on what a person can mend."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

import click

from df2_assets.cli.options import with_options
from df2_assets.errors import Df2Error, explain_os_error


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
        if is_closed_pipe or context.find_root().params["debug"]:
            raise
        told = explain_os_error(error) if isinstance(error, OSError) else error
        raise ending(with_options(str(told))) from error
