"""The table of all annotated items of a split, usable or not."""

import time

import dagster as dg

from df2_assets.checks.finding import number_of
from df2_assets.dataset.annotations import CODE_VERSION
from df2_assets.defs.assets.factories import Result, record_source_version, split_asset
from df2_assets.defs.metadata import per_second, percent, table_result
from df2_assets.defs.resources import EngineChoice, ProgressChoice, SplitWriter
from df2_assets.defs.runs.history import SOURCE
from df2_assets.pipeline.changes import compare_tables
from df2_assets.pipeline.indexing import build_index
from df2_assets.store import tables


@split_asset(
    group="dataset",
    tags=["incremental"],
    description="""
    This table lists every annotated item of a split, usable or not.

    It has one row per item of any style, with the size of its image, and one row without an item
    per file that cannot be used. `reason` is a code, or null for a usable item; `detail` says what
    is wrong. Only files that changed since the last build are read again.
    """,
    numbers={
        "images": "images in DF2_ROOT",
        "annotations": "annotation files in DF2_ROOT",
        "refused": "items and whole files that cannot be used",
        "annotations_read": "annotation files that were read in this run",
        "percent_read": "annotation files read in this run, in percent of all",
        "annotations_per_second": "annotation files read per second, if any",
    },
    rules=CODE_VERSION,
    deps=[SOURCE],
)
def raw_annotation_index(
    context: dg.AssetExecutionContext,
    output: SplitWriter,
    engine: EngineChoice,
    progress: ProgressChoice,
) -> Result:
    roots, split, start = output.roots, context.partition_key, time.monotonic()
    before = tables.find(roots, "raw_annotation_index", split)
    indexed = build_index(roots, split, engine.start(), progress.of(context.log))
    seconds = time.monotonic() - start
    index, files = tables.frame(indexed.table), indexed.listing.files
    annotations = int(files["anno_size"].notna().sum())
    images, refused = int(files["image_size"].notna().sum()), int(index["reason"].notna().sum())
    return table_result(
        indexed.table,
        compare_tables(before, indexed.table, ["image_id", "item_idx", "reason"]),
        summary=(
            f"{number_of(images, 'image')} and {number_of(annotations, 'annotation')}; "
            f"{number_of(refused, 'item or file', 'items and files')} refused."
        ),
        numbers={
            "images": images,
            "annotations": annotations,
            "refused": refused,
            "annotations_read": indexed.annotations_read,
            "percent_read": percent(indexed.annotations_read, annotations),
            **per_second("annotations", indexed.annotations_read, seconds),
        },
        rebuild_reason=indexed.rebuild_reason,
        tags=record_source_version(
            context,
            SOURCE,
            indexed.listing.digest,
            partition=split,
            metadata={"files": len(files)},
        ),
    )
