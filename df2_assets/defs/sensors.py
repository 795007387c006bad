"""What an event starts: changed annotations, changed data versions, failed runs."""

import json
from collections.abc import Iterator

import dagster as dg

from df2_assets.defs.alerts import complaints
from df2_assets.defs.runs.history import SOURCE, TEMPLATES, made_from, observed
from df2_assets.defs.runs.liveness import PARTITION_TAG
from df2_assets.settings import Settings


def sensors(settings: Settings) -> list[dg.SensorDefinition]:
    """Fresh sensors. Of the first two, which build the same, one is enough."""
    return [_annotations_changed(settings), _follow_data_versions(), *_alarms(settings)]


def _annotations_changed(settings: Settings) -> dg.SensorDefinition:
    @dg.sensor(
        job_name="build_dataset",
        minimum_interval_seconds=30,
        description=(
            "Builds a split once for each change of its files, as `observe_sources` has seen "
            "it. A change that a build has taken in by itself asks for nothing."
        ),
    )
    def annotations_changed(
        context: dg.SensorEvaluationContext,
    ) -> Iterator[dg.RunRequest | dg.SkipReason]:
        """The cursor has, by split, the last version seen and how many changes there have been."""
        seen: dict[str, list[int | str]] = json.loads(context.cursor or "{}")
        asked = 0
        for split in settings.splits:
            now = observed(context.instance, split)
            changes, before = seen.get(split, [0, ""])
            if now is None or now.version == before:
                continue
            seen[split] = [int(changes) + 1, now.version]
            if _is_taken_in(context.instance, split, now.version, now.run_id):
                continue
            asked += 1
            # A version can come back: the count tells its return from the same change seen twice.
            yield dg.RunRequest(
                run_key=f"{split} {seen[split][0]} {now.version}", partition_key=split
            )
        context.update_cursor(json.dumps(seen))
        if not asked:
            yield dg.SkipReason("No split has changed since the last look.")

    return annotations_changed


def _is_taken_in(instance: dg.DagsterInstance, split: str, version: str, run_id: str) -> bool:
    """Whether a build of the split has read this version, or has seen it first and is at it."""
    run = instance.get_run_by_id(run_id)
    by_build = run is not None and run.tags.get(PARTITION_TAG) == split
    return by_build or made_from(instance, split) == version


def _follow_data_versions() -> dg.SensorDefinition:
    return dg.AutomationConditionSensorDefinition(
        "follow_data_versions",
        # The sources as well, or nobody sees that they have changed.
        target=dg.AssetSelection.all() | dg.AssetSelection.assets(SOURCE, TEMPLATES),
        emit_backfills=False,  # one run a split, as everywhere
        description=(
            "Makes each asset whose input has another data version, split by split, with all that "
            "follows; nothing behind a blocking check that has failed."
        ),
    )


def _alarms(settings: Settings) -> list[dg.SensorDefinition]:
    """A run that fails, and one that goes well with a check that does not, say so in the log."""
    status = (
        dg.DefaultSensorStatus.RUNNING if settings.schedules else dg.DefaultSensorStatus.STOPPED
    )

    @dg.run_failure_sensor(
        default_status=status,
        description="Logs which check has failed on which item, or what else ended the run.",
    )
    def failed_runs(context: dg.RunFailureSensorContext) -> None:
        _log(context)

    @dg.run_status_sensor(
        run_status=dg.DagsterRunStatus.SUCCESS,
        default_status=status,
        description="Logs checks of severity ERROR that fail in a run that goes on to its end.",
    )
    def failed_checks(context: dg.RunStatusSensorContext) -> None:
        _log(context)

    return [failed_runs, failed_checks]


def _log(context: dg.RunStatusSensorContext) -> None:
    for line in complaints(context.instance, context.dagster_run):
        context.log.error(line)
