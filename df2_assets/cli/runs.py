"""Dagster runs of a job in this process, one per split, and their outcomes."""

import gc
import logging
import sys
import uuid
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
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
from df2_assets.signals import received_signal, restore_handlers

_REPOSITORY = RemoteRepositoryOrigin(
    RegisteredCodeLocationOrigin("df2_assets.definitions"), SINGLETON_REPOSITORY_NAME
)
"""The code location of `workspace.yaml`: Home, Jobs and the timeline show the runs of its jobs."""

_ENDED = "Ended by Ctrl-C or SIGTERM."
_STOPPED = "Stopped. What was finished is kept, and the next build continues from there."

_INTERRUPTS = {"DagsterExecutionInterruptedError", "Interrupted", "KeyboardInterrupt"}


@dataclass
class Outcome:
    """The outcome of a run: numbers by asset, checks by their result, and why the run failed.

    A line of `passed` is `asset: check`; in `warned` and `failed`, the summary of the check
    follows. `offenders` are by `asset: check`. `notes` explain what may surprise although nothing
    is wrong. `error` is the name of the Df2Error that ended the run, if one did.
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
    def check_counts(self) -> dict[str, object]:
        """The number of checks that passed, warned and failed, by the names of their columns."""
        return {
            "checks passed": len(self.passed),
            "warned": len(self.warned),
            "failed": len(self.failed),
        }

    def offender_lines(self, check: str) -> list[str]:
        """Return the first offenders of a line of `warned` or `failed`, and the file with all."""
        name = next((name for name in self.offenders if check.startswith(f"{name}: ")), None)
        if name is None:
            return []
        offenders = self.offenders[name]
        all_of_them = f"all {offenders.count:,}, in SKU_ROOT: {offenders.file}"
        return [f"  {line}" for line in [*offenders.first, all_of_them]]

    @property
    def ok(self) -> bool:
        """Whether the run succeeded and no check with severity ERROR failed."""
        return self.success and not self.failed


def run_all(
    settings: Settings,
    job: str = "build_dataset",
    assets: Sequence[str] | None = None,
    resources: Mapping[str, object] = {},
) -> list[Outcome]:
    """Run `job` for each split of `settings` as a command does, and return the outcomes.

    `--verbose` shows the log of the runs; without it and without `--quiet`, a terminal shows a
    progress bar. See `run_each`.
    """
    terminal = sys.stderr.isatty() and not (quiet() or verbose())
    level = "INFO" if verbose() else "CRITICAL"
    gc.freeze()  # what is imported stays: only what follows is searched for garbage
    gc.set_threshold(2_000)
    with _show_warnings():
        return [*run_each(settings, job, assets, terminal, level, resources)]


def run_each(
    settings: Settings,
    job: str = "build_dataset",
    assets: Sequence[str] | None = None,
    terminal: bool = False,
    log_level: str = "CRITICAL",
    resources: Mapping[str, object] = {},
) -> Generator[Outcome, None, None]:
    """Run `job` for one split of `settings` after the other, and yield the outcome of each run.

    `assets` are the assets of the job to materialize, by default all. `terminal` shows a progress
    bar. `log_level` is the level of the runs' log on the terminal. `resources` is run config for
    further resources.

    The smallest split comes first: mistakes show early, and the UI opens on the split that was
    built last. Raises StoppedError, see `run_split`.
    """
    defs = build_defs(settings, resource_overrides={"progress": ProgressChoice(terminal=terminal)})
    # A run that is executed again from the UI then uses the same data set.
    config = {"resources": {"data": {"config": DataRoots.values(settings)}, **resources}}
    with open_instance() as instance:
        for split in reversed(settings.splits):
            yield run_split(defs, instance, split, log_level, job, assets, config)


def describe_no_change(outcomes: Sequence[Outcome]) -> list[str]:
    """Return the line that says so where every run succeeded and none changed anything."""
    is_changed = any(outcome.changed or not outcome.success for outcome in outcomes)
    return [] if is_changed else ["Everything is up to date."]


def report_runs(
    outcomes: list[Outcome],
    as_json: bool,
    rows: Iterable[Mapping[str, object]],
    summary: Iterable[str],
    more: Mapping[str, Mapping[str, object]] = {},
) -> None:
    """Print the outcomes of runs as a table or as JSON, and exit with 1 if one of them is not well.

    Notes, warnings and problems follow the table, then the lines of `summary`. `more` are further
    entries of the JSON, by split.
    """
    if as_json:
        splits = [asdict(outcome) | {**more.get(outcome.split, {})} for outcome in outcomes]
        say_json({"splits": splits})
    else:
        say_table(rows)
        for outcome in outcomes:
            _report_run(outcome)
        for line in summary:
            say(line)
    if not all(outcome.ok for outcome in outcomes):
        raise SystemExit(1)


def _report_run(outcome: Outcome) -> None:
    for note in outcome.notes:
        say(f"note: {outcome.split}: {note}")
    for warning in outcome.warned:
        say(f"warning: {outcome.split}: {warning}")
        for line in outcome.offender_lines(warning):
            say(line)
    for problem in dict.fromkeys(outcome.failed + outcome.problems):
        click.secho(f"error: {outcome.split}: {with_options(problem)}", err=True, fg="red")
        for line in outcome.offender_lines(problem):
            click.echo(line, err=True)


@contextmanager
def _show_warnings() -> Iterator[None]:
    """Print what the package logs, such as the death of a worker, on standard error as well."""
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
    """Run `job`, or some of its assets, for `split`, and return the outcome.

    `instance` records the run like any other. `log_level` is the level of its log on the terminal,
    `config` is further run config. Raises StoppedError after Ctrl-C or SIGTERM.
    """
    job_def, run_id = defs.resolve_job_def(job), str(uuid.uuid4())
    loggers = {"console": {"config": {"log_level": log_level}}}
    with _cancel_when_interrupted(instance, run_id):
        run = instance.create_run_for_job(
            job_def,
            run_id=run_id,
            run_config={"loggers": loggers, **(config or {})},
            tags={**job_def.run_tags, PARTITION_TAG: split, **own_tags(run_id)},
            asset_selection=None if assets is None else {dg.AssetKey(name) for name in assets},
            remote_job_origin=RemoteJobOrigin(_REPOSITORY, job),
        )
        result = execute_run(InMemoryJob(job_def), run, instance)
        restore_handlers()
    _require_no_interrupt(instance, result)
    outcome = Outcome(split, result.success)
    for event in result.all_events:
        if event.is_step_materialization:
            materialization = event.step_materialization_data.materialization
            asset, metadata = materialization.asset_key.path[-1], materialization.metadata
            outcome.numbers[asset] = _numbers(metadata)
            if reason := metadata.get("rebuild_reason"):
                outcome.notes.append(f"{asset} rebuilt: {reason.value}")
            for name in ("taken_over", "kept", "declared", "removed_variants", "lacks"):
                if note := metadata.get(name):
                    outcome.notes += str(note.value).splitlines()
        elif event.is_step_failure or (event.is_job_failure and not outcome.problems):
            outcome.problems += _problems(event)
            outcome.error = outcome.error or _user_error(event)
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
def _cancel_when_interrupted(instance: dg.DagsterInstance, run_id: str) -> Iterator[None]:
    """Cancel a run that is interrupted before its first step: Dagster would leave it waiting."""
    try:
        yield
    except KeyboardInterrupt:
        run = instance.get_run_by_id(run_id)
        if run is not None and not run.is_finished:
            instance.report_run_canceled(run, f"{_ENDED} {_STOPPED}")
        raise errors.StoppedError(_STOPPED) from None


def _require_no_interrupt(instance: dg.DagsterInstance, result: JobExecutionResult) -> None:
    """Raise StoppedError, and cancel the run, where an interrupt ended it.

    Dagster calls such a run failed, unless it was ended in the UI.
    """
    causes = [chain[-1] for event in result.all_events if (chain := _error_chain(event))]
    interrupts = [error for error in causes if error.cls_name in _INTERRUPTS]
    if not interrupts:
        if received_signal():  # at the very end of the run, where Dagster does not pass it on
            raise errors.StoppedError(_STOPPED)
        return
    message = interrupts[0].message.partition(": ")[2].strip() or _STOPPED
    run = instance.get_run_by_id(result.run_id)
    if run is not None:
        instance.report_run_canceled(run, f"{_ENDED} {message}")
    raise errors.StoppedError(message)


def _error_chain(event: dg.DagsterEvent) -> list[Any]:
    """Return what a failed step or run raised, followed by its cause, the cause of that, and so on.

    It ends before the cause that loky gives to an error of a worker: the text of its traceback.
    """
    chain = []
    error = getattr(event.event_specific_data, "error", None) if event.is_failure else None
    while error is not None and error.cls_name != "_RemoteTraceback":
        chain.append(error)
        error = error.cause
    return chain


def _user_error(event: dg.DagsterEvent) -> str | None:
    """Return the name of the Df2Error that caused a failure, if one did."""
    for error in _error_chain(event):
        kind = getattr(errors, error.cls_name or "", None)
        if isinstance(kind, type) and issubclass(kind, errors.Df2Error):
            return kind.__name__
    return None


def _problems(event: dg.DagsterEvent) -> list[str]:
    """Return why a step or the run failed; nothing for a failed check, which is listed itself."""
    chain = _error_chain(event)
    if not chain or chain[0].cls_name == CheckFailure.__name__:
        return []
    if chain[0].cls_name == Failure.__name__:
        return [chain[0].message.partition(": ")[2].strip()]
    return [f"{event.step_key or 'the run'} failed: {chain[-1].message.strip()}"]
