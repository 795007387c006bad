"""The command line: one file a command, each importing what it needs when it runs."""

import io
import os
import sys

import click

from df2_assets import __version__
from df2_assets.cli.build import build
from df2_assets.cli.errors import error_document, short_errors
from df2_assets.cli.explain import explain
from df2_assets.cli.export import export
from df2_assets.cli.options import say_json
from df2_assets.cli.plan import plan
from df2_assets.cli.prompts import prompts
from df2_assets.cli.refusals import refusals
from df2_assets.cli.report import report
from df2_assets.cli.sample import sample
from df2_assets.cli.score import score
from df2_assets.cli.serve import serve
from df2_assets.cli.status import status
from df2_assets.cli.ui import ui
from df2_assets.cli.verify import verify

_JSON = "df2_assets.json"


class _Commands(click.Group):
    """Ends in one or two lines, never a traceback, on anything a person can mend.

    With `--json`, such an error is a JSON document on standard output as well.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        own = args[: args.index("--")] if "--" in args else args
        ctx.meta[_JSON] = "--json" in own  # of an option that is wrong, nothing else is left
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        try:
            with short_errors(ctx):
                return super().invoke(ctx)
        except click.ClickException as error:
            if ctx.meta[_JSON]:
                say_json(error_document(error))
            raise


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="df2-assets")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but problems.")
@click.option("-v", "--verbose", is_flag=True, help="Show the log of the runs as well.")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.pass_context
def main(ctx: click.Context, quiet: bool, verbose: bool, debug: bool) -> None:
    """DeepFashion2 as visual SKUs: crops, metadata and prompts.

    Options of a command, or the environment, say where: --df2-root or DF2_ROOT (the unpacked
    download), --sku-root or SKU_ROOT (the result), --split or SPLITS.

    \b
    Example: df2-assets build --df2-root /data/DeepFashion2 --sku-root /data/skus
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
    status,
    ui,
    verify,
):
    main.add_command(command)
