"""Runs that the command line started, and what becomes of them when its process is killed.

Dagster shows the run of a killed process as running for ever, unless somebody says otherwise.
"""

import os
import platform

import dagster as dg

PARTITION_TAG = "dagster/partition"
_PID = "df2_assets/pid"
_HOST = "df2_assets/host"


def own_tags() -> dict[str, str]:
    """Tags that tie a run to this process."""
    return {_PID: str(os.getpid()), _HOST: platform.node()}


def fail_abandoned(instance: dg.DagsterInstance, split: str) -> None:
    """Mark as failed the unfinished runs of `split` whose process on this machine is gone."""
    unfinished = dg.RunsFilter(
        tags={PARTITION_TAG: split, _HOST: platform.node()},
        statuses=[
            dg.DagsterRunStatus.STARTING,
            dg.DagsterRunStatus.STARTED,
            dg.DagsterRunStatus.CANCELING,
        ],
    )
    for run in instance.get_runs(unfinished):
        pid = int(run.tags[_PID])
        if not _lives(pid):
            instance.report_run_failed(run, f"Process {pid}, which ran this, is gone.")


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
