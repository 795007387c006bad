"""The crop variants on disk, and their manifests."""

import time

import dagster as dg
import pyarrow as pa

from df2_assets.checks.finding import number_of
from df2_assets.dataset.rendering import CODE_VERSION
from df2_assets.defs.assets.factories import Result, split_asset
from df2_assets.defs.conditions import KEEP_CURRENT
from df2_assets.defs.metadata import (
    change_metadata,
    format_megabytes,
    per_second,
    preview_entry,
    write_pictures,
)
from df2_assets.defs.resources import CropVariants, EngineChoice, ProgressChoice, SplitWriter
from df2_assets.pipeline.variants import MadeVariants, make_variants
from df2_assets.report.pictures import draw_variants
from df2_assets.store import tables


@split_asset(
    group="dataset",
    description="""
    This asset is the crop variants that `DF2_VARIANTS` declares, with their manifests.

    They are other forms of the contract's crops, such as squares of 224 pixels. The files are in
    `_df2_assets/variants/{name}/{split}`. The manifest of each variant has one row per crop, with
    its path, size and SHA-256, the box that was cut, and the map from the image to the file, or
    with the reason why it could not be made. The job `build_variants` makes them; `build_dataset`
    does not. A file is made again only if its image, its box, its declaration, the encoder or the
    file on disk changed, and every image is decoded once for all variants. A variant that is not
    declared any more is removed. Foreign files are left alone.
    """,
    numbers={
        "variants": "variants that are declared",
        "files": "files of all variants on disk",
        "failed": "rows without a file",
        "bytes": "total size of all files in bytes",
        "images_decoded": "images that were decoded, each once for all variants",
        "images_per_second": "images decoded per second, if any",
    },
    kinds=("jpeg", "parquet"),
    tags=("incremental", "variants"),
    rules=CODE_VERSION,
    is_one_table=False,
    condition=KEEP_CURRENT,
)
def crop_variants(
    context: dg.AssetExecutionContext,
    output: SplitWriter,
    engine: EngineChoice,
    progress: ProgressChoice,
    variants: CropVariants,
    sku_groups: pa.Table,
    crops: pa.Table,
) -> Result:
    roots, split, start = output.roots, context.partition_key, time.monotonic()
    declared = variants.crop_variants
    made = MadeVariants([], {}, 0)
    if declared is not None:
        variants.remember()
        groups, bar = tables.frame(sku_groups), progress.of(context.log)
        made = make_variants(roots, split, declared, groups, crops, engine.start(), bar)
    of_each, changes = made.of_each, made.changes
    files, failed, size = (int(of_each[name].sum()) for name in ("files", "failed", "bytes"))
    what = f"{number_of(files, 'file')} of {number_of(len(of_each), 'variant')}"
    seconds = time.monotonic() - start
    manifests = {each.variant.name: tables.frame(each.manifest) for each in made.variants}
    return dg.MaterializeResult(
        data_version=dg.DataVersion(made.digest),
        metadata={
            "summary": f"{what}, {format_megabytes(size)}. {changes}",
            **variants.metadata,
            **made.notes,
            "variants": len(of_each),
            "files": files,
            "failed": failed,
            "bytes": size,
            "images_decoded": made.images_decoded,
            **per_second("images", made.images_decoded, seconds),
            **change_metadata(changes),
            **preview_entry("of_each_variant", of_each),
            "folder": dg.MetadataValue.path(str(roots.variants)),
            **write_pictures(
                output.settings,
                "crop_variants",
                split,
                contact_sheet=draw_variants(roots, manifests),
            ),
            "dagster/partition_row_count": files + failed,
        },
    )
