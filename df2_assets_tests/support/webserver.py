"""Dagster as it is operated: a DAGSTER_HOME, its commands, its UI and daemon, its API."""

import json
import os
import re
import shutil
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import dagster as dg

from df2_assets_tests.support import processes
from df2_assets_tests.support.processes import DAGSTER, PROJECT, Started, Text

DEVELOPMENT = PROJECT / ".dagster" / "dagster.yaml"
WORKSPACE = ("-w", str(PROJECT / "workspace.yaml"))
REPOSITORY = {
    "repositoryName": "__repository__",
    "repositoryLocationName": "df2_assets.definitions",
}
LOOPBACK = "0100007F"
"""127.0.0.1 as the kernel writes it."""

_LISTEN = "0A"
ENDED = {"SUCCESS", "FAILURE", "CANCELED"}


class Station(NamedTuple):
    """A DAGSTER_HOME with a configuration of ours, and where its runs build."""

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

    def checks(self, split: str) -> dict[str, bool]:
        """Whether each check of the split's last run has passed, as Dagster recorded it."""
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
    """A fresh station in `folder`, with what else its environment says."""
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
        """Launch a job as the launchpad does; the run's id."""
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

    def wait_for(self, run_id: str, status: str) -> None:
        """Poll until the run has ended; it must have ended so."""
        found = processes.wait_until(lambda: next(iter({self.status(run_id)} & ENDED), None))
        assert found == status

    def terminate(self, run_id: str) -> None:
        query = "mutation ($id: String!) { terminateRun(runId: $id) { __typename } }"
        assert self.ask(query, id=run_id)["terminateRun"]["__typename"] == "TerminateRunSuccess"

    def check(self, name: str, split: str) -> bool:
        """Whether the last evaluation of a check for the split has passed."""
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
        """Whether each schedule is RUNNING or STOPPED."""
        found = self.ask(
            """query ($repository: RepositorySelector!) {
                 schedulesOrError(repositorySelector: $repository) {
                   ... on Schedules { results { name scheduleState { status } } } } }""",
            repository=REPOSITORY,
        )["schedulesOrError"]["results"]
        return {one["name"]: one["scheduleState"]["status"] for one in found}


class Dev(NamedTuple):
    """`dagster dev` as it runs: the process, the station that it serves, its API."""

    process: Started
    station: Station
    api: Api

    def wait(self) -> "Dev":
        """Itself, once it answers."""
        processes.wait_until(self.api.answers, self.process)
        return self


@contextmanager
def dev(served: Station) -> Iterator[Dev]:
    """`dagster dev` over a station, started and not yet waited for."""
    port = free_port()
    command = (*DAGSTER, "dev", "--host", "127.0.0.1", "--port", str(port), *WORKSPACE)
    with processes.start(command, served.environment, served.folder) as process:
        yield Dev(process, served, Api(port))


@contextmanager
def production(served: Station) -> Iterator[Dev]:
    """Webserver and daemon apart, as docs/operations.md starts them, once the former answers."""
    port = free_port()
    python = (sys.executable, "-m")
    web = (*python, "dagster_webserver", "-h", "127.0.0.1", "-p", str(port), *WORKSPACE)
    daemon = (*python, "dagster._daemon", "run", *WORKSPACE)
    with (
        processes.start(web, served.environment, served.folder) as process,
        processes.start(daemon, served.environment, served.folder),
    ):
        yield Dev(process, served, Api(port)).wait()


def listening(pid: int) -> set[str]:
    """The addresses, in hexadecimal, on which a process and its descendants accept TCP."""
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
                found.add(fields[1].partition(":")[0])
    return found


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port
