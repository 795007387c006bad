"""The table of everything that could not be used."""

import dagster as dg
import pyarrow as pa

from df2_assets.checks.finding import number_of
from df2_assets.dataset.skus import collect_refusals
from df2_assets.dataset.tables import REFUSALS
from df2_assets.defs.assets.factories import Result, split_asset
from df2_assets.defs.metadata import preview_entry, table_result
from df2_assets.defs.names import sibling_key
from df2_assets.defs.resources import SplitWriter
from df2_assets.defs.runs.history import INDEX, last_materialization
from df2_assets.pipeline.changes import compare_tables
from df2_assets.report.summaries import count_by_reason
from df2_assets.store import tables


@split_asset(
    group="dataset",
    tags=["report"],
    description="""
    This table lists every file and item that could not be used, and why.

    It has one row per refused file or item, with its place, the asset that refused it, and the
    reason. A row without `item_idx` stands for a whole file.
    """,
    numbers={"refused": "files and items that could not be used"},
)
def refusals(
    context: dg.AssetExecutionContext,
    output: SplitWriter,
    raw_annotation_index: pa.Table,
    sku_groups: pa.Table,
    crops: pa.Table,
) -> Result:
    split = context.partition_key
    before = tables.find(output.roots, "refusals", split)
    refused = collect_refusals(
        split, tables.frame(raw_annotation_index), tables.frame(sku_groups), tables.frame(crops)
    )
    table = tables.from_frame(refused, REFUSALS)
    return table_result(
        table,
        compare_tables(before, table, ["image_id", "item_idx", "stage", "reason"]),
        summary=f"{number_of(len(refused), 'file or item', 'files and items')} refused.",
        numbers={"refused": len(refused)},
        metadata={
            "build": _origin(context, split),
            **preview_entry("by_reason", count_by_reason(refused)),
        },
    )


def _origin(context: dg.AssetExecutionContext, split: str) -> str:
    """Return a sentence that names the build of these rows, since a later one may have failed."""
    index = last_materialization(context.instance, sibling_key(context.asset_key, INDEX), split)
    run_id = index.run_id if index else context.run.run_id
    return (
        f"Refused in the build of {split} by run {run_id[:8]}. If a later build failed, its "
        "refusals are on the page of the failed check, under Checks."
    )
