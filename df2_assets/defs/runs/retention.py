"""The job `clean_history`, which deletes Dagster's records of old runs but no file of a data set.

Deleting a run deletes its events. If the latest materialization of a split were among them, the UI
would show the split as missing, and automation would rebuild it. Runs that the UI still needs are
therefore kept, however old they are.
"""

from collections.abc import Iterator, Set
from datetime import UTC, datetime, timedelta

import dagster as dg
import pandas as pd

# Dagster 1.13, whose version is bounded, has no public name for this.
from dagster._core.event_api import PartitionKeyFilter
from pydantic import Field

from df2_assets.checks.finding import number_of
from df2_assets.defs.metadata import SHOWN, preview
from df2_assets.defs.names import Names
from df2_assets.defs.runs.history import is_run_of
from df2_assets.defs.runs.liveness import PARTITION_TAG

FINISHED = [
    dg.DagsterRunStatus.SUCCESS,
    dg.DagsterRunStatus.FAILURE,
    dg.DagsterRunStatus.CANCELED,
]


class Retention(dg.Config):
    """The options of `clean_history`."""

    keep_days: int = Field(
        default=90, ge=0, description="Delete runs that ended longer ago than this many days."
    )
    dry_run: bool = Field(
        default=True, description="Only report what would be deleted. Set it to false to delete."
    )


_DESCRIPTION = """
Deletes Dagster's records of runs that ended more than `keep_days` ago.

The records are the runs, their events, and their points in plots. Whatever their age, it keeps
runs that have not ended, the latest run of each job, and the latest materialization, observation,
attempt and check evaluation of each asset and split. It changes no file of the data set.

By default (`dry_run`), it only reports what it would delete. PostgreSQL reuses the space; with
SQLite, a small empty file remains for each deleted run.
"""


def clean_history(names: Names, jobs: Set[str], assets: Set[dg.AssetKey]) -> dg.JobDefinition:
    """Return the job that cleans up after the other `jobs` and the `assets` of a data set."""
    name = names.name("clean_history")

    @dg.op(name=names.name("delete_old_runs"), out=dg.Out(dg.Nothing))
    def delete_old_runs(context: dg.OpExecutionContext, config: Retention) -> None:
        """Delete old runs of this data set with their events, and log how many."""
        before = datetime.now(UTC) - timedelta(days=config.keep_days)
        superseded, shown = old_runs(
            context.instance, context.repository_def, before, jobs | {name}, assets
        )
        if not config.dry_run:
            for run in superseded:
                context.instance.delete_run(run.run_id)
        context.log.info(
            f"{'Would delete' if config.dry_run else 'Deleted'} "
            f"{number_of(len(superseded), 'run')} that ended before {before:%Y-%m-%d %H:%M} UTC. "
            f"{number_of(len(shown), 'run')} of the same age will stay, because the UI shows them "
            "as the latest of their kind."
        )
        context.add_output_metadata(
            {
                "dry_run": config.dry_run,
                "runs": len(superseded),
                "old_but_kept": len(shown),
                f"first {SHOWN} runs": preview(_table(superseded)),
            }
        )

    @dg.job(
        name=name,
        description=_DESCRIPTION,
        tags=names.tags,
        executor_def=dg.in_process_executor,
    )
    def job() -> None:
        delete_old_runs()

    return job


def old_runs(
    instance: dg.DagsterInstance,
    repository: dg.RepositoryDefinition,
    before: datetime,
    jobs: Set[str],
    assets: Set[dg.AssetKey],
) -> tuple[list[dg.DagsterRun], list[dg.DagsterRun]]:
    """Return the runs that ended before `before`: first superseded ones, then those to keep.

    Only runs of `jobs` and `assets` count, since others may use the same instance or code location.
    """
    ended = instance.get_runs(dg.RunsFilter(statuses=FINISHED, updated_before=before))
    ours = [run for run in ended if is_run_of(run, jobs, assets)]
    shown = set(_shown_runs(instance, repository))
    return [r for r in ours if r.run_id not in shown], [r for r in ours if r.run_id in shown]


def _shown_runs(instance: dg.DagsterInstance, repository: dg.RepositoryDefinition) -> Iterator[str]:
    """Yield the ids of runs that the UI shows as the latest of an asset, a check or a job."""
    events, graph = instance.event_log_storage, repository.asset_graph
    for job in repository.job_names:
        yield from (run.run_id for run in instance.get_runs(dg.RunsFilter(job_name=job), limit=1))
    for asset in graph.get_all_asset_keys():
        attempts = (
            events.get_latest_asset_partition_materialization_attempts_without_materializations
        )
        yield from (run_id for run_id, _ in attempts(asset).values())
        for partition in _partitions(graph.get(asset).partitions_def):
            of = dg.AssetRecordsFilter(
                asset_key=asset, asset_partitions=[partition] if partition else None
            )
            for fetch in (instance.fetch_materializations, instance.fetch_observations):
                yield from (record.run_id for record in fetch(of, limit=1).records)
    checks = list(graph.asset_check_keys)
    for partition in {p for check in checks for p in _partitions(graph.get(check).partitions_def)}:
        latest = events.get_latest_asset_check_execution_by_key(
            checks, PartitionKeyFilter(key=partition)
        )
        yield from (record.run_id for record in latest.values())


def _partitions(definition: dg.PartitionsDefinition | None) -> list[str | None]:
    return [*definition.get_partition_keys()] if definition else [None]


def _table(runs: list[dg.DagsterRun]) -> pd.DataFrame:
    rows = [(run.run_id, run.job_name, run.tags.get(PARTITION_TAG, "")) for run in runs]
    return pd.DataFrame(rows, columns=["run", "job", "split"])
