"""The engine of a kind, for a run as for a command."""

from df2_assets.engines.base import Engine
from df2_assets.engines.local import LocalEngine
from df2_assets.engines.serial import SerialEngine


def make(kind: str, workers: int | None = None, address: str = "") -> Engine:
    """Return the engine `kind`, its workers not started yet; whoever asked for it closes it.

    `kind` is "local", "ray" or "serial". `workers` is how many shards run at the same time; None
    means one per core. `address` is that of a Ray cluster; empty, Ray starts on this machine.
    """
    if kind == "serial":
        return SerialEngine()
    if kind == "local":
        return LocalEngine(workers)
    if kind == "ray":
        from df2_assets.engines.ray import RayEngine

        return RayEngine(address, workers)
    raise ValueError(f"There is no engine {kind!r}.")


def require_usable(kind: str, address: str = "") -> None:
    """Raise SettingsError where the engine `kind` cannot be had. Loads nothing of Ray."""
    if kind == "ray":
        from df2_assets.engines.ray import require_ray

        require_ray(address)
