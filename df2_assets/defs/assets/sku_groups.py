"""The table of crops to make, grouped into visual SKUs."""

import dagster as dg
import pyarrow as pa

from df2_assets.checks.finding import number_of
from df2_assets.dataset.skus import group_index
from df2_assets.defs.assets.factories import Result, split_asset
from df2_assets.defs.metadata import preview_entry, table_result
from df2_assets.defs.resources import SplitWriter
from df2_assets.pipeline.changes import compare_tables
from df2_assets.report.summaries import count_by_category
from df2_assets.store import tables


@split_asset(
    group="dataset",
    description="""
    This table lists the crops to make, grouped into visual SKUs.

    It has one row per crop. A visual SKU is `(pair_id, style, category_id)` with `style > 0`, and
    it is kept only with at least one `shop` item (**catalog**) and one `user` item (**query**).
    `x1` to `y2` are the box to cut, and `anno_x1` to `anno_y2` the annotated box. Rows are sorted
    by SKU id, domain, image id and item.
    """,
    numbers={"skus": "visual SKUs", "crops": "crops to make"},
    rules="2",
)
def sku_groups(
    context: dg.AssetExecutionContext, output: SplitWriter, raw_annotation_index: pa.Table
) -> Result:
    roots, split = output.roots, context.partition_key
    before = tables.find(roots, "sku_groups", split)
    table = group_index(raw_annotation_index)
    groups = tables.frame(table)
    skus = groups["sku_id"].nunique()
    return table_result(
        table,
        compare_tables(before, table, ["crop_path"]),
        summary=f"{number_of(skus, 'SKU')} with {number_of(len(groups), 'crop')} to make.",
        numbers={"skus": skus, "crops": len(groups)},
        metadata=preview_entry("by_category", count_by_category(groups)),
    )
