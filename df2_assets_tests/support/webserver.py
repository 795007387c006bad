"""Dagster in operation: a DAGSTER_HOME, its commands, its UI and daemon, its API."""

import json
import os
import re
import shutil
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import dagster as dg

from df2_assets_tests.support import processes
from df2_assets_tests.support.processes import DAGSTER, DF2_ASSETS, PROJECT, Started, Text

DEVELOPMENT = PROJECT / "df2_assets" / "defs" / "dagster.yaml"
WORKSPACE = ("-w", str(PROJECT / "workspace.yaml"))
REPOSITORY = {
    "repositoryName": "__repository__",
    "repositoryLocationName": "df2_assets.definitions",
}
LOOPBACK = "0100007F"
"""127.0.0.1 in the format of the kernel."""

_MAPPED = "0000000000000000FFFF0000"
"""The prefix of an IPv4 address in the kernel's table of IPv6."""

_LISTEN = "0A"
ENDED = {"SUCCESS", "FAILURE", "CANCELED"}


class Station(NamedTuple):
    """A DAGSTER_HOME with our configuration, and the folders in which its runs build."""

    folder: Path
    df2_root: Path
    settings: Mapping[str, object] = {}

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def sku(self) -> Path:
        return self.folder / "sku"

    @property
    def environment(self) -> dict[str, str]:
        ours = {"DF2_ROOT": self.df2_root, "SKU_ROOT": self.sku, "DF2_WORKERS": 2}
        return processes.environment(self.home, **ours, **self.settings)

    def dagster(self, *arguments: str) -> Text:
        return processes.run((*DAGSTER, *arguments), self.environment, self.folder)

    def log(self) -> str:
        """Return everything that the runs have logged, with the errors of steps."""
        with dg.DagsterInstance.from_config(str(self.home)) as instance:
            entries = [e for run in instance.get_runs() for e in instance.all_logs(run.run_id)]
        return "\n".join(f"{entry.user_message} {entry.dagster_event}" for entry in entries)

    def checks(self, split: str) -> dict[str, bool]:
        """Return whether each check of the split's last run has passed, as Dagster recorded it."""
        with dg.DagsterInstance.from_config(str(self.home)) as instance:
            of_split = dg.RunsFilter(tags={"dagster/partition": split})
            (run,) = instance.get_runs(of_split, limit=1)
            logs = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION)
        events = [entry.dagster_event for entry in logs]
        found = [event.asset_check_evaluation_data for event in events if event is not None]
        assert {check.partition for check in found} == {split}
        return {f"{check.asset_key.path[-1]}: {check.check_name}": check.passed for check in found}


def station(
    folder: Path, df2_root: Path, configuration: Path = DEVELOPMENT, **settings: object
) -> Station:
    """Return a fresh station in `folder`, with further variables of its environment."""
    settings.setdefault("DF2_REPORTS_URL", f"http://127.0.0.1:{free_port()}")
    (folder / "home").mkdir()
    shutil.copy(configuration, folder / "home" / "dagster.yaml")
    return Station(folder, df2_root, settings)


