"""The table of metrics of an encoder."""

import dagster as dg
import pyarrow as pa

from df2_assets.checks.finding import number_of
from df2_assets.defs.assets.factories import Result, split_asset
from df2_assets.defs.conditions import KEEP_CURRENT
from df2_assets.defs.metadata import preview_entry, table_result, write_pictures
from df2_assets.defs.resources import EncoderChoice, ProgressChoice, SplitWriter
from df2_assets.pipeline.changes import compare_tables
from df2_assets.report.retrieval import draw_confused, draw_ranked, headline, tabulate_metrics
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
        "catalog": "catalog crops that they are compared with",
        **{metric: _meaning(metric) for metric in METRICS},
        **{f"mean_view_{metric}": f"{metric}, where SKUs are ranked" for metric in METRICS},
    },
    deps=("embeddings",),
    condition=KEEP_CURRENT,
)
def evaluation(
    context: dg.AssetExecutionContext,
    output: SplitWriter,
    progress: ProgressChoice,
    encoder: EncoderChoice,
    sku_groups: pa.Table,
) -> Result:
    roots, split, name = output.roots, context.partition_key, encoder.name
    before = tables.find(roots, "evaluation", split)
    groups = tables.frame(sku_groups)
    metrics, own = evaluate_split(roots, split, name, groups, progress.of(context.log))
    numbers = headline(own.metrics)
    ...
