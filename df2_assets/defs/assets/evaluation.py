"""The table of metrics of an encoder."""

import dagster as dg
import pyarrow as pa

from df2_assets.checks.finding import number_of
from df2_assets.defs.assets.factories import Result, split_asset
from df2_assets.defs.conditions import KEEP_CURRENT
from df2_assets.defs.metadata import preview_entry, table_result, write_pictures
from df2_assets.defs.resources import EncoderChoice, ProgressChoice, SplitWriter
from df2_assets.pipeline.changes import compare_tables
from df2_assets.report.retrieval import (
    MEAN_VIEW,
    draw_best,
    draw_confused,
    draw_worst,
    read_figures,
    tabulate_metrics,
)
from df2_assets.retrieval.evaluation import evaluate_split
from df2_assets.retrieval.metrics import METRICS
from df2_assets.store import tables

_MEANINGS = {
    "recall": "share of the queries with a catalog crop of their SKU among the first {k}",
    "mrr": "1 divided by the rank of the first catalog crop of the SKU, on average",
    "map@r": "mean average precision at R, the number of catalog crops of the SKU",
    "ndcg": "normalised discounted cumulative gain of the first {k}",
}


def _meaning(metric: str) -> str:
    name, _, k = metric.partition("@")
    return _MEANINGS[metric if metric in _MEANINGS else name].format(k=k)


@split_asset(
    group="retrieval",
    description="""
    This table measures how well the vectors of an encoder find the SKU of a query crop.

    Every query crop of the split is compared with every catalog crop. `encoder.name` in the run
    config chooses the encoder, by default `DF2_ENCODER`. The table has one row per encoder, view,
    metric and slice: `best_view` ranks the catalog crops, `mean_view` the SKUs by the mean of their
    catalog crops, and a slice is the queries with a value of a label. `low` and `high` bound the
    95% interval if other SKUs were drawn. Rows of other encoders stay as long as their vectors do
    not change. The gallery shows the evaluation. The job `evaluate` builds it; `build_dataset` does
    not.
    """,
    numbers={
        "queries": "query crops whose SKU has a catalog crop",
        "skus": "SKUs of these crops",
        **{metric: _meaning(metric) for metric in METRICS},
        **{f"{MEAN_VIEW}{metric}": f"{metric}, where SKUs are ranked" for metric in METRICS},
    },
    deps=("crops", "embeddings"),
    condition=KEEP_CURRENT,
)
def evaluation(
    context: dg.AssetExecutionContext,
    output: SplitWriter,
    progress: ProgressChoice,
    encoder: EncoderChoice,
    sku_groups: pa.Table,
) -> Result:
    roots, split, name = output.roots, context.partition_key, encoder.resolve().setting
    before = tables.find(roots, "evaluation", split)
    table, own = evaluate_split(
        roots, split, name, tables.frame(sku_groups), progress.of(context.log)
    )
    metrics, queries = tables.frame(own.metrics), tables.frame(own.queries)
    figures = read_figures(metrics)
    found = f"recall@1 {figures['recall@1']:.3f}" if figures else "no query has an answer"
    return table_result(
        table,
        compare_tables(before, table, ["encoder", "view", "metric", "slice", "label"]),
        summary=f"{name}: {number_of(len(queries), 'query', 'queries')}, {found}.",
        numbers={"queries": len(queries), "skus": queries["sku_uid"].nunique(), **figures},
        metadata={
            "encoder": name,
            **preview_entry("metrics", tabulate_metrics(metrics)),
            **write_pictures(
                output.settings,
                "evaluation",
                split,
                best=draw_best(roots, queries),
                worst=draw_worst(roots, queries),
                confused=draw_confused(roots, queries),
            ),
        },
    )
