"""Factories of assets: what all assets of the project have in common, and all sources.

What a single asset does is in its own file. A factory returns a function that makes the asset under
the names of a data set, so that one code location can hold several data sets.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from inspect import cleandoc, signature
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import dagster as dg
import pandas as pd
import pyarrow as pa

# No public name in Dagster 1.13, whose version is bounded. The decorator takes no owners.
from dagster._core.definitions.external_asset import create_external_asset_from_source_asset

from df2_assets import __version__
from df2_assets.dataset import record
from df2_assets.dataset.documents import DOCUMENTS
from df2_assets.dataset.tables import SCHEMAS
from df2_assets.defs.conditions import REBUILD_ON_CHANGE
from df2_assets.defs.failures import convert_errors, report_kept_crops
from df2_assets.defs.io_managers import TABLES
from df2_assets.defs.metadata import (
    COLUMN_LINEAGE,
    column_lineage,
    column_metadata,
    preview,
    sort_metadata,
)
from df2_assets.defs.names import Names, sibling_key
from df2_assets.defs.partitions import splits
from df2_assets.defs.retries import retry_transient
from df2_assets.defs.runs.history import data_set, data_set_change, input_tag
from df2_assets.settings import PACKAGE
from df2_assets.store import runs

if TYPE_CHECKING:
    Result = dg.MaterializeResult[Any]
else:  # Dagster reads annotations, and does not accept this one with its parameter
    Result = dg.MaterializeResult

Group = Literal["dataset", "reports", "retrieval", "exports"]
"""The groups of assets, which are the boxes of the lineage page."""

_OWNERS: Final = ["team:df2-assets"]
_RECORDS: Final = record.TABLES | record.DOCUMENTS
_SECONDS: Final = {"seconds": "duration of the step in seconds"}
_CHANGES: Final = {
    "added": "rows (in sku_metadata: SKUs) that are new since the last materialization",
    "removed": "rows that no longer exist",
    "remade": "rows that changed; for crops, files that were written again",
    "unchanged": "rows that did not change",
}
AssetMaker = Callable[[Names], dg.AssetsDefinition]
"""Makes an asset under the names of a data set."""

_ENOUGH_IMAGES: Final = 200
_CODE: Final = "dagster/code_references"
_TABLE = dg.PythonObjectDagsterType(pa.Table, "Table")


def code_version(rules: str) -> str:
    """Return the code version of an asset: the release, and the version of the asset's rules.

    It is for people and the UI. Builds do not compare it: a new release alone rebuilds nothing.
    """
    return f"{__version__} rules {rules}"


def split_asset(
    *,
    group: Group,
    description: str,
    numbers: Mapping[str, str],
    kinds: Sequence[str] = ("parquet",),
    tags: Sequence[str] = (),
    rules: str = "1",
    deps: Sequence[str] = (),
    last: bool = False,
    is_one_table: bool = True,
    origin: Callable[..., Any] | None = None,
    condition: dg.AutomationCondition[Any] = REBUILD_ON_CHANGE,
) -> Callable[[Callable[..., Result]], AssetMaker]:
    """Return a decorator: an asset partitioned by split, with its columns where it has any.

    Parameters of the body are tables of other assets, and resources by their base names.
    `numbers` says what each number in its metadata means. `rules` is the version of what the asset
    decides: raise it when the same input gives another result. `tags` are words to search for in
    the UI. An asset that comes `last` waits for the checks of its run. The columns of an asset that
    is not `is_one_table` are those of several tables, which its body writes. Links to the code lead
    to `origin`, by default to the body. `condition` says when automation rebuilds the asset.
    """

    def decorate(body: Callable[..., Result]) -> AssetMaker:
        name = body.__name__
        schema = (SCHEMAS | DOCUMENTS).get(name)
        meanings = {**numbers, **(_CHANGES if schema is not None else {}), **_SECONDS}
        is_table = name in SCHEMAS and is_one_table
        legend = preview(pd.DataFrame(meanings.items(), columns=["number", "meaning"]))
        inputs, resources = _parameters(body)

        def make(names: Names) -> dg.AssetsDefinition:
            key = names.key(name)

            def step(context: dg.AssetExecutionContext, **tables: pa.Table) -> Result:
                start = time.monotonic()
                used = names.resources(context, resources)
                roots, split = used["output"].roots, context.partition_key
                moved = data_set_change(context.instance, key, split, roots)
                with (
                    retry_transient(context.op_execution_context),
                    report_kept_crops(roots, split, name),
                ):
                    result = body(context, **used, **tables)
                    rate = _measured_rate(result.metadata or {})
                    runs.save(roots, name, split, context.run.run_id, rate)
                seconds = {"seconds": time.monotonic() - start}
                metadata = {**moved, **(result.metadata or {}), **seconds, **data_set(roots)}
                if is_table:
                    metadata["path"] = dg.MetadataValue.path(str(roots.table(name, split)))
                if schema is not None:
                    metadata.setdefault(COLUMN_LINEAGE, column_lineage(schema, key))
                # In the result, Dagster would store it a second time, in the event of the output.
                context.add_asset_metadata(sort_metadata(metadata, roots))
                return result._replace(metadata=None)

            return dg.asset(
                key=key,
                ins={table: dg.AssetIn(names.key(table), dagster_type=_TABLE) for table in inputs},
                deps=[names.key(asset) for asset in deps],
                required_resource_keys=names.names(*resources),
                io_manager_key=names.name(TABLES),
                partitions_def=splits,
                group_name=names.name(group),
                description=cleandoc(description),
                kinds={"python", *kinds},
                owners=_OWNERS,
                tags=dict.fromkeys(tags, ""),
                code_version=code_version(rules),
                dagster_type=_TABLE if is_table else None,
                metadata={
                    **code_reference(origin or body),
                    **({} if schema is None else column_metadata(schema, _RECORDS[name], key)),
                    "numbers": legend,
                },
                automation_condition=condition,
                op_tags={"dagster/priority": "-1"} if last else None,
            )(step)

        return make

    return decorate


def _measured_rate(metadata: Mapping[str, Any]) -> float | None:
    """Return the images per second of a step that decoded enough images to tell."""
    is_enough = metadata.get("images_decoded", 0) >= _ENOUGH_IMAGES
    return metadata["images_per_second"] if is_enough else None


def _parameters(body: Callable[..., Any]) -> tuple[list[str], list[str]]:
    """Return the parameters of an asset's body: those for tables, and those for resources."""
    parameters = [p for p in signature(body).parameters.values() if p.name != "context"]
    return (
        [p.name for p in parameters if p.annotation is pa.Table],
        [p.name for p in parameters if p.annotation is not pa.Table],
    )


