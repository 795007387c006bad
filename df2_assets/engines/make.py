"""The engine of a kind, for a run as for a command."""

from contextlib import ExitStack

from df2_assets.engines.base import Engine
from df2_assets.engines.local import LocalEngine


def make(kind: str, workers: int | None = None, address: str = "") -> Engine:
    """Return the engine `kind`, its workers not started yet; whoever asked for it closes it.

    `kind` is "local" or "ray". `workers` is how many shards run at the same time; None means one
    per core. `address` is that of a Ray cluster; empty, Ray starts on this machine.
    """
    if kind == "local":
        return LocalEngine(workers)
    from df2_assets.engines.ray import RayEngine
    from df2_assets.engines.ray_cluster import connected

    stack = ExitStack()

    class Connected(RayEngine):
        def close(self) -> None:
            stack.close()

    return Connected(lambda: stack.enter_context(connected(address, workers)), workers)


def require_usable(kind: str, address: str = "") -> None:
    """Raise SettingsError where the engine `kind` cannot be had. Loads nothing of Ray."""
    if kind == "ray":
        from df2_assets.engines.ray_cluster import refuse_unusable

        refuse_unusable(address)
