"""`df2-assets prompts`: what the templates of `DF2_PROMPTS` give, before anything is built."""

import click

from df2_assets.cli.options import json_option, say, say_json
from df2_assets.errors import escaped
from df2_assets.settings import read_settings


@click.command()
@json_option
def prompts(as_json: bool) -> None:
    """Show every prompt template, by domain and viewpoint, with an example of each.

    \b
    Example: DF2_PROMPTS=examples/prompts.yaml df2-assets prompts

    Reads that file; without one, the templates that the data set in SKU_ROOT was last built with.
    DF2_PROMPTS=none shows those of `text` alone.
    """
    settings = read_settings()

    from df2_assets.pipeline.declared import declared
    from df2_assets.report.summaries import prompt_examples

    prompts = declared(settings)
    examples = prompt_examples(prompts.declaration.variants)
    if as_json:
        say_json({"prompts": examples.to_dict("records"), "kept": prompts.kept})
        return
    if prompts.kept:
        say(f"note: {prompts.kept}")
    wide = max(map(len, examples["key"]))
    for key, domain, viewpoint, _, example in examples.itertuples(index=False):
        say(f"{key:<{wide}}  {domain:<9}{viewpoint}  {escaped(example, 300)}")
