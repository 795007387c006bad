"""The crops that the retrieval benchmark has beyond those of the contract."""

import time

import dagster as dg
import pyarrow as pa

from df2_assets.checks.finding import number_of
from df2_assets.dataset.cropping import code_version
from df2_assets.defs.assets.factories import Result, split_asset
from df2_assets.defs.conditions import KEEP_CURRENT
from df2_assets.defs.metadata import format_megabytes, per_second, table_result
from df2_assets.defs.resources import EngineChoice, ProgressChoice, SplitWriter
from df2_assets.pipeline.benchmark import group_benchmark
from df2_assets.pipeline.crops import build_crops
from df2_assets.pipeline.indexing import read_files
from df2_assets.pipeline.planning import estimate, plan_crops
from df2_assets.store import tables
from df2_assets.store.crop_sets import benchmark_crops as crop_set
from df2_assets.store.space import require_space


@split_asset(
    group="retrieval",
    tags=["incremental"],
    description="""
    These crops are the rest of the gallery of the retrieval benchmark, and their manifest.

    The gallery of the official protocol is every shop item. So shop items of style 0 and items of
    SKUs with one domain need crops, which the contract does not have. They are in
    `_df2_assets/benchmark/{split}` and are cut, kept and removed like the crops of the contract.
    The job `benchmark` builds them; `build_dataset` does not.
    """,
    numbers={
        "crops": "crops on disk",
        "failed": "rows without a crop: the image could not be used",
        "bytes": "total size of all crops in bytes",
        "images_decoded": "images that were decoded to cut crops",
        "images_per_second": "images decoded per second, if any",
    },
    kinds=("jpeg", "parquet"),
    rules=code_version(),
    condition=KEEP_CURRENT,
)
def benchmark_crops(
    context: dg.AssetExecutionContext,
    output: SplitWriter,
    engine: EngineChoice,
    progress: ProgressChoice,
    raw_annotation_index: pa.Table,
    crops: pa.Table,
) -> Result:
    roots, split, start = output.roots, context.partition_key, time.monotonic()
    groups = group_benchmark(roots, split, tables.frame(raw_annotation_index), tables.frame(crops))
    files, shards = tables.frame(read_files(roots, split)), engine.start()
    plan = plan_crops(roots, crop_set(roots, split), groups, files, shards, only_pairs=False)
    if plan.taken_over:
        context.log.info(
            f"Took over {number_of(plan.taken_over, 'crop')} from a run that was stopped."
        )
    require_space(roots.sku_root, estimate(roots, [plan], shards).bytes, split)
    (built,) = build_crops(roots, [plan], groups, shards, progress.of(context.log))
    manifest = tables.frame(built.manifest)
    failed, size = int(manifest["reason"].notna().sum()), int(manifest["size"].sum())
    summary = f"{number_of(len(manifest) - failed, 'crop')}, {format_megabytes(size)}."
    if failed:
        summary += f" {failed:,} could not be made: see the column reason."
    return table_result(
        built.manifest,
        built.changes,
        summary=summary,
        numbers={
            "crops": len(manifest) - failed,
            "failed": failed,
            "bytes": size,
            "images_decoded": built.images_decoded,
            **per_second("images", built.images_decoded, time.monotonic() - start),
        },
        rebuild_reason=plan.rebuild_reason,
        metadata={"folder": dg.MetadataValue.path(str(roots.benchmark_crops(split)))},
    )
