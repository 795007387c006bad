"""The templates and captions that people write for further texts; this asset observes them."""

from typing import Any

import dagster as dg

from df2_assets.defs.assets.factories import source_asset
from df2_assets.defs.metadata import preview
from df2_assets.defs.resources import PromptTemplates
from df2_assets.defs.runs.history import TEMPLATES
from df2_assets.report.summaries import list_prompt_examples


def observe(context: dg.OpExecutionContext, prompts: PromptTemplates) -> dg.ObserveResult:
    """Return a data version of what the files say, and what each template gives."""
    return dg.ObserveResult(
        data_version=dg.DataVersion(prompts.texts.version),
        metadata=prompts.metadata | describe_texts(prompts),
    )


def describe_texts(prompts: PromptTemplates) -> dict[str, Any]:
    """Return the keys of all texts, and every template and caption key with an example.

    There is nothing for the contract's prompts alone, which the description of `image_text` shows.
    """
    if not prompts.texts.keys:
        return {}
    examples = list_prompt_examples(prompts.texts, prompts.captions_file)
    return {
        "keys": ", ".join(("text", *prompts.texts.keys)),
        "prompts": preview(examples, limit=len(examples)),
    }


prompt_templates = source_asset(
    TEMPLATES,
    observe,
    group="dataset",
    description="""
    These are the templates of your own prompts, from the file that `DF2_PROMPTS` names.

    With them belong the captions in the file of `DF2_CAPTIONS` and the SKU texts of
    `DF2_SKU_TOKEN`. `image_text` writes all of these texts in addition to those of the contract.
    The files are only observed, never written. The data version changes with the templates, but not
    with comments, and with every byte of the captions. If a file cannot be used, the observation
    fails and says why. If a setting is not set, its texts are as in the last build; `none` drops
    them.
    """,
    kinds=("yaml",),
)
