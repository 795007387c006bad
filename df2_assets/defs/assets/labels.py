"""The table of masks and landmarks of all crops."""

import dagster as dg
import pyarrow as pa

from df2_assets.checks.finding import number_of
from df2_assets.dataset.shapes import LABELS_VERSION
from df2_assets.defs.assets.factories import Result, split_asset
from df2_assets.defs.conditions import KEEP_CURRENT
from df2_assets.defs.metadata import table_result, write_pictures
from df2_assets.defs.resources import EngineChoice, ProgressChoice, SplitWriter
from df2_assets.pipeline.labels import build_labels
from df2_assets.report.pictures import draw_shapes
from df2_assets.store import tables


@split_asset(
    group="dataset",
    description="""
    This table has the mask, the polygons and the landmarks of every crop.

    It has one row per crop, in pixels of the crop. Masks are COCO's run lengths. The job
    `build_labels` builds it, and so does whatever needs it; `build_dataset` does not. Only
    annotations that changed are read, and no image is opened. A shape that cannot be used has a
    reason; its crop stays.
    """,
    numbers={
        "crops": "crops on disk, each with a row",
        "masks": "crops with a mask",
        "landmarks": "crops with landmarks",
        "refused": "crops whose mask or landmarks are refused",
        "annotations_read": "annotation files that were read in this run",
    },
    tags=("labels",),
    rules=str(LABELS_VERSION),
    condition=KEEP_CURRENT,
)
def labels(
    context: dg.AssetExecutionContext,
    output: SplitWriter,
    engine: EngineChoice,
    progress: ProgressChoice,
    sku_groups: pa.Table,
    crops: pa.Table,
) -> Result:
    roots, split = output.roots, context.partition_key
    shards, bar = engine.start(), progress.of(context.log)
    labelled = build_labels(roots, split, sku_groups, crops, shards, bar)
    table = labelled.table
    numbers = {name: table.num_rows - table[name].null_count for name in ("mask", "landmarks")}
    refused = table.num_rows - table["reason"].null_count
    summary = f"{number_of(table.num_rows, 'crop')}, {numbers['mask']:,} with a mask, "
    summary += f"{numbers['landmarks']:,} with landmarks."
    return table_result(
        table,
        labelled.changes,
        summary=summary,
        numbers={
            "crops": table.num_rows,
            "masks": numbers["mask"],
            "landmarks": numbers["landmarks"],
            "refused": refused,
            "annotations_read": labelled.annotations_read,
        },
        metadata=write_pictures(
            output.settings, "labels", split, shapes=draw_shapes(roots, tables.frame(table))
        ),
    )
