"""The process of a run: tags that name it, and marking the run as failed when it is gone.

Otherwise Dagster shows the run of a killed process as running forever.
"""

import os
import platform
from pathlib import Path

import dagster as dg

PARTITION_TAG = "dagster/partition"
# The UI does not show tags with this prefix.
_PROCESS = ".dagster/df2_assets_process"
_HOST = ".dagster/df2_assets_host"


def own_tags(run_id: str) -> dict[str, str]:
    """Return tags that name this process as that of a run. The UI does not show them.

    They contain the run id, because a re-executed run starts with the tags of the first run.
    """
    return {_PROCESS: f"{run_id} {_process(os.getpid())}", _HOST: platform.node()}


def is_gone(run: dg.DagsterRun) -> bool | None:
    """Return whether the process of a run has ended; None if this machine cannot know."""
    run_id, _, process = run.tags.get(_PROCESS, "").partition(" ")
    if run_id != run.run_id or run.tags.get(_HOST) != platform.node():
        return None
    return _process(int(process.split()[0])) != process


def fail_abandoned(instance: dg.DagsterInstance, split: str) -> None:
    """Mark unfinished runs of `split` as failed if their process on this machine is gone."""
    unfinished = dg.RunsFilter(
        tags={PARTITION_TAG: split, _HOST: platform.node()},
        statuses=[
            dg.DagsterRunStatus.NOT_STARTED,
            dg.DagsterRunStatus.STARTING,
            dg.DagsterRunStatus.STARTED,
            dg.DagsterRunStatus.CANCELING,
        ],
    )
    for run in instance.get_runs(unfinished):
        if is_gone(run):
            instance.report_run_failed(run, "The process of this run is gone.")


def _process(pid: int) -> str | None:
    """Return the id and start time of a process, since ids are reused; None if it has ended."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return str(pid) if not Path("/proc/self/stat").exists() and _lives(pid) else None
    return None if status[0] in "XZ" else f"{pid} {status[19]}"


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
