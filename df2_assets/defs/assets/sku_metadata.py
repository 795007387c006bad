"""The first contract file: `{split}_sku_metadata.json`."""

import dagster as dg
import pyarrow as pa

from df2_assets.defs.assets.factories import Result, split_asset
from df2_assets.defs.metadata import document_result, fenced_head
from df2_assets.defs.resources import SplitWriter
from df2_assets.pipeline.publishing import publish_metadata


@split_asset(
    group="dataset",
    tags=["contract"],
    description="""
    This file lists the SKUs of a split and their crops in one JSON document.

    `SKU_ROOT/{split}_sku_metadata.json` has `split`, `df2_root`, `out_root`, `num_skus`, and
    `skus`, by `sku_id`. Each SKU has:

    - `pair_id`, `style`, `category_id`, `category_name`
    - `catalog` and `query`, its crops of each `domain`: `crop_path` (relative to `SKU_ROOT`),
      `orig_image_path` (relative to `DF2_ROOT`), `image_id`, `item_idx`, `bbox`
      (`[x1, y1, x2, y2]`, clamped), `occlusion`, `viewpoint`

    It contains only SKUs with at least one crop of each domain on disk. If `DF2_ONLY_PAIRS` is off,
    it also contains those with one domain; the list of the other domain is then empty.
    """,
    numbers={"skus": "SKUs", "crops": "crops of all SKUs", "bytes": "size of the file in bytes"},
    kinds=("json",),
)
def sku_metadata(
    context: dg.AssetExecutionContext,
    output: SplitWriter,
    sku_groups: pa.Table,
    crops: pa.Table,
) -> Result:
    roots, split = output.roots, context.partition_key
    published = publish_metadata(roots, split, sku_groups, crops)
    path = roots.sku_metadata(split)
    head = {"preview": dg.MetadataValue.md(fenced_head(path))}
    return document_result(published, path, head)