def source_asset(
    name: str,
    observe: Callable[..., Any],
    *,
    group: Group,
    description: str,
    kinds: tuple[str, ...],
    partitions_def: dg.PartitionsDefinition[str] | None = None,
) -> AssetMaker:
    """Return a maker of an asset that is observed and never made.

    `observe` takes the context and resources by their base names, and returns the data version.
    """
    _, resources = _parameters(observe)

    def make(names: Names) -> dg.AssetsDefinition:
        @convert_errors()
        def step(context: dg.OpExecutionContext) -> Any:
            return observe(context, **names.resources(context, resources))

        source = dg.observable_source_asset(
            key=names.key(name),
            required_resource_keys=names.names(*resources),
            partitions_def=partitions_def,
            group_name=names.name(group),
            description=cleandoc(description),
            metadata=code_reference(observe),
            tags={f"dagster/kind/{kind}": "" for kind in kinds} | {"external": ""},
        )(step)
        return create_external_asset_from_source_asset(source).map_asset_specs(
            lambda spec: spec.replace_attributes(owners=_OWNERS)
        )

    return make


def record_source_version(
    context: dg.AssetExecutionContext,
    source: str,
    version: str,
    *,
    partition: str | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> dict[str, str]:
    """Record the data version of a source that a step has read; return the tags of its result.

    Without them Dagster notes the version from before the step as the asset's input, and calls the
    asset stale for good.
    """
    tags = {"dagster/data_version": version}
    key = sibling_key(context.asset_key, source)
    context.log_event(dg.AssetObservation(key, partition=partition, tags=tags, metadata=metadata))
    step = context.op_execution_context.get_step_execution_context()
    step.wipe_input_asset_version_info(key)
    return {input_tag(key): version}


def code_reference(body: Callable[..., Any]) -> dict[str, Any]:
    """Return metadata that names the file and line of a function on this machine."""
    code = body.__code__
    here = dg.LocalFileCodeReference(
        file_path=code.co_filename, line_number=code.co_firstlineno, label=body.__name__
    )
    return {_CODE: dg.CodeReferencesMetadataValue(code_references=[here])}


def link_code(asset: dg.AssetsDefinition, base_url: str | None) -> dg.AssetsDefinition:
    """Return the asset with links under `base_url`, where that is set, instead of local files.

    `base_url` shows the project's folder: `https://host/name/project/blob/main`.
    """

    def link(spec: dg.AssetSpec) -> dg.AssetSpec:
        (here,) = spec.metadata[_CODE].code_references
        path = Path(here.file_path).relative_to(PACKAGE.parent).as_posix()
        url = f"{str(base_url).rstrip('/')}/{path}#L{here.line_number}"
        links = [dg.UrlCodeReference(url=url, label=here.label)]
        return spec.merge_attributes(
            metadata={_CODE: dg.CodeReferencesMetadataValue(code_references=[*links])}
        )

    return asset.map_asset_specs(link) if base_url else asset
