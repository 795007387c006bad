"""The official retrieval benchmark of DeepFashion2, for an encoder."""

import dagster as dg
import pyarrow as pa

from df2_assets.checks.finding import number_of
from df2_assets.defs.assets.factories import Result, split_asset
from df2_assets.defs.conditions import KEEP_CURRENT
from df2_assets.defs.resources import EncoderChoice, EngineChoice, ProgressChoice, SplitWriter
from df2_assets.retrieval.benchmark import measure_encoder
from df2_assets.retrieval.protocol import KS


@split_asset(
    group="retrieval",
    description="""
    These numbers measure an encoder by the official protocol of DeepFashion2.

    The queries are the consumer items of style above 0. The gallery is every shop item of the
    split. `top-k` is the share of queries with a shop item of the same pair id and style among the
    first k. `encoder.name` in the run config chooses the encoder, by default `DF2_ENCODER`. The job
    `benchmark` builds it; `build_dataset` does not.
    """,
    numbers={
        "queries": "consumer items of style above 0",
        "missed": "queries without a crop, which count as failures",
        "gallery": "shop items",
        **{f"top-{k}": f"share of queries with a hit among the first {k}" for k in KS},
        "encoded": "crops outside the contract that were encoded in this run",
    },
    kinds=(),
    tags=("incremental",),
    deps=("embeddings",),
    condition=KEEP_CURRENT,
)
def benchmark_scores(
    context: dg.AssetExecutionContext,
    output: SplitWriter,
    engine: EngineChoice,
    progress: ProgressChoice,
    encoder: EncoderChoice,
    benchmark_crops: pa.Table,
) -> Result:
    roots, split, used = output.roots, context.partition_key, encoder.resolve()
    score, encoded = measure_encoder(roots, split, used, engine.start(), progress.of(context.log))
    numbers = score.numbers
    return dg.MaterializeResult(
        metadata={
            "summary": (
                f"{used.setting} finds {numbers['top-1']:.1%} of "
                f"{number_of(int(numbers['queries']), 'query', 'queries')} with the first of "
                f"{number_of(int(numbers['gallery']), 'shop item')}, and "
                f"{numbers['top-20']:.1%} with the first 20."
            ),
            "encoder": used.setting,
            "encoder_version": used.fingerprint,
            **numbers,
            "encoded": encoded,
        },
    )
