"""The run queue of the UI and the daemon, which starts the smallest split first.

Dagster's own queue sorts the runs of a backfill by the name of their partition. Its limits know the
partition of a run but not the data set, and two data sets have splits of the same names.
"""

from collections.abc import Sequence

# Dagster 1.13, whose version is bounded, has no public names for these.
import dagster as dg
from dagster._core.run_coordinator import QueuedRunCoordinator, SubmitRunContext
from dagster._core.storage.tags import PRIORITY_TAG

from df2_assets.defs.names import DATA_SET_TAG
from df2_assets.defs.partitions import splits
from df2_assets.defs.runs.liveness import PARTITION_TAG

SPLIT_TAG = ".dagster/df2_assets_split"
"""The tag with the data set and split of a run, by which `dagster.yaml` limits runs."""


class SmallestFirstRunCoordinator(QueuedRunCoordinator):
    """A queue that tags runs with SPLIT_TAG and, unless they have a priority, that of the split."""

    def submit_run(self, context: SubmitRunContext) -> dg.DagsterRun:
        """Tag a run and queue it."""
        run, names = context.dagster_run, splits.get_partition_keys()
        split = run.tags.get(PARTITION_TAG)
        if split in names:
            priority = run.tags.get(PRIORITY_TAG, str(len(names) - names.index(split)))
            tags = {PRIORITY_TAG: priority, SPLIT_TAG: "/".join([*_prefix(run), str(split)])}
            self._instance.add_run_tags(run.run_id, tags)
        return super().submit_run(context)


def _prefix(run: dg.DagsterRun) -> Sequence[str]:
    """Return the prefix of a run's data set, from the tag of its job or the keys of its assets."""
    if DATA_SET_TAG in run.tags:
        return [run.tags[DATA_SET_TAG]]
    checked = {check.asset_key for check in run.asset_check_selection or ()}
    return next((key.path[:-1] for key in run.asset_selection or checked), [])
