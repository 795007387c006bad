"""The run queue of the UI and the daemon: Dagster's, with the smallest split first.

Dagster queues the runs of a backfill of assets by the name of their partition.
"""

# No public names in Dagster 1.13, whose version is bounded.
import dagster as dg
from dagster._core.run_coordinator import QueuedRunCoordinator, SubmitRunContext
from dagster._core.storage.tags import PRIORITY_TAG

from df2_assets.defs.partitions import splits
from df2_assets.defs.runs.liveness import PARTITION_TAG


class SmallestFirstRunCoordinator(QueuedRunCoordinator):
    """Gives a run the priority of its split, unless somebody gave it another."""

    def submit_run(self, context: SubmitRunContext) -> dg.DagsterRun:
        """Queue a run."""
        run, names = context.dagster_run, splits.get_partition_keys()
        split = run.tags.get(PARTITION_TAG)
        if split in names and PRIORITY_TAG not in run.tags:
            priority = len(names) - names.index(split)
            self._instance.add_run_tags(run.run_id, {PRIORITY_TAG: str(priority)})
        return super().submit_run(context)
