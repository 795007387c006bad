"""What an event starts: a build after changed data versions, a line in the log after a bad run."""

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
    """Return the sensors of a data set, over its `jobs` and `assets`.

    Those that log problems run where the schedules do.
    """
    follow_data_versions = dg.AutomationConditionSensorDefinition(
        names.name("follow_data_versions"),
        # The sources as well: else nothing sees that they have changed.
        target=dg.AssetSelection.assets(*assets),
        emit_backfills=False,  # one run per split, as everywhere
        description=(
            "Rebuilds each asset whose input has another data version, split by split, with all "
            "that follows. It rebuilds nothing behind a blocking check that failed."
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
        description="Logs which check has failed on which item, or what else ended the run.",
    )
    def failed_runs(context: dg.RunFailureSensorContext) -> None:
        log(context)

    @dg.run_status_sensor(
        name=names.name("failed_checks"),
        run_status=dg.DagsterRunStatus.SUCCESS,
        default_status=status,
        description="Logs checks of severity ERROR that fail in a run that goes on to its end.",
    )
    def failed_checks(context: dg.RunStatusSensorContext) -> None:
        log(context)

    return [follow_data_versions, failed_runs, failed_checks]


def failure_messages(instance: dg.DagsterInstance, run: dg.DagsterRun) -> list[str]:
    """Return a line for each check that failed with severity ERROR and each error in `run`.

    A check's line has the first of its offenders. Text from the data in it is inert.
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
        line = f"check {check.check_name} of {check.asset_key.to_user_string()} has failed"
        yield f"{line}: {describe_failure(check)}" if check.description else line


def _errors(instance: dg.DagsterInstance, run_id: str) -> Iterator[str]:
    """The root cause of each step's failure, or of the run's where no step has failed."""
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
            step = f"{event.step_key} has failed" if event.step_key else "it has failed"
            yield f"{step}: {escape_untrusted(error.message.strip(), 1000)}"
