"""`df2-assets prompts`: a preview of the prompts that templates give, and of further texts."""

import click

from df2_assets.cli.options import (
    json_option,
    read_command_settings,
    say,
    say_json,
    setting_options,
)
from df2_assets.errors import escape_controls


@click.command()
@setting_options("df2_root", "sku_root", "prompts", "sku_token", "captions")
@json_option
def prompts(as_json: bool) -> None:
    """Show every prompt template with an example, and the keys of further texts.

    \b
    Example: df2-assets prompts --prompts examples/prompts.yaml

    The templates are those of the file in --prompts or DF2_PROMPTS, or else those that the data set
    in SKU_ROOT was last built with; so are SKU texts (--sku-token) and captions (--captions).
    `none` leaves them out.
    """
    settings = read_command_settings()

    from df2_assets.pipeline.declared import read_declared
    from df2_assets.report.summaries import list_prompt_examples

    declared = read_declared(settings)
    examples = list_prompt_examples(declared.texts, declared.declaration.captions_file)
    if as_json:
        kept = "\n".join(declared.notes) or None
        say_json({"prompts": examples.to_dict("records"), "kept": kept})
        return
    for note in declared.notes:
        say(f"note: {note}")
    wide = max(map(len, examples["key"]))
    for key, domain, viewpoint, _, example in examples.itertuples(index=False):
        say(f"{key:<{wide}}  {domain:<9}{viewpoint or ' '}  {escape_controls(example, 300)}")
