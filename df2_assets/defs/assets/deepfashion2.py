"""The download itself, which is observed and never written."""

import dagster as dg

from df2_assets.defs.assets.factories import source_asset
from df2_assets.defs.partitions import splits
from df2_assets.defs.resources import DataRoots
from df2_assets.defs.retries import retry_transient
from df2_assets.defs.runs.history import SOURCE
from df2_assets.errors import LayoutError
from df2_assets.store.listing import scan


def observe(context: dg.OpExecutionContext, data: DataRoots) -> dg.DataVersionsByPartition:
    """Return a data version for each split on disk. Raises LayoutError where there is none."""
    versions: dict[str, dg.DataVersion | str] = {}
    problems: list[LayoutError] = []
    for split in splits.get_partition_keys():
        try:
            with retry_transient(context):
                versions[split] = scan(data.roots, split).digest
        except LayoutError as problem:
            context.log.warning(str(problem))
            problems.append(problem)
    if len(problems) > 1:
        raise problems[-1]
    return dg.DataVersionsByPartition(versions)


deepfashion2 = source_asset(
    SOURCE,
    observe,
    group="dataset",
    description="""
    This is the unpacked DeepFashion2 download, under `DF2_ROOT`.

    - `{split}/image/NNNNNN.jpg`: the images
    - `{split}/annos/NNNNNN.json`: the annotation of each image; `test` has none

    It is only observed, never written. The data version of a split changes when the name, size or
    time of one of its files does.
    """,
    kinds=("jpeg", "json"),
    partitions_def=splits,
)
