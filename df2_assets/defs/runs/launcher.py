"""The run launcher of the UI and the daemon, which also checks whether runs are alive.

A run holds back later runs of the same split. Without the check, a run whose process was killed
together with its code server would hold them back forever.
"""

# Dagster 1.13, whose version is bounded, has no public names for these.
import dagster as dg
from dagster._core.errors import DagsterUserCodeUnreachableError
from dagster._core.launcher import CheckRunHealthResult, DefaultRunLauncher, WorkerStatus
from dagster._grpc.types import CanCancelExecutionRequest, CanCancelExecutionResult
from dagster._serdes import deserialize_value

from df2_assets.defs.runs.liveness import is_gone


class WatchfulRunLauncher(DefaultRunLauncher):
    """A launcher with which run monitoring marks a run as failed when its process is gone."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Return whether a run is alive. A run of unknown state counts as running."""
        gone = is_gone(run)
        if gone is None:
            gone = self._unknown_to_its_code_server(run)
        if gone:
            return CheckRunHealthResult(WorkerStatus.FAILED, "its process is gone")
        return CheckRunHealthResult(WorkerStatus.RUNNING)

    def _unknown_to_its_code_server(self, run: dg.DagsterRun) -> bool:
        client = self._get_grpc_client_for_termination(run.run_id)  # type: ignore[no-untyped-call]
        if client is None:
            return False
        try:
            answer = client.can_cancel_execution(CanCancelExecutionRequest(run_id=run.run_id))
        except DagsterUserCodeUnreachableError:
            return True
        return not deserialize_value(answer, CanCancelExecutionResult).can_cancel
