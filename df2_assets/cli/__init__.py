"""The command line: one file a command, each importing what it needs when it runs."""

import io
import os
import sys

import click

from df2_assets import __version__
from df2_assets.cli.build import build
from df2_assets.cli.errors import short_errors
from df2_assets.cli.explain import explain
from df2_assets.cli.export import export
from df2_assets.cli.plan import plan
from df2_assets.cli.prompts import prompts
from df2_assets.cli.refusals import refusals
from df2_assets.cli.report import report
from df2_assets.cli.sample import sample
from df2_assets.cli.score import score
from df2_assets.cli.serve import serve
from df2_assets.cli.ui import ui
from df2_assets.cli.verify import verify


class _Commands(click.Group):
    """Ends in one or two lines, never a traceback, on anything a person can mend."""

    def invoke(self, ctx: click.Context) -> object:
        with short_errors(ctx):
            return super().invoke(ctx)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="df2-assets")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but problems.")
@click.option("-v", "--verbose", is_flag=True, help="Show the log of the runs as well.")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.pass_context
def main(ctx: click.Context, quiet: bool, verbose: bool, debug: bool) -> None:
    """DeepFashion2 as visual SKUs: crops, metadata and prompts.

    The environment says where: DF2_ROOT (the unpacked download), SKU_ROOT (the result), SPLITS.

    \b
    Example: DF2_ROOT=/data/DeepFashion2 SKU_ROOT=/data/skus df2-assets build
    """
    if isinstance(sys.stdout, io.TextIOWrapper):  # what the terminal has no letters for
        sys.stdout.reconfigure(errors="backslashreplace")
    if os.environ.get("NO_COLOR"):
        ctx.color = False


for command in (
    build,
    explain,
    export,
    plan,
    prompts,
    refusals,
    report,
    sample,
    score,
    serve,
    ui,
    verify,
):
    main.add_command(command)
