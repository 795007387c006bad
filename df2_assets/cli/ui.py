"""`df2-assets ui`: Dagster's UI and daemon, and the reports that the UI links to."""

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
"""Warnings about what `dagster dev` itself does, before it loads any code of ours."""


@click.command()
@click.option(
    "--port", type=WholeNumber(1, 65535), default=3000, show_default=True, help="Port of the UI."
)
@setting_options("df2_root", "sku_root")
@click.pass_context
def ui(ctx: click.Context, port: int) -> None:
    """Serve Dagster's UI with its daemon, and beside it what `df2-assets serve` does.

    \b
    Example: df2-assets ui --port 3000

    Both answer on 127.0.0.1 alone, the reports at the port of DF2_REPORTS_URL. Ctrl-C ends both.
    """
    from df2_assets.cli.instance import open_instance

    with listening(_HOST, port, "choose another --port"):
        pass  # Dagster says that it serves, whether it can or not
    with open_instance():  # a new DAGSTER_HOME gets its settings before Dagster reads them
        pass
    filters = [*filter(None, [os.environ.get("PYTHONWARNINGS")]), *_FILTERS]
    os.environ["PYTHONWARNINGS"] = ",".join(filters)
    address = ("--host", _HOST, "--port", str(port))
    command = (sys.executable, "-m", "dagster", "dev", *address, "-m", "df2_assets.definitions")
    ctx.invoke(serve, command=command)
