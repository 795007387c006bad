"""The first contract file: `{split}_sku_metadata.json`."""

import dagster as dg
import pyarrow as pa

from df2_assets.assets.split_asset import Result, split_asset
from df2_assets.pipeline.publishing import publish_metadata
from df2_assets.presentation import document_result
from df2_assets.resources import SplitWriter
from df2_assets.store import tables


@split_asset(
    group="dataset",
    description="""
    One JSON document a split: `split`, `df2_root`, `out_root`, `num_skus` and `skus`, by SKU
    id, each with its `pair_id`, `style`, `category_id`, `category_name` and its `catalog` and
    `query` crops (`crop_path`, `orig_image_path`, `image_id`, `item_idx`, `bbox`, `occlusion`,
    `viewpoint`). Only SKUs with a crop of both domains on disk are in it.
    """,
    kinds=("json",),
)
def sku_metadata(
    context: dg.AssetExecutionContext,
    output: SplitWriter,
    sku_groups: pa.Table,
    crops: pa.Table,
) -> Result:
    roots, split = output.roots, context.partition_key
    published = publish_metadata(roots, split, tables.frame(sku_groups), tables.frame(crops))
    return document_result(published, roots.sku_metadata(split))
