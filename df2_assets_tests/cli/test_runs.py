"""Runs of commands that are interrupted before or after their steps, where no step notices."""

import signal
from typing import Any

import dagster as dg
import pytest
from dagster._core.execution.api import execute_run
from dagster._utils.interrupts import capture_interrupts

from df2_assets.cli import runs
from df2_assets.definitions import build_defs
from df2_assets.errors import StoppedError
from df2_assets.signals import exit_with_signal_status
from df2_assets_tests.support.site import SPLIT, Site


def statuses(instance: dg.DagsterInstance) -> list[str]:
    return [run.status.value for run in instance.get_runs()]


def test_a_run_that_is_interrupted_before_its_first_step_is_canceled(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(runs, "execute_run", interrupted)
    with dg.DagsterInstance.ephemeral() as instance:
        with pytest.raises(StoppedError, match="What was finished is kept"):
            runs.run_split(build_defs(site.settings), instance, SPLIT)
        assert statuses(instance) == ["CANCELED"]


def test_a_signal_at_the_end_of_a_run_is_not_lost(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There, Dagster holds the signal back and then loses it."""
    execute = execute_run

    def told_to_end(*arguments: Any) -> Any:
        with capture_interrupts():
            result = execute(*arguments)
            signal.raise_signal(signal.SIGTERM)
        return result

    monkeypatch.setattr(runs, "execute_run", told_to_end)
    with (
        dg.DagsterInstance.ephemeral() as instance,
        pytest.raises(SystemExit) as end,
        exit_with_signal_status(),
    ):
        runs.run_split(build_defs(site.settings), instance, SPLIT)
    assert end.value.code == 143
