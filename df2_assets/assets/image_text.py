"""The second contract file: `{split}_image_text.jsonl`."""

import dagster as dg

from df2_assets.assets.split_asset import Result, split_asset
from df2_assets.pipeline.publishing import publish_image_text
from df2_assets.presentation import document_result
from df2_assets.resources import SplitWriter


@split_asset(
    group="dataset",
    description="""
    One line a crop: its SKU, domain, paths, box, occlusion, viewpoint, and `text`, the prompt
    that its category, domain, occlusion and viewpoint give. Sorted by SKU id, catalog before
    query, image id, item. When it is written the split is complete.
    """,
    kinds=("json",),
    deps=["sku_metadata"],
)
def image_text(context: dg.AssetExecutionContext, output: SplitWriter) -> Result:
    roots, split = output.roots, context.partition_key
    return document_result(publish_image_text(roots, split), roots.image_text(split))
