"""The crops on disk, and the manifest that knows each of them."""

import time

import dagster as dg
import pyarrow as pa

from df2_assets.dataset.cropping import CODE_VERSION
from df2_assets.defs.assets.split_asset import Result, split_asset
from df2_assets.defs.metadata import share, table_result
from df2_assets.defs.resources import EngineChoice, ProgressChoice, SplitWriter
from df2_assets.pipeline.crops import build_crops
from df2_assets.pipeline.estimate import estimate, refuse_full_disk
from df2_assets.pipeline.indexing import read_files
from df2_assets.pipeline.planning import plan_crops
from df2_assets.report.before_and_after import before_and_after, remembered
from df2_assets.report.contact_sheet import contact_sheet
from df2_assets.store import tables


@split_asset(
    group="crops",
    tags=["incremental"],
    description="""
    JPEGs under `{split}/catalog` and `{split}/query`, and the manifest: a row a crop with its
    size, time and SHA-256, or the reason why it could not be made. A crop whose image, box and
    encoder are as they were, and which lies on disk as it was left, is not made again. Crops
    that nothing wants any more are removed; files that are not the project's stay.
    """,
    kinds=("jpeg", "parquet"),
    code_version=CODE_VERSION,
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
    plan = plan_crops(roots, split, groups, tables.frame(read_files(roots, split)))
    refuse_full_disk(roots, split, estimate(roots, plan, shards))
    there = plan.tree.crops
    before = remembered(
        roots.sku_root,
        [path for path in plan.make["crop_path"].tolist() if path in there],
        [path for path in plan.remove if path in there],
    )
    built = build_crops(roots, split, plan, groups, shards, progress.of(context.log))
    seconds = time.monotonic() - start
    manifest = tables.frame(built.manifest)
    on_disk = groups[groups["crop_path"].isin(manifest["crop_path"][manifest["reason"].isna()])]
    pictures = {
        "contact_sheet": contact_sheet(roots.sku_root, on_disk),
        "what_changed": before_and_after(roots.sku_root, before, built.made, there),
    }
    return table_result(
        "crops",
        built.manifest,
        built.changes,
        numbers={
            "crops": len(on_disk),
            "failed": int(manifest["reason"].notna().sum()),
            "bytes": int(manifest["size"].sum()),
            "images_decoded": built.images_decoded,
            "cold": share(built.changes.added + built.changes.remade, len(on_disk)),
            "seconds": seconds,
            "images_per_second": built.images_decoded / seconds,
        },
        anew=plan.anew,
        metadata={
            "folder": dg.MetadataValue.path(str(roots.sku_root / split)),
            **{name: dg.MetadataValue.md(shown) for name, shown in pictures.items() if shown},
        },
    )
