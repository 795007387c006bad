"""The sensors of a data set: they start builds after changes, and log failed runs and checks."""

from collections.abc import Iterator, Set

import dagster as dg

from df2_assets.defs.failures import CheckFailure, describe_failure
from df2_assets.defs.names import Names
from df2_assets.defs.runs.history import is_run_of
from df2_assets.defs.runs.liveness import PARTITION_TAG
from df2_assets.errors import escape_untrusted
from df2_assets.settings import Settings


def make_sensors(
    names: Names, settings: Settings, jobs: Set[str], assets: Set[dg.AssetKey]
) -> list[dg.SensorDefinition]:
    """Return the sensors of a data set, for its `jobs` and `assets`.

    Those that log failures are on by default where the schedules are.
    """
    follow_data_versions = dg.AutomationConditionSensorDefinition(
        names.name("follow_data_versions"),
        # With the sources: without them, their changes go unnoticed.
        target=dg.AssetSelection.assets(*assets),
        emit_backfills=False,  # one run per split, as everywhere
        description=(
            "Rebuilds the assets of a split when the data version of an input changes. One run "
            "rebuilds everything downstream, except behind a blocking check that failed."
        ),
    )
    status = (
        dg.DefaultSensorStatus.RUNNING if settings.schedules else dg.DefaultSensorStatus.STOPPED
    )

    def log(context: dg.RunStatusSensorContext) -> None:
        if is_run_of(context.dagster_run, jobs, assets):
            for line in failure_messages(context.instance, context.dagster_run):
                context.log.error(line)

    @dg.run_failure_sensor(
        name=names.name("failed_runs"),
        default_status=status,
        description="Logs why a run failed: failed checks with their first offender, or the error.",
    )
    def failed_runs(context: dg.RunFailureSensorContext) -> None:
        log(context)

    @dg.run_status_sensor(
        name=names.name("failed_checks"),
        run_status=dg.DagsterRunStatus.SUCCESS,
        default_status=status,
        description="Logs failed checks of severity ERROR in runs that are otherwise successful.",
    )
    def failed_checks(context: dg.RunStatusSensorContext) -> None:
        log(context)

    return [follow_data_versions, failed_runs, failed_checks]


def failure_messages(instance: dg.DagsterInstance, run: dg.DagsterRun) -> list[str]:
    """Return one line per error in `run`, and per failed check of severity ERROR.

    The line of a check names its first offender. Text from the data is escaped.
    """
    where = f"{run.job_name} of {run.tags.get(PARTITION_TAG, 'all splits')}"
    problems = [*_failed_checks(instance, run.run_id), *_errors(instance, run.run_id)]
    return [f"{where}: {problem} (run {run.run_id})" for problem in problems]


def _failed_checks(instance: dg.DagsterInstance, run_id: str) -> Iterator[str]:
    for entry in instance.all_logs(run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION):
        event = entry.dagster_event
        check = event.asset_check_evaluation_data if event else None
        if check is None or check.passed or check.severity != dg.AssetCheckSeverity.ERROR:
            continue
        line = f"check {check.check_name} of {check.asset_key.to_user_string()} failed"
        yield f"{line}: {describe_failure(check)}" if check.description else line


def _errors(instance: dg.DagsterInstance, run_id: str) -> Iterator[str]:
    """Yield the root cause of each failed step, or of the failed run if no step failed."""
    kinds = {dg.DagsterEventType.STEP_FAILURE, dg.DagsterEventType.RUN_FAILURE}
    failures = [
        entry.dagster_event
        for entry in instance.all_logs(run_id, of_type=kinds)
        if entry.dagster_event
    ]
    for event in [event for event in failures if event.is_step_failure] or failures:
        error = getattr(event.event_specific_data, "error", None)
        while error is not None and error.cause is not None:
            error = error.cause
        if error is None:
            if event.is_job_failure and event.message:
                yield escape_untrusted(event.message, 1000)
        elif error.cls_name != CheckFailure.__name__:
            step = f"{event.step_key} failed" if event.step_key else "it failed"
            yield f"{step}: {escape_untrusted(error.message.strip(), 1000)}"
