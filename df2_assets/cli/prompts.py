"""`df2-assets prompts`: what the templates of `DF2_PROMPTS` give, before anything is built."""

import click

from df2_assets.cli.options import json_option, say, say_json
from df2_assets.errors import escaped
from df2_assets.settings import read_settings, read_variants


@click.command()
@json_option
def prompts(as_json: bool) -> None:
    """Show every prompt template, by domain and viewpoint, with an example of each.

    \b
    Example: DF2_PROMPTS=examples/prompts.yaml df2-assets prompts

    Reads nothing but that file. Without one there are those of `text` alone.
    """
    prompts_file = read_settings().prompts

    from df2_assets.report.summaries import prompt_examples

    examples = prompt_examples(read_variants(prompts_file))
    if as_json:
        say_json({"prompts": examples.to_dict("records")})
        return
    wide = max(map(len, examples["key"]))
    for key, domain, viewpoint, _, example in examples.itertuples(index=False):
        say(f"{key:<{wide}}  {domain:<9}{viewpoint}  {escaped(example, 300)}")
