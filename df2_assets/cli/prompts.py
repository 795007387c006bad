"""`df2-assets prompts`: the prompts that templates give, before anything is built."""

import click

from df2_assets.cli.options import json_option, read_given_settings, say, say_json, setting_options
from df2_assets.errors import escaped
from df2_assets.settings import read_variants


@click.command()
@setting_options("prompts")
@json_option
def prompts(as_json: bool) -> None:
    """Show every prompt template, by domain and viewpoint, with an example of each.

    \b
    Example: df2-assets prompts --prompts examples/prompts.yaml

    Reads nothing but the file of --prompts or DF2_PROMPTS. Without it, shows those of `text` alone.
    """
    prompts_file = read_given_settings().prompts

    from df2_assets.report.summaries import prompt_examples

    examples = prompt_examples(read_variants(prompts_file))
    if as_json:
        say_json({"prompts": examples.to_dict("records")})
        return
    wide = max(map(len, examples["key"]))
    for key, domain, viewpoint, _, example in examples.itertuples(index=False):
        say(f"{key:<{wide}}  {domain:<9}{viewpoint}  {escaped(example, 300)}")
