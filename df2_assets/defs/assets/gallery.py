"""The gallery: a static site that shows a split."""

import dagster as dg
import pyarrow as pa

from df2_assets.checks.finding import number_of
from df2_assets.dataset.taxonomy import LABELS
from df2_assets.defs.assets.factories import Result, split_asset
from df2_assets.defs.metadata import HOW_TO_OPEN, preview
from df2_assets.defs.resources import EngineChoice, ProgressChoice, SplitWriter
from df2_assets.report.addresses import address
from df2_assets.report.columns import make_readable
from df2_assets.report.gallery.build import TABLES, build_gallery
from df2_assets.report.readiness import CEILING_KS
from df2_assets.store import tables
from df2_assets.store.state import require_complete


@split_asset(
    group="reports",
    description="""
    This is a static website that shows a split, in `_df2_assets/report/{split}`.

    - the SKUs, by category, label and prompt: catalog crops beside query crops,
      each with its original image and box, and with its mask, landmarks and crop
      variants if they were built before
    - what was refused, and what the checks found
    - whether the split is ready for retrieval

    `df2-assets serve` shows it at the link below, and `df2-assets ui` starts that server. The file
    also opens without a server. Each thumbnail is drawn only once.
    """,
    numbers={
        "thumbnails_drawn": "thumbnails that were drawn in this run",
        "paired_skus": "SKUs with both catalog and query crops",
        "unpaired_skus": "SKUs with only catalog or only query crops, which are not assessed",
        "queries": "query crops of these SKUs",
        "queries_without_answer": "usable user items of styles that are in none of these SKUs",
        "catalog_without_query": "usable shop items of styles that are in none of these SKUs",
        "answers_per_query": "catalog crops in the SKU of a query, on average",
        "leaking_crops": "crops whose picture is also in another split",
        "prompts": "different prompts",
        "skus_per_prompt": "SKUs with the same prompt, on average",
        **{
            f"text_ceiling@{k}": f"the best recall@{k} from prompt to SKU of any model, 0 to 1"
            for k in CEILING_KS
        },
        **{
            f"{name}_gap": f"how much the {name} of catalog and query crops differs, 0 to 1"
            for name in LABELS
        },
    },
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
            "summary": (
                f"{number_of(int(ready.numbers['paired_skus']), 'SKU')} and "
                f"{number_of(int(ready.numbers['queries']), 'query crop')} to look at."
            ),
            "gallery": dg.MetadataValue.url(address(output.settings, built.site.page)),
            "how_to_open": HOW_TO_OPEN,
            "path": dg.MetadataValue.path(str(built.site.page)),
            "thumbnails_drawn": built.site.drawn,
            **ready.numbers,
            **({"not_compared_with": ", ".join(ready.not_compared)} if ready.not_compared else {}),
            "most_shared_prompts": preview(make_readable(ready.prompts)),
            "text_ceilings": preview(make_readable(ready.ceilings)),
            "catalog_compared_with_query": preview(make_readable(ready.balance)),
            **({"leaks": preview(make_readable(ready.leaks))} if len(ready.leaks) else {}),
        },
    )
