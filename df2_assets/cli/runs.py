"""A Dagster run of a job for one split, in this process, and what came of it."""

import gc
import logging
import re
import signal
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

import click
import dagster as dg

from df2_assets import errors
from df2_assets.cli.instance import open_instance
from df2_assets.cli.options import quiet, say, say_json, say_table, verbose
from df2_assets.definitions import build_defs
from df2_assets.defs.resources import ProgressChoice
from df2_assets.defs.runs.liveness import own_tags
from df2_assets.settings import Settings


@dataclass
class Outcome:
    """What a run left: numbers by asset, checks by what became of them, and why it failed.

    `notes` say what was rebuilt though its input is as it was, and why.
    """

    split: str
    success: bool
    numbers: dict[str, dict[str, int | float]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    passed: list[str] = field(default_factory=list)
    warned: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

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
    defs = build_defs(settings, resource_overrides={"progress": ProgressChoice(terminal=terminal)})
    level = "INFO" if verbose() else "CRITICAL"
    _end_with_the_terminal()
    gc.freeze()  # what is imported stays: the collector need not go through it again and again
    with open_instance() as instance, _warnings_shown():
        splits = reversed(settings.splits)
        return [run_split(defs, instance, split, level, job, assets) for split in splits]


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
            for kind, lines in (("note", one.notes), ("warning", one.warned)):
                for line in lines:
                    say(f"{kind}: {one.split}: {line}")
            for problem in dict.fromkeys(one.failed + one.problems):
                click.secho(f"error: {one.split}: {problem}", err=True, fg="red")
        for line in summary:
            say(line)
    if not all(one.well for one in outcomes):
        raise SystemExit(1)


def _end_with_the_terminal() -> None:
    """A closed terminal ends the run as SIGTERM does, unless told otherwise (`nohup`)."""
    hangup = getattr(signal, "SIGHUP", None)
    if hangup is not None and signal.getsignal(hangup) is signal.SIG_DFL:
        signal.signal(hangup, lambda *_: signal.raise_signal(signal.SIGTERM))


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
) -> Outcome:
    """Run `job`, or some of its assets, for `split`; it is recorded in `instance` like any other.

    `log_level` is of what the run logs to the terminal. Raises StoppedError after Ctrl-C or
    SIGTERM.
    """
    result = defs.resolve_job_def(job).execute_in_process(
        run_config={"loggers": {"console": {"config": {"log_level": log_level}}}},
        instance=instance,
        partition_key=split,
        asset_selection=None if assets is None else [dg.AssetKey(name) for name in assets],
        raise_on_error=False,
        tags=own_tags(),
    )
    _refuse_to_go_on_after_an_interrupt(instance, result)
    outcome = Outcome(split, result.success)
    for event in result.all_events:
        if event.is_step_materialization:
            made = event.step_materialization_data.materialization
            asset = made.asset_key.path[-1]
            outcome.numbers[asset] = _numbers(made.metadata)
            if reason := made.metadata.get("rebuild_reason"):
                outcome.notes.append(f"{asset} rebuilt: {reason.value}")
        elif event.is_step_failure or (event.is_job_failure and not outcome.problems):
            outcome.problems += _problem(event)
    for check in result.get_asset_check_evaluations():
        name = f"{check.asset_key.to_user_string()}: {check.check_name}"
        said = f"{name}: {check.description}"
        if check.passed:
            outcome.passed.append(name)
        elif check.severity == dg.AssetCheckSeverity.WARN:
            outcome.warned.append(said)
        else:
            outcome.failed.append(said)
    return outcome


def _numbers(metadata: Mapping[str, Any]) -> dict[str, int | float]:
    values = {name: getattr(value, "value", None) for name, value in metadata.items()}
    return {name: value for name, value in values.items() if isinstance(value, int | float)}


def _refuse_to_go_on_after_an_interrupt(
    instance: dg.DagsterInstance, result: dg.ExecuteInProcessResult
) -> None:
    """Dagster calls a run failed that nobody ended in the UI; it was canceled all the same."""
    names = {
        error.cls_name for event in result.all_events if (error := _root_cause(event)) is not None
    }
    if not names & {"DagsterExecutionInterruptedError", "KeyboardInterrupt"}:
        return
    run = instance.get_run_by_id(result.run_id)
    if run is not None:
        instance.report_run_canceled(run, "Ended by Ctrl-C or SIGTERM.")
    raise errors.StoppedError(
        "Stopped. What was finished is kept, and the next build goes on from there."
    )


def _root_cause(event: dg.DagsterEvent) -> Any:
    """What was raised where a step or the run failed; None where nothing was.

    The cause that loky gives to what a worker raised is only the text of its traceback.
    """
    error = getattr(event.event_specific_data, "error", None) if event.is_failure else None
    while error is not None and error.cause and error.cause.cls_name != "_RemoteTraceback":
        error = error.cause
    return error


def _problem(event: dg.DagsterEvent) -> list[str]:
    """The root cause of a failure; none for a failed check, which speaks for itself."""
    error = _root_cause(event)
    if error is None or error.cls_name == "DagsterAssetCheckFailedError":
        return []
    message = error.message.strip()
    if hasattr(errors, error.cls_name or ""):
        return [re.sub(r"^[\w.]+: ", "", message)]
    return [f"{event.step_key or 'the run'} failed: {message}"]
