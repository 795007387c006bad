"""The schedules of a data set: jobs that start at fixed times, in the time zone of the settings."""

from collections.abc import Callable, Iterator
from typing import Any

import dagster as dg

from df2_assets.defs.names import Names
from df2_assets.errors import SettingsError
from df2_assets.settings import Settings


def make_schedules(names: Names, settings: Settings) -> list[dg.ScheduleDefinition]:
    """Return the schedules of a data set: for builds, freshness, verification and observation.

    Raises SettingsError where the cron expression of the settings is not valid.
    """
    status = (
        dg.DefaultScheduleStatus.RUNNING if settings.schedules else dg.DefaultScheduleStatus.STOPPED
    )
    try:
        nightly = dg.ScheduleDefinition(
            name=names.name("nightly_build"),
            job_name=names.name("build_dataset"),
            cron_schedule=settings.cron,
            execution_fn=_run_each_split(settings, {}),
            default_status=status,
            execution_timezone=settings.timezone,
            description="Builds every split, and rebuilds only what changed.",
        )
    except dg.DagsterInvalidDefinitionError:
        raise SettingsError(
            f"DF2_CRON is {settings.cron!r}: give five cron fields, such as '0 2 * * *'."
        ) from None
    daily = dg.ScheduleDefinition(
        name=names.name("daily_freshness"),
        job_name=names.name("check_freshness"),
        cron_schedule="0 8 * * *",
        execution_fn=_run_each_split(settings, {}),
        default_status=status,
        execution_timezone=settings.timezone,
        description=(
            "Checks whether each split was built from the current download, and how old it is."
        ),
    )
    weekly = dg.ScheduleDefinition(
        name=names.name("weekly_verification"),
        job_name=names.name("verify_dataset"),
        cron_schedule="0 5 * * 0",
        execution_fn=_run_each_split(
            settings, {"ops": {names.name("verify_split"): {"config": {"deep": True}}}}
        ),
        default_status=status,
        execution_timezone=settings.timezone,
        description="Decodes every crop and compares every byte of each split with what was built.",
    )
    hourly = dg.ScheduleDefinition(
        name=names.name("hourly_observation"),
        job_name=names.name("observe_sources"),
        cron_schedule="0 * * * *",
        default_status=status,
        execution_timezone=settings.timezone,
        description="Checks whether the download or the prompt templates have changed.",
    )
    return [nightly, daily, weekly, hourly]


def _run_each_split(
    settings: Settings, run_config: dict[str, Any]
) -> Callable[[dg.ScheduleEvaluationContext], Iterator[dg.RunRequest]]:
    """Return a function that requests one run per split and tick, for the smallest split first."""

    def requests(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest]:
        tick = context.scheduled_execution_time.isoformat()
        for split in reversed(settings.splits):
            yield dg.RunRequest(
                run_key=f"{split} {tick}", partition_key=split, run_config=run_config
            )

    return requests
