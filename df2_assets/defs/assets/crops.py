"""The crops on disk, and their manifest."""

import time

import dagster as dg
import pyarrow as pa

from df2_assets.checks.finding import number_of
from df2_assets.dataset.cropping import code_version
from df2_assets.dataset.skus import has_only_pairs
from df2_assets.defs.assets.factories import Result, split_asset
from df2_assets.defs.metadata import (
    format_megabytes,
    per_second,
    percent,
    table_result,
    write_pictures,
)
from df2_assets.defs.resources import EngineChoice, ProgressChoice, SplitWriter
from df2_assets.pipeline.crops import build_crops
from df2_assets.pipeline.indexing import read_files
from df2_assets.pipeline.planning import estimate, plan_crops
from df2_assets.report.pictures import CAPTIONED, BeforeAndAfter, draw_contact_sheet
from df2_assets.store import tables
from df2_assets.store.crop_sets import contract_crops
from df2_assets.store.space import require_space


@split_asset(
    group="dataset",
    tags=["incremental"],
    description="""
    This asset is the crops on disk and their manifest.

    The JPEGs are in `{split}/catalog` and `{split}/query`. The manifest has one row per crop, with
    its size, time and SHA-256, or with the reason why it could not be made. A crop is made again
    only if its image, its box, the encoder or the file on disk changed. Crops that no SKU needs any
    more are removed. Foreign files are left alone.
    """,
    numbers={
        "crops": "crops on disk",
        "failed": "rows without a crop: refused, or of a SKU left with only one domain",
        "bytes": "total size of all crops in bytes",
        "images_decoded": "images that were decoded to cut crops",
        "percent_made": "crops made in this run, in percent of the crops on disk",
        "images_per_second": "images decoded per second, if any",
    },
    kinds=("jpeg", "parquet"),
    rules=code_version(),
)
def crops(
    context: dg.AssetExecutionContext,
    output: SplitWriter,
    engine: EngineChoice,
    progress: ProgressChoice,
    sku_groups: pa.Table,
) -> Result:
    roots, split, start = output.roots, context.partition_key, time.monotonic()
    groups, shards = tables.frame(sku_groups), engine.start()
    files = tables.frame(read_files(roots, split))
    only_pairs = has_only_pairs(sku_groups)
    crop_set = contract_crops(split)
    plan = plan_crops(roots, crop_set, groups, files, shards, only_pairs=only_pairs)
    taken_over = {}
    if plan.taken_over:
        crops_of = f"{number_of(plan.taken_over, 'crop')} of {split}"
        taken_over["taken_over"] = f"Took over {crops_of} from a build that was stopped."
        context.log.info(taken_over["taken_over"])
    require_space(roots.sku_root, estimate(roots, [plan], shards).bytes, split)
    changed = BeforeAndAfter(roots.sku_root, plan.tree.crops, plan.make["crop_path"], plan.remove)
    (built,) = build_crops(roots, [plan], groups, shards, progress.of(context.log))
    rebuild_reason = plan.rebuild_reason
    del plan  # it takes a sixth of the memory of a build, which is highest here
    seconds = time.monotonic() - start
    manifest = tables.frame(built.manifest)
    is_on_disk = groups["crop_path"].isin(manifest["crop_path"][manifest["reason"].isna()])
    on_disk = groups[CAPTIONED][is_on_disk]
    failed, size = int(manifest["reason"].notna().sum()), int(manifest["size"].sum())
    summary = f"{number_of(len(on_disk), 'crop')}, {format_megabytes(size)}."
    if failed:
        summary += f" {failed:,} could not be made or lack a counterpart: see refusals."
    return table_result(
        built.manifest,
        built.changes,
        summary=summary,
        numbers={
            "crops": len(on_disk),
            "failed": failed,
            "bytes": size,
            "images_decoded": built.images_decoded,
            "percent_made": percent(built.changes.added + built.changes.remade, len(on_disk)),
            **per_second("images", built.images_decoded, seconds),
        },
        rebuild_reason=rebuild_reason,
        metadata={
            **taken_over,
            "folder": dg.MetadataValue.path(str(roots.crops(split))),
            **write_pictures(
                output.settings,
                "crops",
                split,
                contact_sheet=draw_contact_sheet(roots.sku_root, on_disk),
                what_changed=changed.draw(built.made),
            ),
        },
    )
