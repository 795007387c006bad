"""The templates of further prompts. People write them; this asset observes them."""

from typing import Any

import dagster as dg

from df2_assets.dataset.prompts import Variant, version
from df2_assets.defs.assets.factories import source_asset
from df2_assets.defs.metadata import preview
from df2_assets.defs.resources import PromptTemplates
from df2_assets.defs.runs.history import TEMPLATES
from df2_assets.report.summaries import list_prompt_examples


def observe(context: dg.OpExecutionContext, prompts: PromptTemplates) -> dg.ObserveResult:
    """Return a data version of what the file says, and what each template gives."""
    variants = prompts.variants
    return dg.ObserveResult(
        data_version=dg.DataVersion(version(variants)),
        metadata=prompts.metadata | describe_prompts(variants),
    )


def describe_prompts(variants: tuple[Variant, ...]) -> dict[str, Any]:
    """Return every template with an example; nothing where there is only the contract's.

    The description of `image_text` says all of that one: no event need repeat it.
    """
    if not variants:
        return {}
    examples = list_prompt_examples(variants)
    return {"prompts": preview(examples, limit=len(examples))}


prompt_templates = source_asset(
    TEMPLATES,
    observe,
    group="dataset",
    description="""
    These are the templates of your own prompts, from the file that `DF2_PROMPTS` names.

    `image_text` writes these prompts in addition to those of the contract. The file is only
    observed, never written. The data version changes with the templates, but not with comments in
    the file. If the file cannot be used, the observation fails and says why. If `DF2_PROMPTS` is
    not set, the templates of the last build stay in use; `none` drops them.
    """,
    kinds=("yaml",),
)
