"""What went wrong in a run, in a few lines: which check, and which item."""

from collections.abc import Iterator

import dagster as dg

from df2_assets.defs.metadata import FIRST_OFFENDERS
from df2_assets.defs.runs.liveness import PARTITION_TAG
from df2_assets.errors import inert

_EVALUATED = dg.DagsterEventType.ASSET_CHECK_EVALUATION
_CHECK_FAILED = "DagsterAssetCheckFailedError"


def complaints(instance: dg.DagsterInstance, run: dg.DagsterRun) -> list[str]:
    """A line for each check that has failed with severity ERROR and each error in `run`.

    A check's line has the first of its offenders. Text from the data in it is inert.
    """
    where = f"{run.job_name} of {run.tags.get(PARTITION_TAG, 'all splits')}"
    found = [*_failed_checks(instance, run.run_id), *_errors(instance, run.run_id)]
    return [f"{where}: {what} (run {run.run_id})" for what in found]


def _failed_checks(instance: dg.DagsterInstance, run_id: str) -> Iterator[str]:
    for entry in instance.all_logs(run_id, of_type=_EVALUATED):
        event = entry.dagster_event
        check = event.asset_check_evaluation_data if event else None
        if check is None or check.passed or check.severity != dg.AssetCheckSeverity.ERROR:
            continue
        line = f"check {check.check_name} of {check.asset_key.to_user_string()} has failed"
        if check.description:
            line += f": {check.description}"
        offenders = check.metadata.get(FIRST_OFFENDERS)
        if isinstance(offenders, dg.TableMetadataValue) and offenders.records:
            first = offenders.records[0].data
            line += f" The first: {', '.join(f'{k} {v}' for k, v in first.items() if v)}."
        yield line


def _errors(instance: dg.DagsterInstance, run_id: str) -> Iterator[str]:
    """The root cause of each step's failure, or of the run's where no step has failed."""
    kinds = {dg.DagsterEventType.STEP_FAILURE, dg.DagsterEventType.RUN_FAILURE}
    told = False
    for entry in instance.all_logs(run_id, of_type=kinds):
        event = entry.dagster_event
        if event is None or (told and event.is_job_failure):
            continue
        told = told or event.is_step_failure
        error = getattr(event.event_specific_data, "error", None)
        while error is not None and error.cause is not None:
            error = error.cause
        if error is not None and error.cls_name != _CHECK_FAILED:
            step = f"{event.step_key} has failed" if event.step_key else "it has failed"
            yield f"{step}: {inert(error.message.strip(), 1000)}"
        elif error is None and event.is_job_failure and event.message:
            yield inert(event.message, 1000)
