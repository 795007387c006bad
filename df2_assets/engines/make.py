"""Engines by the name of their kind, as the setting `DF2_ENGINE` has it."""

from df2_assets.engines.base import Engine
from df2_assets.engines.local import LocalEngine
from df2_assets.engines.processes import find_process_obstacle, require_processes
from df2_assets.engines.serial import SerialEngine


def make_engine(kind: str, workers: int | None = None, address: str = "") -> Engine:
    """Return an engine whose workers are not started yet. The caller closes it.

    `kind` is "local", "ray" or "serial". `workers` is the number of shards that run at the same
    time; None means one per core. `address` is the address of a Ray cluster; if it is empty, Ray
    starts on this machine. A single local worker is this process itself where no other can start.
    """
    if kind == "serial":
        return SerialEngine()
    if kind == "local":
        engine = LocalEngine(workers)
        return SerialEngine() if engine.workers == 1 and find_process_obstacle() else engine
    if kind == "ray":
        from df2_assets.engines.ray import RayEngine

        return RayEngine(address, workers)
    raise ValueError(f"There is no engine {kind!r}.")


def require_usable(kind: str, workers: int | None = None, address: str = "") -> None:
    """Raise SettingsError if the engine of `make_engine` cannot run. Does not load Ray."""
    if kind == "local" and LocalEngine(workers).workers > 1:
        require_processes()
    if kind == "ray":
        from df2_assets.engines.ray import require_ray

        require_ray(address)
