"""The vectors of all crops."""

import time

import dagster as dg
import pyarrow as pa

from df2_assets.checks.finding import number_of
from df2_assets.defs.assets.factories import Result, split_asset
from df2_assets.defs.conditions import KEEP_CURRENT
from df2_assets.defs.metadata import per_second
from df2_assets.defs.resources import EncoderChoice, EngineChoice, ProgressChoice, SplitWriter
from df2_assets.embeddings.files import folder_of
from df2_assets.pipeline.embedding import embed_split


@split_asset(
    group="retrieval",
    description="""
    These files have a vector for every crop, for retrieval by similarity.

    An encoder makes the vectors: `encoder.name` in the run config chooses it, by default
    `DF2_ENCODER`. The vectors of each encoder are in `_df2_assets/embeddings/{encoder}/{split}`, as
    Parquet files with the columns `crop_path`, `sku_uid`, `digest` and `vector`. Only crops whose
    bytes have no vector yet are encoded. The job `embed` builds it; `build_dataset` does not.
    """,
    numbers={
        "crops": "crops that have a vector",
        "encoded": "crops that were encoded in this run",
        "dimension": "values of a vector",
        "crops_encoded_per_second": "crops that were encoded per second",
    },
    tags=("incremental",),
    condition=KEEP_CURRENT,
)
def embeddings(
    context: dg.AssetExecutionContext,
    output: SplitWriter,
    engine: EngineChoice,
    progress: ProgressChoice,
    encoder: EncoderChoice,
    crops: pa.Table,
) -> Result:
    roots, split, used = output.roots, context.partition_key, encoder.resolve()
    start = time.monotonic()
    embedded = embed_split(roots, split, used, engine.start(), progress.of(context.log))
    seconds = time.monotonic() - start
    record = embedded.record
    return dg.MaterializeResult(
        data_version=dg.DataVersion(record.digest),
        metadata={
            "summary": (
                f"{number_of(record.rows, 'crop')} with vectors of {record.dimension} values by "
                f"{record.encoder}, {embedded.encoded:,} encoded now."
            ),
            "encoder": record.encoder,
            "encoder_version": record.fingerprint,
            "crops": record.rows,
            "encoded": embedded.encoded,
            "dimension": record.dimension,
            **per_second("crops_encoded", embedded.encoded, seconds),
            "path": dg.MetadataValue.path(str(folder_of(roots, split, record.encoder))),
            "dagster/partition_row_count": record.rows,
        },
    )
