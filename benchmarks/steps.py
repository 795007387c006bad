"""Where a build's seconds went, from what Dagster has recorded of its run."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import dagster as dg

CHECKS: Final = "_checks"
"""What the names of steps end with that hold only checks."""


@dataclass(frozen=True)
class Step:
    """Seconds of a step: reading its inputs, its own work, writing its table; all of it."""

    load: float
    body: float
    store: float
    total: float


def steps_of_last_run(home: Path, split: str) -> dict[str, Step]:
    """The steps of the last run for `split` in the instance at `home`, by name."""
    with dg.DagsterInstance.from_config(str(home)) as instance:
        runs = dg.RunsFilter(tags={"dagster/partition": split})
        (run,) = instance.get_runs(runs, limit=1)
        times: dict[str, dict[str, list[float]]] = {}
        for entry in instance.all_logs(run.run_id):
            if entry.dagster_event and entry.step_key:
                kind = entry.dagster_event.event_type_value
                times.setdefault(entry.step_key, {}).setdefault(kind, []).append(entry.timestamp)
    return {name: _step(of) for name, of in times.items() if "STEP_SUCCESS" in of}


def _step(times: dict[str, list[float]]) -> Step:
    start, end = times["STEP_START"][0], times["STEP_SUCCESS"][0]
    loaded = times.get("STEP_INPUT", [start])[-1]
    made = times["STEP_OUTPUT"][0]
    stored = times.get("HANDLED_OUTPUT", [made])[-1]
    parts = loaded - start, made - loaded, stored - made, end - start
    return Step(*(round(part, 4) for part in parts))
