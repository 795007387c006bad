"""What is not made here, only observed, by its data version."""

from collections.abc import Callable, Mapping
from inspect import cleandoc
from typing import Any

import dagster as dg

# No public name in Dagster 1.13, whose version is bounded. The decorator takes no owners.
from dagster._core.definitions.external_asset import create_external_asset_from_source_asset

from df2_assets.defs.assets.code import reference
from df2_assets.defs.assets.split_asset import OWNERS
from df2_assets.defs.runs.history import made_from_tag


def source_asset(
    name: str,
    observe: Callable[..., Any],
    *,
    group: str,
    description: str,
    kinds: tuple[str, ...],
    partitions_def: dg.PartitionsDefinition[str] | None = None,
) -> dg.AssetsDefinition:
    """A source, whose data version `observe` finds out."""
    source = dg.observable_source_asset(
        name=name,
        partitions_def=partitions_def,
        group_name=group,
        description=cleandoc(description),
        metadata=reference(observe),
        tags={f"dagster/kind/{kind}": "" for kind in kinds} | {"external": ""},
    )(observe)
    return create_external_asset_from_source_asset(source).map_asset_specs(
        lambda spec: spec.replace_attributes(owners=OWNERS)
    )


def found(
    context: dg.AssetExecutionContext,
    source: str,
    version: str,
    *,
    partition: str | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> dict[str, str]:
    """Record the data version of a source as a step has found it; the tags of what it makes of it.

    Without them Dagster notes the version from before the step as the asset's input, and calls the
    asset stale for good.
    """
    context.log_event(
        dg.AssetObservation(
            source,
            partition=partition,
            tags={"dagster/data_version": version},
            metadata=metadata,
        )
    )
    step = context.op_execution_context.get_step_execution_context()
    step.wipe_input_asset_version_info(dg.AssetKey(source))
    return {made_from_tag(source): version}
