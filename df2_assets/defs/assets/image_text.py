"""The second contract file: `{split}_image_text.jsonl`."""

import dagster as dg

from df2_assets.dataset.documents import image_text_schema
from df2_assets.dataset.prompts import version
from df2_assets.defs.assets.factories import Result, record_source, split_asset
from df2_assets.defs.assets.prompt_templates import examples_of
from df2_assets.defs.metadata import columns, document_result
from df2_assets.defs.resources import PromptTemplates, SplitWriter
from df2_assets.defs.runs.history import TEMPLATES
from df2_assets.pipeline.publishing import publish_image_text


@split_asset(
    group="dataset",
    tags=["contract"],
    description="""
    Every crop with its prompt, as JSON lines.

    `SKU_ROOT/{split}_image_text.jsonl` has one JSON object per crop, with these keys in order:

    - `split`, `sku_id`, `pair_id`, `style`, `category_id`, `category_name`: which garment
    - `domain`: `catalog` or `query`
    - `image_path`: the crop, relative to `SKU_ROOT`; `orig_image_path`: its image, relative to
      `DF2_ROOT`
    - `image_id`, `item_idx`, `bbox` (`[x1, y1, x2, y2]`, clamped), `occlusion`, `viewpoint`
    - `text`: the prompt that its domain, category, occlusion and viewpoint give
    - after it, the prompts of `DF2_PROMPTS`, where that is set

    Sorted by SKU id, catalog before query, image id, item. When it is written the split is
    complete.
    """,
    kinds=("json",),
    deps=["sku_metadata", TEMPLATES],
)
def image_text(
    context: dg.AssetExecutionContext, output: SplitWriter, prompts: PromptTemplates
) -> Result:
    roots, split, variants = output.roots, context.partition_key, prompts.variants
    published = publish_image_text(roots, split, variants)
    metadata = examples_of(variants)
    tags = record_source(context, TEMPLATES, version(variants), metadata=metadata)
    if variants:  # else the columns are those of the asset
        metadata |= columns(image_text_schema(variant.key for variant in variants))
    return document_result("image_text", published, roots.image_text(split), metadata, tags)
