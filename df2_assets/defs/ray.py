"""Ray as a resource of dagster-ray: needs the extra `ray`, so only what uses it imports this."""

from contextlib import ExitStack
from typing import Any

import dagster as dg
from dagster_ray import LocalRay
from pydantic import PrivateAttr

from df2_assets.engines.ray_cluster import connected


class Cluster(LocalRay):
    """A cluster that runs at `address`, or one of the run's own, with `workers` cores (0: all)."""

    address: str = ""
    workers: int = 0

    _open: ExitStack = PrivateAttr(default_factory=ExitStack)

    def connect(self, context: dg.InitResourceContext) -> Any:
        """Raises SettingsError where the cluster cannot be had.

        dagster-ray's own would set up Ray Data as well, which loads Dagster in a worker.
        """
        self._context = self._open.enter_context(connected(self.address, self.workers or None))
        if context.log is not None:
            context.log.info(f"Connected to Ray {self.address or 'of this run'}.")
        return self._context

    def cleanup(self, context: dg.InitResourceContext, exception: BaseException | None) -> None:
        """Disconnect; a Ray of the run's own ends."""
        self._open.close()
