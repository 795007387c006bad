"""A Dagster run of a job for one split, in this process, and what came of it."""

import gc
import logging
import sys
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

import click
import dagster as dg

# No public names in Dagster 1.13, whose version is bounded: `execute_in_process` takes no origin.
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.definitions.repository_definition import SINGLETON_REPOSITORY_NAME
from dagster._core.execution.api import execute_run
from dagster._core.execution.job_execution_result import JobExecutionResult
from dagster._core.remote_origin import (
    RegisteredCodeLocationOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)

from df2_assets import errors
from df2_assets.cli.instance import open_instance
from df2_assets.cli.options import quiet, say, say_json, say_table, verbose, with_options
from df2_assets.definitions import build_defs
from df2_assets.defs.failures import CheckFailure, Failure, Offenders, find_offenders
from df2_assets.defs.resources import DataRoots, ProgressChoice
from df2_assets.defs.runs.liveness import PARTITION_TAG, own_tags
from df2_assets.settings import Settings
from df2_assets.signals import handle_again, received

_REPOSITORY = RemoteRepositoryOrigin(
    RegisteredCodeLocationOrigin("df2_assets.definitions"), SINGLETON_REPOSITORY_NAME
)
"""The code location of `workspace.yaml`: Home, Jobs and the timeline show the runs of its jobs."""

_ENDED = "Ended by Ctrl-C or SIGTERM."
_STOPPED = "Stopped. What was finished is kept, and the next build goes on from there."


