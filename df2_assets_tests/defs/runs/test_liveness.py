"""The processes of runs: which of them are gone, and what becomes of their runs."""

import json
import os
import sys
import uuid

import dagster as dg
import pytest
from dagster._core.storage.tags import TagType, get_tag_type

from df2_assets.defs.runs.launcher import WatchfulRunLauncher
from df2_assets.defs.runs.liveness import PARTITION_TAG, fail_abandoned, is_gone, own_tags
from df2_assets_tests.support import processes

RUN = "its id"
"""A placeholder in tags for the id of their run."""

HOST = ".dagster/df2_assets_host"
STATES = ["NOT_STARTED", "STARTING", "STARTED", "CANCELING"]


@pytest.fixture(scope="module")
def ended() -> dict[str, str]:
    """The tags of a process that ended."""
    code = (
        "import json; from df2_assets.defs.runs.liveness import own_tags; "
        f"print(json.dumps(own_tags({RUN!r})))"
    )
    command = (sys.executable, "-c", code)
    tags: dict[str, str] = json.loads(processes.run(command, os.environ, processes.PROJECT).stdout)
    return tags


def run(tags: dict[str, str], state: str = "STARTED") -> dg.DagsterRun:
    run_id = str(uuid.uuid4())
    tags = {name: value.replace(RUN, run_id) for name, value in tags.items()}
    tags |= {PARTITION_TAG: "train"}
    return dg.DagsterRun("build_dataset", run_id, tags=tags, status=dg.DagsterRunStatus(state))


def reused(tags: dict[str, str]) -> dict[str, str]:
    """Return the tags of an earlier process with the id of this one."""
    return {name: value.replace(f"{RUN} ", f"{RUN} 1") for name, value in tags.items()}


def test_a_reused_process_id_is_recognized(ended: dict[str, str]) -> None:
    assert is_gone(run(own_tags(RUN))) is False
    assert is_gone(run(reused(own_tags(RUN)))) is True
    assert is_gone(run(ended)) is True


def test_the_state_of_a_run_on_another_machine_is_unknown(
    ended: dict[str, str],
) -> None:
    assert is_gone(run(ended | {HOST: "another"})) is None
    assert is_gone(run({})) is None


def test_a_reexecuted_run_is_not_confused_with_the_first(ended: dict[str, str]) -> None:
    """Dagster copies the tags of the first run, including the hidden ones."""
    first = run(ended)
    assert is_gone(first) is True
    assert is_gone(dg.DagsterRun("build_dataset", tags=first.tags)) is None


def test_the_ui_shows_none_of_the_tags() -> None:
    kinds = {get_tag_type(name) for name in own_tags(RUN)}  # type: ignore[no-untyped-call]
    assert kinds == {TagType.HIDDEN}


@pytest.mark.parametrize("state", STATES)
def test_the_next_build_fails_the_runs_whose_process_is_gone_and_no_other(
    state: str, instance: dg.DagsterInstance, ended: dict[str, str]
) -> None:
    abandoned, alive, elsewhere = (
        instance.add_run(run(tags, state))
        for tags in (ended, own_tags(RUN), ended | {HOST: "another"})
    )
    fail_abandoned(instance, "validation")
    assert status(instance, abandoned) == state
    fail_abandoned(instance, "train")
    assert status(instance, abandoned) == "FAILURE"
    assert status(instance, alive) == status(instance, elsewhere) == state


def status(instance: dg.DagsterInstance, of: dg.DagsterRun) -> str:
    found = instance.get_run_by_id(of.run_id)
    assert found is not None
    return found.status.value


def test_monitoring_learns_which_runs_are_gone(
    instance: dg.DagsterInstance, ended: dict[str, str]
) -> None:
    """For a run of the UI whose process is not known yet, its code server is asked."""
    launcher = WatchfulRunLauncher()
    launcher.register_instance(instance)
    assert launcher.supports_check_run_worker_health

    def health(tags: dict[str, str]) -> str:
        return launcher.check_run_worker_health(instance.add_run(run(tags))).status.value

    server = json.dumps({"host": "localhost", "socket": "/nowhere/at/all"})
    assert health(own_tags(RUN)) == "RUNNING"
    assert health(ended) == "FAILED"
    assert health({HOST: "another"}) == "RUNNING"
    assert health({".dagster/grpc_info": server}) == "FAILED"
