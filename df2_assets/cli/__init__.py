"""The command line: one file a command, each importing what it needs when it runs."""

import click

from df2_assets import __version__
from df2_assets.cli.build import build
from df2_assets.cli.sample import sample
from df2_assets.errors import Df2Error


class _Commands(click.Group):
    """Ends in one or two lines, never a traceback, on anything a person can mend."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except Df2Error as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="df2-assets")
def main() -> None:
    """DeepFashion2 as visual SKUs: crops, metadata and prompts.

    The environment says where: DF2_ROOT (the unpacked download), SKU_ROOT (the result).
    """


main.add_command(build)
main.add_command(sample)
