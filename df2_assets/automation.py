"""What runs by itself, once somebody turns it on."""

from collections.abc import Iterator

import dagster as dg

from df2_assets.errors import SettingsError
from df2_assets.settings import Settings


def schedules(settings: Settings) -> list[dg.ScheduleDefinition]:
    """A nightly build of each split, and an hourly look at the source.

    Raises SettingsError for a cron that cannot be read.
    """
    status = (
        dg.DefaultScheduleStatus.RUNNING if settings.schedules else dg.DefaultScheduleStatus.STOPPED
    )

    def a_run_a_split(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest]:
        night = context.scheduled_execution_time.isoformat()
        for split in settings.splits:
            yield dg.RunRequest(run_key=f"{split} {night}", partition_key=split)

    try:
        nightly = dg.ScheduleDefinition(
            name="nightly_build",
            job_name="build_dataset",
            cron_schedule=settings.cron,
            execution_fn=a_run_a_split,
            default_status=status,
            description="Builds every split anew; what has not changed is not done again.",
        )
    except dg.DagsterInvalidDefinitionError:
        raise SettingsError(
            f"DF2_CRON is {settings.cron!r}: give five cron fields, such as '0 2 * * *'."
        ) from None
    hourly = dg.ScheduleDefinition(
        name="hourly_observation",
        job_name="observe_deepfashion2",
        cron_schedule="0 * * * *",
        default_status=status,
        description="Looks whether any file of the download has changed.",
    )
    return [nightly, hourly]