@dataclass
class Outcome:
    """What a run left: numbers by asset, checks by what became of them, and why it failed.

    `notes` say what people wonder about though nothing is wrong. `offenders` are those of the
    checks that warned or failed, by the check as `warned` and `failed` begin with it. `error` is
    the name of the Df2Error that ended the run, if one did.
    """

    split: str
    success: bool
    numbers: dict[str, dict[str, int | float]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    passed: list[str] = field(default_factory=list)
    warned: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    offenders: dict[str, Offenders] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    error: str | None = None

    @property
    def changed(self) -> bool:
        """Whether the run changed anything in the data set."""
        kinds = ("added", "removed", "remade")
        return any(of.get(kind) for of in self.numbers.values() for kind in kinds)

    @property
    def counts(self) -> dict[str, object]:
        """How many checks passed, warned and failed."""
        return {
            "checks passed": len(self.passed),
            "warned": len(self.warned),
            "failed": len(self.failed),
        }

    def offender_lines(self, check: str) -> list[str]:
        """Return the first offenders of a line of `warned` or `failed`, and where all are."""
        name = next((name for name in self.offenders if check.startswith(f"{name}: ")), None)
        if name is None:
            return []
        offenders = self.offenders[name]
        where = f"all {offenders.count:,}, in SKU_ROOT: {offenders.file}"
        return [f"  {line}" for line in [*offenders.first, where]]

    @property
    def well(self) -> bool:
        """Whether neither the run nor a check with severity ERROR failed."""
        return self.success and not self.failed


def run_all(
    settings: Settings, job: str = "build_dataset", assets: Sequence[str] | None = None
) -> list[Outcome]:
    """Run `job` for each split of `settings`, a run a split, as `--quiet` and `--verbose` say.

    `assets` are those of the job's that are wanted, by default all.

    The smallest first: mistakes show early, and the UI opens on what was built last.
    """
    terminal = sys.stderr.isatty() and not (quiet() or verbose())
    level = "INFO" if verbose() else "CRITICAL"
    gc.freeze()  # what is imported stays: the collector need not go through it again and again
    with _warnings_shown():
        return [*run_each(settings, job, assets, terminal, level)]


def run_each(
    settings: Settings,
    job: str = "build_dataset",
    assets: Sequence[str] | None = None,
    terminal: bool = False,
    log_level: str = "CRITICAL",
) -> Iterator[Outcome]:
    """Run `job` for one split of `settings` after the other, and yield what came of each run.

    `terminal` shows progress as a bar. See `run_split`.
    """
    defs = build_defs(settings, resource_overrides={"progress": ProgressChoice(terminal=terminal)})
    # So that the run, executed again from the UI, is over the same data set.
    config = {"resources": {"data": {"config": DataRoots.values(settings)}}}
    with open_instance() as instance:
        for split in reversed(settings.splits):
            yield run_split(defs, instance, split, log_level, job, assets, config)


def report_runs(
    outcomes: list[Outcome],
    as_json: bool,
    rows: Iterable[Mapping[str, object]],
    summary: Iterable[str],
    more: Mapping[str, Mapping[str, object]] = {},
) -> None:
    """Print what came of runs, as a table or as JSON, and exit with 1 where all is not well.

    Notes, warnings and problems follow the table, then the lines of `summary`. `more` are further
    entries of the JSON, by split.
    """
    if as_json:
        say_json({"splits": [asdict(one) | {**more.get(one.split, {})} for one in outcomes]})
    else:
        say_table(rows)
        for one in outcomes:
            for note in one.notes:
                say(f"note: {one.split}: {note}")
            for warning in one.warned:
                say(f"warning: {one.split}: {warning}")
                for line in one.offender_lines(warning):
                    say(line)
            for problem in dict.fromkeys(one.failed + one.problems):
                click.secho(f"error: {one.split}: {with_options(problem)}", err=True, fg="red")
                for line in one.offender_lines(problem):
                    click.echo(line, err=True)
        for line in summary:
            say(line)
    if not all(one.well for one in outcomes):
        raise SystemExit(1)


@contextmanager
def _warnings_shown() -> Iterator[None]:
    """What is said below Dagster, such as that a worker died, goes to standard error as well."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("warning: %(message)s"))
    logger = logging.getLogger("df2_assets")
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


def run_split(
    defs: dg.Definitions,
    instance: dg.DagsterInstance,
    split: str,
    log_level: str = "CRITICAL",
    job: str = "build_dataset",
    assets: Sequence[str] | None = None,
    config: Mapping[str, object] | None = None,
) -> Outcome:
    """Run `job`, or some of its assets, for `split`; it is recorded in `instance` like any other.

    `log_level` is of what the run logs to the terminal, `config` further run config. Raises
    StoppedError after Ctrl-C or SIGTERM.
    """
    job_def, run_id = defs.resolve_job_def(job), str(uuid.uuid4())
    loggers = {"console": {"config": {"log_level": log_level}}}
    with _canceled_when_interrupted(instance, run_id):
        run = instance.create_run_for_job(
            job_def,
            run_id=run_id,
            run_config={"loggers": loggers, **(config or {})},
            tags={**job_def.run_tags, PARTITION_TAG: split, **own_tags(run_id)},
            asset_selection=None if assets is None else {dg.AssetKey(name) for name in assets},
            remote_job_origin=RemoteJobOrigin(_REPOSITORY, job),
        )
        result = execute_run(InMemoryJob(job_def), run, instance)
        handle_again()
    _refuse_to_go_on_after_an_interrupt(instance, result)
    outcome = Outcome(split, result.success)
    for event in result.all_events:
        if event.is_step_materialization:
            made = event.step_materialization_data.materialization
            asset = made.asset_key.path[-1]
            outcome.numbers[asset] = _numbers(made.metadata)
            if reason := made.metadata.get("rebuild_reason"):
                outcome.notes.append(f"{asset} rebuilt: {reason.value}")
            for name in ("taken_over", "kept"):
                if note := made.metadata.get(name):
                    outcome.notes.append(str(note.value))
        elif event.is_step_failure or (event.is_job_failure and not outcome.problems):
            outcome.problems += _problem(event)
            outcome.error = outcome.error or _known_error(event)
    for check in result.get_asset_check_evaluations():
        name = f"{check.asset_key.to_user_string()}: {check.check_name}"
        if check.passed:
            outcome.passed.append(name)
            if note := check.metadata.get("note"):
                outcome.notes.append(str(note.value))
            continue
        is_warning = check.severity == dg.AssetCheckSeverity.WARN
        (outcome.warned if is_warning else outcome.failed).append(f"{name}: {check.description}")
        if offenders := find_offenders(check):
            outcome.offenders[name] = offenders
    return outcome


def _numbers(metadata: Mapping[str, Any]) -> dict[str, int | float]:
    values = {name: getattr(value, "value", None) for name, value in metadata.items()}
    return {name: value for name, value in values.items() if isinstance(value, int | float)}


@contextmanager
def _canceled_when_interrupted(instance: dg.DagsterInstance, run_id: str) -> Iterator[None]:
    """Cancel a run that is interrupted before its first step: Dagster would leave it waiting."""
    try:
        yield
    except KeyboardInterrupt:
        run = instance.get_run_by_id(run_id)
        if run is not None and not run.is_finished:
            instance.report_run_canceled(run, f"{_ENDED} {_STOPPED}")
        raise errors.StoppedError(_STOPPED) from None


def _refuse_to_go_on_after_an_interrupt(
    instance: dg.DagsterInstance, result: JobExecutionResult
) -> None:
    """Dagster calls a run failed that nobody ended in the UI; it was canceled all the same."""
    interrupts = {"DagsterExecutionInterruptedError", "Interrupted", "KeyboardInterrupt"}
    causes = [error for event in result.all_events if (error := _root_cause(event)) is not None]
    stops = [error for error in causes if error.cls_name in interrupts]
    if not stops:
        if received():  # at the very end of the run, where Dagster does not pass it on
            raise errors.StoppedError(_STOPPED)
        return
    kept = stops[0].message.partition(": ")[2].strip() or _STOPPED
    run = instance.get_run_by_id(result.run_id)
    if run is not None:
        instance.report_run_canceled(run, f"{_ENDED} {kept}")
    raise errors.StoppedError(kept)


def _root_cause(event: dg.DagsterEvent) -> Any:
    """What was raised where a step or the run failed; None where nothing was.

    The cause that loky gives to what a worker raised is only the text of its traceback.
    """
    error = getattr(event.event_specific_data, "error", None) if event.is_failure else None
    while error is not None and error.cause and error.cause.cls_name != "_RemoteTraceback":
        error = error.cause
    return error


def _known_error(event: dg.DagsterEvent) -> str | None:
    """Return the name of the Df2Error that caused a failure, if one did."""
    error = getattr(event.event_specific_data, "error", None)
    while error is not None:
        kind = getattr(errors, error.cls_name or "", None)
        if isinstance(kind, type) and issubclass(kind, errors.Df2Error):
            return kind.__name__
        error = error.cause
    return None


def _problem(event: dg.DagsterEvent) -> list[str]:
    """Why a step or the run failed; nothing for a failed check, which speaks for itself."""
    error = getattr(event.event_specific_data, "error", None)
    if error is None or error.cls_name == CheckFailure.__name__:
        return []
    if error.cls_name == Failure.__name__:
        return [error.message.partition(": ")[2].strip()]
    return [f"{event.step_key or 'the run'} failed: {_root_cause(event).message.strip()}"]
