"""`df2-assets ui`: Dagster's UI and daemon, and the server of the reports that the UI links to."""

import os
import sys
from typing import Final

import click

from df2_assets.cli.options import WholeNumber, setting_options
from df2_assets.cli.serve import listening, serve

_HOST: Final = "127.0.0.1"

_FILTERS: Final = (
    "ignore:Function `dev_command` is superseded",  # `dg dev` needs a project around it
    "ignore:Parameter `include_sources` of function `AssetSelection.all`",
)
"""Warnings about what `dagster dev` does itself, before it loads the code of this project."""


@click.command()
@click.option(
    "--port",
    type=WholeNumber(1, 65535),
    metavar="PORT",
    default=3000,
    show_default=True,
    help="Port of the UI.",
)
@setting_options("df2_root", "sku_root")
@click.pass_context
def ui(ctx: click.Context, port: int) -> None:
    """Start Dagster's UI and daemon, and serve the reports.

    \b
    Example: df2-assets ui --port 3000

    Both are reachable only from this machine (127.0.0.1). The reports, as in `df2-assets serve`,
    are on the port of DF2_REPORTS_URL. Ctrl-C stops both.
    """
    from df2_assets.cli.instance import open_instance

    with listening(_HOST, port, "choose another --port"):
        pass  # Dagster claims to serve even if the port is in use
    with open_instance():  # gives a new DAGSTER_HOME its dagster.yaml before Dagster reads it
        pass
    filters = [*filter(None, [os.environ.get("PYTHONWARNINGS")]), *_FILTERS]
    os.environ["PYTHONWARNINGS"] = ",".join(filters)
    address = ("--host", _HOST, "--port", str(port))
    command = (sys.executable, "-m", "dagster", "dev", *address, "-m", "df2_assets.definitions")
    ctx.invoke(serve, command=command)
