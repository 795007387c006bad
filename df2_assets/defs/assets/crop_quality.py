"""The table of measures of all crops."""

import dagster as dg
import pyarrow as pa

from df2_assets.checks.finding import number_of
from df2_assets.dataset.perceptual import MEASURES_VERSION
from df2_assets.defs.assets.factories import Result, split_asset
from df2_assets.defs.metadata import table_result, write_pictures
from df2_assets.defs.resources import EngineChoice, ProgressChoice, SplitWriter
from df2_assets.pipeline.changes import compare_tables
from df2_assets.pipeline.quality import measure_crops
from df2_assets.report.plots import plot_distributions
from df2_assets.store import tables


@split_asset(
    group="reports",
    description="""
    This table describes the look of every crop in numbers.

    It has one row per crop, with its brightness, contrast, texture, perceptual hash, and a version
    of 8 by 8 pixels. The job `refresh_reports` builds it; `build_dataset` does not. Only crops with
    new bytes are opened. Its checks find dark, blank and near-duplicate crops, and SKUs with
    doubtful labels.
    """,
    numbers={
        "crops": "crops that were measured, in this run or in an earlier one",
        "crops_opened": "crops that were opened and measured in this run",
    },
    tags=("report",),
    rules=str(MEASURES_VERSION),
)
def crop_quality(
    context: dg.AssetExecutionContext,
    output: SplitWriter,
    engine: EngineChoice,
    progress: ProgressChoice,
    sku_groups: pa.Table,
    crops: pa.Table,
) -> Result:
    roots, split = output.roots, context.partition_key
    manifest = tables.frame(crops)
    measured = measure_crops(roots, split, manifest, engine.start(), progress.of(context.log))
    plots = plot_distributions(
        split, tables.frame(sku_groups), manifest, tables.frame(measured.table)
    )
    return table_result(
        measured.table,
        compare_tables(measured.before, measured.table, ["crop_path"]),
        summary=f"{number_of(measured.table.num_rows, 'crop')}, {measured.opened:,} opened.",
        numbers={"crops": measured.table.num_rows, "crops_opened": measured.opened},
        metadata=write_pictures(output.settings, "crop_quality", split, distributions=plots),
    )
