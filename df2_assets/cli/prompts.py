"""`df2-assets prompts`: what the templates of `DF2_PROMPTS` give, before anything is built."""

from typing import TYPE_CHECKING, Any

import click

from df2_assets.cli.options import json_option, say, say_json, settings_for

if TYPE_CHECKING:
    import pandas as pd


@click.command()
@json_option
def prompts(as_json: bool) -> None:
    """Show every prompt template, by domain and viewpoint, with an example of each.

    \b
    Example: DF2_PROMPTS=examples/prompts.yaml df2-assets prompts

    Reads nothing but that file. Without one there are those of `text` alone.
    """
    settings = settings_for(())

    from df2_assets.report.summaries import prompt_examples
    from df2_assets.settings import read_variants

    examples = prompt_examples(read_variants(settings.prompts))
    if as_json:
        say_json({"prompts": _records(examples)})
    else:
        _show(examples)


def _records(examples: "pd.DataFrame") -> list[dict[str, Any]]:
    return [
        {str(name): value for name, value in row.items()} for row in examples.to_dict("records")
    ]


def _show(examples: "pd.DataFrame") -> None:
    from df2_assets.errors import inert

    wide = max(map(len, examples["key"]))
    for key, domain, viewpoint, _, example in examples.itertuples(index=False):
        say(f"{key:<{wide}}  {domain:<9}{viewpoint}  {inert(example, 300)}")
