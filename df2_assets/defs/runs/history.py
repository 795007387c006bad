"""Dagster's records of earlier runs: observations, materializations, and the data set of each."""

from collections.abc import Set
from typing import Any, Final, NamedTuple

import dagster as dg

# Dagster 1.13, whose version is bounded, has no public name for this.
from dagster._core.definitions.assets.job.asset_job import IMPLICIT_ASSET_JOB_NAME

from df2_assets.defs.names import sibling_key
from df2_assets.store.layout import Roots

SOURCE: Final = "deepfashion2"
INDEX: Final = "raw_annotation_index"
TEMPLATES: Final = "prompt_templates"


def input_tag(source: dg.AssetKey) -> str:
    """Return the tag with the data version of the source that an asset was built from.

    Dagster sets it from materializations. A source has none, so the asset sets the tag itself.
    """
    return f"dagster/input_data_version/{source.to_user_string()}"


class Observed(NamedTuple):
    """A data version of the source, and the run that recorded it."""

    version: str
    run_id: str


def last_observation(
    instance: dg.DagsterInstance, source: dg.AssetKey, split: str
) -> Observed | None:
    """Return the last observation of a split of the download; None if there is none."""
    records = instance.fetch_observations(_of(source, split), limit=1).records
    for record in records:
        observation = record.asset_observation
        if observation is not None and observation.data_version is not None:
            return Observed(observation.data_version, record.run_id)
    return None


def input_version(instance: dg.DagsterInstance, index: dg.AssetKey, split: str) -> str | None:
    """Return the data version of the source that the split's index was read from."""
    record = last_materialization(instance, index, split)
    event = record.asset_materialization if record else None
    return (event.tags or {}).get(input_tag(sibling_key(index, SOURCE))) if event else None


def last_materialization(
    instance: dg.DagsterInstance, asset: dg.AssetKey, split: str
) -> dg.EventLogRecord | None:
    """Return the last materialization of a split of an asset; None if there is none."""
    return next(iter(instance.fetch_materializations(_of(asset, split), limit=1).records), None)


def data_set(roots: Roots) -> dict[str, Any]:
    """Return the roots of a data set as metadata."""
    return {
        "df2_root": dg.MetadataValue.path(str(roots.df2_root)),
        "sku_root": dg.MetadataValue.path(str(roots.sku_root)),
    }


def data_set_change(
    instance: dg.DagsterInstance, asset: dg.AssetKey, split: str, roots: Roots
) -> dict[str, dg.TextMetadataValue]:
    """Return metadata that says so if the last materialization was of another data set."""
    record = last_materialization(instance, asset, split)
    event = record.asset_materialization if record else None
    before = event.metadata if event else {}
    changed = [
        f"{name.upper()} is {path.value} and was {before[name].value}"
        for name, path in data_set(roots).items()
        if name in before and before[name] != path
    ]
    if not changed:
        return {}
    text = f"This is not the data set of the last materialization: {'; '.join(changed)}."
    return {"data_set_change": dg.MetadataValue.text(text)}


def is_run_of(run: dg.DagsterRun, jobs: Set[str], assets: Set[dg.AssetKey]) -> bool:
    """Return whether a run is of one of `jobs`, or only of `assets` or their checks.

    A code location can hold other assets and other data sets, with runs of their own.
    """
    checks = run.asset_check_selection or ()
    selection = {*(run.asset_selection or ()), *(check.asset_key for check in checks)}
    if run.job_name == IMPLICIT_ASSET_JOB_NAME:
        return bool(selection) and selection <= assets
    return run.job_name in jobs


def _of(asset: dg.AssetKey, split: str) -> dg.AssetRecordsFilter:
    return dg.AssetRecordsFilter(asset_key=asset, asset_partitions=[split])
