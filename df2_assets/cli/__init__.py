"""The command line: one file per command. A command imports what it needs when it runs."""

import io
import os
import sys

import click

from df2_assets import __version__
from df2_assets.cli.benchmark import benchmark
from df2_assets.cli.build import build
from df2_assets.cli.embed import embed
from df2_assets.cli.errors import error_document, short_errors
from df2_assets.cli.evaluate import evaluate
from df2_assets.cli.explain import explain
from df2_assets.cli.export import export
from df2_assets.cli.labels import labels
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
from df2_assets.cli.variants import variants
from df2_assets.cli.verify import verify

_JSON = "df2_assets.json"


class _Commands(click.Group):
    """The commands, which report an error that the user can fix in one or two lines.

    With `--json`, the error is also a JSON document on standard output.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        own = args[: args.index("--")] if "--" in args else args
        ctx.meta[_JSON] = "--json" in own  # a wrong option ends parsing before the command
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
@click.option("-q", "--quiet", is_flag=True, help="Print only problems.")
@click.option("-v", "--verbose", is_flag=True, help="Also print the log of the runs.")
@click.option("--debug", is_flag=True, help="Print the traceback of an error.")
@click.pass_context
def main(ctx: click.Context, quiet: bool, verbose: bool, debug: bool) -> None:
    """Build visual SKUs from DeepFashion2: crops, metadata and prompts.

    Set DF2_ROOT to the unpacked download and SKU_ROOT to the output folder, or use the options
    --df2-root and --sku-root of a command. SPLITS or --split selects the splits.

    \b
    Example: df2-assets build --df2-root /data/DeepFashion2 --sku-root /data/skus
    """
    if isinstance(sys.stdout, io.TextIOWrapper):  # for characters that the terminal cannot show
        sys.stdout.reconfigure(errors="backslashreplace")
    if os.environ.get("NO_COLOR"):
        ctx.color = False


for command in (
    benchmark,
    build,
    embed,
    evaluate,
    explain,
    export,
    labels,
    plan,
    prompts,
    refusals,
    report,
    sample,
    score,
    serve,
    status,
    ui,
    variants,
    verify,
):
    main.add_command(command)
