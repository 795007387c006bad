"""What Dagster has recorded of the download, and of which state of it a split was built."""

from typing import Final, NamedTuple

import dagster as dg

SOURCE: Final = "deepfashion2"
INDEX: Final = "raw_annotation_index"
TEMPLATES: Final = "prompt_templates"


def made_from_tag(source: str) -> str:
    """Tag of what is made of a source: the data version that it had then.

    Dagster takes it from the source's materializations, of which there are none; so the asset says
    it.
    """
    return f"dagster/input_data_version/{source}"


class Observed(NamedTuple):
    """A data version of the source, and the run that has seen it."""

    version: str
    run_id: str
    timestamp: float


def observed(instance: dg.DagsterInstance, split: str) -> Observed | None:
    """What was last seen of a split of the download; None where nobody has looked."""
    of_split = dg.AssetRecordsFilter(asset_key=dg.AssetKey(SOURCE), asset_partitions=[split])
    for record in instance.fetch_observations(of_split, limit=1).records:
        event = record.event_log_entry.dagster_event
        version = event.asset_observation_data.asset_observation.data_version if event else None
        if version is not None:
            return Observed(version, record.run_id, record.timestamp)
    return None


def made_from(instance: dg.DagsterInstance, split: str) -> str | None:
    """The data version of the source that the split's index was read from; None before."""
    record = last_made(instance, INDEX, split)
    made = record.asset_materialization if record else None
    return (made.tags or {}).get(made_from_tag(SOURCE)) if made else None


def last_made(instance: dg.DagsterInstance, asset: str, split: str) -> dg.EventLogRecord | None:
    """The last materialization of an asset for a split."""
    of_split = dg.AssetRecordsFilter(asset_key=dg.AssetKey(asset), asset_partitions=[split])
    return next(iter(instance.fetch_materializations(of_split, limit=1).records), None)
