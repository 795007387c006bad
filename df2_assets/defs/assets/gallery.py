"""A split to look at: one static site."""

import dagster as dg
import pyarrow as pa

from df2_assets.defs.assets.factories import Result, split_asset
from df2_assets.defs.metadata import HOW_TO_OPEN, preview
from df2_assets.defs.resources import EngineChoice, ProgressChoice, SplitWriter
from df2_assets.report.addresses import address
from df2_assets.report.gallery.build import TABLES, build_gallery
from df2_assets.store import tables
from df2_assets.store.state import require_complete


@split_asset(
    group="quality",
    description="""
    A static site to look at a split with, under `_df2_assets/report/{split}`.

    It has SKUs to browse by category, occlusion, viewpoint and prompt, catalog crops beside query
    crops, each with its original and box; what was refused; what the checks say; whether the
    split is ready for retrieval. `df2-assets serve`, which `make ui` starts, shows it at the link;
    the file opens without a server, too. Thumbnails are drawn once.
    """,
    kinds=("html",),
    tags=("report",),
    deps=("image_text",),
    last=True,
)
def gallery(
    context: dg.AssetExecutionContext,
    output: SplitWriter,
    engine: EngineChoice,
    progress: ProgressChoice,
    raw_annotation_index: pa.Table,
    sku_groups: pa.Table,
    crops: pa.Table,
    crop_quality: pa.Table,
    refusals: pa.Table,
) -> Result:
    roots, split = output.roots, context.partition_key
    require_complete(roots, split)
    inputs = (raw_annotation_index, sku_groups, crops, crop_quality, refusals)
    frames = dict(zip(TABLES, map(tables.frame, inputs), strict=True))
    built = build_gallery(roots, split, frames, engine.start(), progress.of(context.log))
    ready = built.readiness
    return dg.MaterializeResult(
        data_version=dg.DataVersion(built.site.digest),
        metadata={
            "gallery": dg.MetadataValue.url(address(output.settings, built.site.page)),
            "how_to_open": HOW_TO_OPEN,
            "path": dg.MetadataValue.path(str(built.site.page)),
            "thumbnails_drawn": built.site.drawn,
            **ready.numbers,
            **({"not_compared_with": ", ".join(ready.not_compared)} if ready.not_compared else {}),
            "prompts_that_skus_share": preview(ready.prompts),
            "catalog_against_query": preview(ready.balance),
            **({"leaks": preview(ready.leaks)} if len(ready.leaks) else {}),
        },
    )
