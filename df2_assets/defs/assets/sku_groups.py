"""The table of crops to make, grouped into visual SKUs."""

import dagster as dg
import pyarrow as pa

from df2_assets.checks.finding import number_of
from df2_assets.dataset.skus import count_unpaired, group_index
from df2_assets.defs.assets.factories import Result, split_asset
from df2_assets.defs.metadata import preview_entry, table_result
from df2_assets.defs.resources import SkuSelection, SplitWriter
from df2_assets.pipeline.changes import compare_tables
from df2_assets.pipeline.publishing import find_selection_change
from df2_assets.report.summaries import count_by_category
from df2_assets.store import state, tables


@split_asset(
    group="dataset",
    description="""
    This table lists the crops to make, grouped into visual SKUs.

    It has one row per crop. A visual SKU is `(pair_id, style, category_id)` with `style > 0`, and
    it is kept only with at least one `shop` item (**catalog**) and one `user` item (**query**).
    SKUs with items of only one domain are kept as well if `DF2_ONLY_PAIRS` is off.
    `x1` to `y2` are the box to cut, and `anno_x1` to `anno_y2` the annotated box. Rows are sorted
    by SKU id, domain, image id and item.
    """,
    numbers={
        "skus": "visual SKUs",
        "crops": "crops to make",
        "skus_with_one_domain": "SKUs with only catalog or only query crops, if they are kept",
    },
    rules="2",
)
def sku_groups(
    context: dg.AssetExecutionContext,
    output: SplitWriter,
    skus: SkuSelection,
    raw_annotation_index: pa.Table,
) -> Result:
    roots, split = output.roots, context.partition_key
    before = tables.find(roots, "sku_groups", split)
    only_pairs = skus.choose()
    table = group_index(raw_annotation_index, only_pairs=only_pairs)
    groups = tables.frame(table)
    numbers = {"skus": groups["sku_id"].nunique(), "crops": len(groups)}
    summary = f"{number_of(numbers['skus'], 'SKU')} with {number_of(len(groups), 'crop')} to make."
    if not only_pairs:
        alone = count_unpaired(groups)
        numbers["skus_with_one_domain"] = alone
        summary += f" SKUs with one domain are kept: {alone:,}."
    return table_result(
        table,
        compare_tables(before, table, ["crop_path"]),
        summary=summary,
        numbers=numbers,
        rebuild_reason=find_selection_change(state.load(roots, split), only_pairs=only_pairs),
        metadata=skus.metadata | preview_entry("by_category", count_by_category(groups)),
    )
