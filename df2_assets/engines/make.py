"""The engine of a kind, for a run as for a command."""

from df2_assets.engines.base import Engine
from df2_assets.engines.local import LocalEngine
from df2_assets.engines.processes import require_processes, why_no_processes
from df2_assets.engines.serial import SerialEngine


def make(kind: str, workers: int | None = None, address: str = "") -> Engine:
    """Return the engine `kind`, its workers not started yet; whoever asked for it closes it.

    `kind` is "local", "ray" or "serial". `workers` is how many shards run at the same time; None
    means one per core. `address` is that of a Ray cluster; empty, Ray starts on this machine.
    A single local worker is this process itself where no other can be started.
    """
    if kind == "serial":
        return SerialEngine()
    if kind == "local":
        engine = LocalEngine(workers)
        return SerialEngine() if engine.workers == 1 and why_no_processes() else engine
    if kind == "ray":
        from df2_assets.engines.ray import RayEngine

        return RayEngine(address, workers)
    raise ValueError(f"There is no engine {kind!r}.")


def require_usable(kind: str, workers: int | None = None, address: str = "") -> None:
    """Raise SettingsError where an engine, as `make` takes it, cannot run. Loads nothing of Ray."""
    if kind == "local" and LocalEngine(workers).workers > 1:
        require_processes()
    if kind == "ray":
        from df2_assets.engines.ray import require_ray

        require_ray(address)