class Api:
    """The GraphQL API of a running webserver."""

    def __init__(self, port: int) -> None:
        self.address = f"http://127.0.0.1:{port}"

    def ask(self, query: str, **variables: object) -> Any:
        body = json.dumps({"query": query, "variables": variables}).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.address}/graphql", body, headers)
        try:
            with urllib.request.urlopen(request, timeout=processes.PATIENCE) as response:
                answer = json.load(response)
        except urllib.error.HTTPError as refused:
            refused.add_note(refused.read().decode(errors="replace"))
            raise
        assert "errors" not in answer, answer
        return answer["data"]

    def answers(self) -> bool:
        try:
            return bool(self.ask("{ version }"))
        except OSError:
            return False

    def launch(
        self, split: str, config: dict[str, Any] | None = None, job: str = "build_dataset"
    ) -> str:
        """Launch a job as the launchpad does, and return the run id."""
        answer = self.ask(
            """mutation ($params: ExecutionParams!) { launchRun(executionParams: $params) {
                 __typename ... on LaunchRunSuccess { run { runId } } } }""",
            params={
                "selector": {**REPOSITORY, "jobName": job},
                "runConfigData": config or {},
                "executionMetadata": {"tags": [{"key": "dagster/partition", "value": split}]},
            },
        )["launchRun"]
        assert answer["__typename"] == "LaunchRunSuccess"
        return str(answer["run"]["runId"])

    def status(self, run_id: str) -> str:
        query = "query ($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"
        return str(self.ask(query, id=run_id)["runOrError"]["status"])

    def end(self, run_id: str) -> str:
        """Poll until the run has ended, and return how."""
        return processes.wait_until(lambda: next(iter({self.status(run_id)} & ENDED), None))

    def wait_for(self, run_id: str, status: str) -> None:
        """Poll until the run has ended, and assert how."""
        assert self.end(run_id) == status

    def evaluations(self, run_id: str) -> list[dict[str, Any]]:
        """Return the evaluations of a run: check, asset, partition, success and severity."""
        events = self.ask(
            """query ($id: ID!) { logsForRun(runId: $id) { ... on EventConnection { events {
                 ... on AssetCheckEvaluationEvent { evaluation {
                   checkName assetKey { path } partition success severity } } } } } }""",
            id=run_id,
        )["logsForRun"]["events"]
        return [event["evaluation"] for event in events if event]

    def runs(self, **tags: str) -> list[dict[str, Any]]:
        """Return the runs with these Dagster tags, in the order in which they started."""
        found: list[dict[str, Any]] = self.ask(
            """query ($filter: RunsFilter!) { runsOrError(filter: $filter) { ... on Runs {
                 results { runId status startTime endTime tags { key value } } } } }""",
            filter={"tags": [{"key": f"dagster/{k}", "value": v} for k, v in tags.items()]},
        )["runsOrError"]["results"]
        return sorted(found, key=lambda run: run["startTime"] or float("inf"))

    def terminate(self, run_id: str) -> None:
        query = "mutation ($id: String!) { terminateRun(runId: $id) { __typename } }"
        assert self.ask(query, id=run_id)["terminateRun"]["__typename"] == "TerminateRunSuccess"

    def check(self, name: str, split: str) -> bool:
        """Return whether the last evaluation of a check for the split has passed."""
        asset, _, check = name.partition(": ")
        (execution,) = self.ask(
            """query ($asset: AssetKeyInput!, $check: String!, $split: String!) {
                 assetCheckExecutions(
                   assetKey: $asset, checkName: $check, partition: $split, limit: 1
                 ) { partition evaluation { success } } }""",
            asset={"path": [asset]},
            check=check,
            split=split,
        )["assetCheckExecutions"]
        assert execution["partition"] == split
        return bool(execution["evaluation"]["success"])

    def schedules(self) -> dict[str, str]:
        """Return whether each schedule is RUNNING or STOPPED."""
        found = self.ask(
            """query ($repository: RepositorySelector!) {
                 schedulesOrError(repositorySelector: $repository) {
                   ... on Schedules { results { name scheduleState { status } } } } }""",
            repository=REPOSITORY,
        )["schedulesOrError"]["results"]
        return {one["name"]: one["scheduleState"]["status"] for one in found}


def split_of(run: dict[str, Any]) -> str:
    """Return the split of a run of `Api.runs`."""
    return str(next(t["value"] for t in run["tags"] if t["key"] == "dagster/partition"))


class Dev(NamedTuple):
    """A `dagster dev`: the process, its station and its API."""

    process: Started
    station: Station
    api: Api

    def wait(self) -> "Dev":
        """Wait until it answers, and return itself."""
        processes.wait_until(self.api.answers, self.process)
        return self


@contextmanager
def dev(served: Station) -> Iterator[Dev]:
    """Start `dagster dev` for a station. It may not answer yet."""
    port = free_port()
    command = (*DAGSTER, "dev", "--host", "127.0.0.1", "--port", str(port), *WORKSPACE)
    with processes.start(command, served.environment, served.folder) as process:
        yield Dev(process, served, Api(port))


@contextmanager
def reports(served: Station) -> Iterator[None]:
    """Run `df2-assets serve` for a station, until the block ends."""
    address = str(served.settings["DF2_REPORTS_URL"])

    def answers() -> bool:
        with suppress(OSError), urllib.request.urlopen(address):
            return True
        return False

    with processes.start((*DF2_ASSETS, "serve"), served.environment, served.folder) as process:
        processes.wait_until(answers, process)
        yield


def listening(pid: int) -> set[str]:
    """Return the IPv4 addresses, in hexadecimal, on which a process and its descendants listen."""
    found = set()
    inodes = set()
    for one in (pid, *processes.descendants(pid)):
        for link in Path(f"/proc/{one}/fd").glob("*"):
            with suppress(OSError):
                inodes |= set(re.findall(r"socket:\[(\d+)\]", os.readlink(link)))
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == _LISTEN and fields[9] in inodes:
                found.add(fields[1].partition(":")[0].removeprefix(_MAPPED))
    return found


def free_port() -> int:
    """Return a free port of 127.0.0.1."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port
