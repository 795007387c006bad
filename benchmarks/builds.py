"""Builds through the real command, and what each took."""

import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from benchmarks.measure import Measured, python, run
from benchmarks.steps import CHECKS, steps_of_last_run

Result = dict[str, Any]
"""What was measured, as it is kept in JSON."""

_KEPT: Final = {
    "raw_annotation_index": ("seconds", "annotations_read"),
    "crops": ("seconds", "images_decoded", "crops", "bytes", "added", "removed", "remade"),
    "sku_metadata": ("skus", "crops"),
    "refusals": ("refused",),
}
"""Of the numbers that `build --json` prints, those that results keep."""

_TIMED: Final = ("raw_annotation_index", "crops")
"""The assets that say how long their own work took."""


@dataclass(frozen=True)
class Place:
    """A `DF2_ROOT`, the `SKU_ROOT` that is made of it, and the `DAGSTER_HOME` that remembers."""

    df2_root: Path
    sku_root: Path
    home: Path

    @property
    def environment(self) -> dict[str, str]:
        return {
            "DF2_ROOT": str(self.df2_root),
            "SKU_ROOT": str(self.sku_root),
            "DAGSTER_HOME": str(self.home),
        }

    def to(self, sku_root: Path) -> "Place":
        """The same input, built into another folder."""
        return replace(self, sku_root=sku_root)

    def without_paths(self, text: str) -> str:
        """The text with both roots by name: where they lie is nobody's business."""
        return text.replace(str(self.df2_root), "DF2_ROOT").replace(str(self.sku_root), "SKU_ROOT")


def build(place: Place, *splits: str, workers: int | None = None, engine: str = "local") -> Result:
    """Build `splits` on an engine: what it took, and `splits` with what each run said.

    Raises FailedError where a run, or a check with severity ERROR, fails.
    """
    options = [option for split in splits for option in ("--split", split)]
    if workers:
        options += ["--workers", str(workers)]
    done = run(
        python("df2_assets", "build", "--json", *options),
        place.environment | {"DF2_ENGINE": engine},
    )
    runs = {}
    for outcome in json.loads(done.output)["splits"]:
        steps = steps_of_last_run(place.home, outcome["split"])
        runs[outcome["split"]] = {
            "numbers": {
                asset: {name: outcome["numbers"][asset][name] for name in names}
                for asset, names in _KEPT.items()
            },
            "passed": outcome["passed"],
            "warned": [place.without_paths(said) for said in outcome["warned"]],
            "steps": {name: asdict(step) for name, step in steps.items()},
        }
    return took(done) | {"splits": runs}


def took(measured: Measured) -> Result:
    """Seconds, processor seconds and peak memory."""
    return {
        "seconds": round(measured.seconds, 3),
        "cpu": round(measured.cpu, 3),
        "peak_bytes": measured.peak_bytes,
    }


def check_seconds(split: Result) -> float:
    """What the checks of a split took, those that come with their asset's own step among them.

    Of the steps that time themselves, all that is neither their work nor their table counts as
    checking: too much rather than too little (the contact sheet is in it).
    """
    steps, numbers = split["steps"], split["numbers"]
    own = (steps[name]["body"] - numbers[name]["seconds"] for name in _TIMED)
    apart = (of["total"] for name, of in steps.items() if name.endswith(CHECKS))
    return float(sum(own) + sum(apart))


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0))
