"""The download itself: not made here, only observed."""

import dagster as dg

# No public name in Dagster 1.13, whose version is bounded. The decorator takes no owners.
from dagster._core.definitions.external_asset import create_external_asset_from_source_asset

from df2_assets.assets.code import reference
from df2_assets.assets.split_asset import OWNERS
from df2_assets.errors import LayoutError
from df2_assets.partitions import splits
from df2_assets.provenance import SOURCE
from df2_assets.resources import DataRoots
from df2_assets.retries import retried
from df2_assets.store.listing import scan


def observe(context: dg.OpExecutionContext, data: DataRoots) -> dg.DataVersionsByPartition:
    """A data version for each split that is there. Raises LayoutError where none is."""
    versions: dict[str, dg.DataVersion | str] = {}
    problems: list[LayoutError] = []
    for split in splits.get_partition_keys():
        try:
            with retried(context):
                versions[split] = scan(data.roots, split).digest
        except LayoutError as problem:
            context.log.warning(str(problem))
            problems.append(problem)
    if len(problems) > 1:
        raise problems[0]
    return dg.DataVersionsByPartition(versions)


deepfashion2 = create_external_asset_from_source_asset(
    dg.observable_source_asset(
        name=SOURCE,
        partitions_def=splits,
        group_name="source",
        description=(
            "The unpacked DeepFashion2 download under `DF2_ROOT`:\n\n"
            "- `{split}/image/NNNNNN.jpg`: the images\n"
            "- `{split}/annos/NNNNNN.json`: what is to be seen in each; none for `test`\n\n"
            "Observed, never written. The data version of a split changes with the name, size or "
            "time of any of its files."
        ),
        metadata=reference(observe),
        tags={"dagster/kind/jpeg": "", "dagster/kind/json": "", "external": ""},
    )(observe)
).map_asset_specs(lambda spec: spec.replace_attributes(owners=OWNERS))
