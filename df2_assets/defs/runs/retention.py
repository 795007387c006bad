"""The job `clean_history`: deletes what Dagster remembers of old runs, and no file of a data set.

Deleting a run deletes its events. A split whose latest materialization went with them would be
shown as missing, and automation would rebuild it: runs that pages of the UI rest on are kept,
however old they are.
"""

from collections.abc import Iterator, Set
from datetime import UTC, datetime, timedelta

import dagster as dg
import pandas as pd

# No public name in Dagster 1.13, whose version is bounded.
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
    """What is old, and whether to delete it."""

    keep_days: int = Field(
        default=90, ge=0, description="Delete runs that ended longer ago than this many days."
    )
    dry_run: bool = Field(
        default=True, description="Only say what would be deleted; false deletes it."
    )


_DESCRIPTION = """
Deletes Dagster's records of runs that ended more than `keep_days` ago.

These are the runs, their events, and the points that they left in plots. However old they are,
it keeps the latest materialization, observation, attempt and check of each asset and split, the
latest run of each job, and runs that have not ended. Files of the data set stay as they are.

With `dry_run`, the default, it only says what it would delete. In PostgreSQL the space is
used again; in SQLite each deleted run leaves a small empty file.
"""


def clean_history(names: Names, jobs: Set[str], assets: Set[dg.AssetKey]) -> dg.JobDefinition:
    """Return the job of a data set, over the runs of its other `jobs` and of its `assets`."""
    name = names.name("clean_history")

    @dg.op(name=names.name("delete_old_runs"), out=dg.Out(dg.Nothing))
    def delete_old_runs(context: dg.OpExecutionContext, config: Retention) -> None:
        """Deletes old runs of this data set with their events, and says which."""
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
            f"{number_of(len(shown), 'run')} as old as that will stay: the UI shows them as the "
            "latest of something."
        )
        context.add_output_metadata(
            {
                "dry_run": config.dry_run,
                "runs": len(superseded),
                "kept_though_old": len(shown),
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
    """Return the runs that ended before `before`: those that nothing rests on, and those that stay.

    Only runs of `jobs` and `assets`: others may use the same instance, or code location.
    """
    ended = instance.get_runs(dg.RunsFilter(statuses=FINISHED, updated_before=before))
    ours = [run for run in ended if is_run_of(run, jobs, assets)]
    shown = set(_shown_runs(instance, repository))
    return [r for r in ours if r.run_id not in shown], [r for r in ours if r.run_id in shown]


def _shown_runs(instance: dg.DagsterInstance, repository: dg.RepositoryDefinition) -> Iterator[str]:
    """Yield the ids of runs that a page of the UI shows as the latest of something."""
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
