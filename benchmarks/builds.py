"""Builds through the real command, and what each took."""

import hashlib
import json
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Final

import dagster as dg

from benchmarks.figures import Result
from benchmarks.measure import python_command, run
from df2_assets.dataset.taxonomy import DOMAINS

SPLIT: Final = "train"
"""The split that benchmarks build if they build only one."""

_KEPT: Final = {
    "raw_annotation_index": ("seconds", "annotations_read"),
    "crops": ("seconds", "images_decoded", "crops", "bytes", "added", "removed", "remade"),
    "sku_metadata": ("skus", "crops"),
    "refusals": ("refused",),
}
"""The numbers of `build --json` that results keep."""

_TIMED: Final = ("raw_annotation_index", "crops")
"""The assets that report how long their own work took."""


@dataclass(frozen=True)
class Place:
    """A `DF2_ROOT`, the `SKU_ROOT` that is built from it, and the `DAGSTER_HOME` of the runs."""

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
        """Return the same input and history with another folder for the output."""
        return replace(self, sku_root=sku_root)

    def without_paths(self, text: str) -> str:
        """Return the text with the names of both roots instead of their paths."""
        return text.replace(str(self.df2_root), "DF2_ROOT").replace(str(self.sku_root), "SKU_ROOT")


def build(
    place: Place,
    *splits: str,
    workers: int | None = None,
    engine: str = "local",
    cores: int | None = None,
) -> Result:
    """Build `splits` and return what that took, and under `splits` the numbers of each run.

    `cores` limits the build to so many cores. Raises FailedError if a run, or a check with severity
    ERROR, fails.
    """
    options = [option for split in splits for option in ("--split", split)]
    if workers:
        options += ["--workers", str(workers)]
    command = python_command("df2_assets", "build", "--json", *options)
    measured = run(command, place.environment | {"DF2_ENGINE": engine}, cores=cores)
    runs = {
        outcome["split"]: {
            "numbers": {
                asset: {name: outcome["numbers"][asset][name] for name in names}
                for asset, names in _KEPT.items()
            },
            "passed": outcome["passed"],
            "warned": [place.without_paths(text) for text in outcome["warned"]],
            "steps": _steps_of_last_run(place.home, outcome["split"]),
        }
        for outcome in json.loads(measured.output)["splits"]
    }
    return {**measured.numbers, "splits": runs}


def run_recipe(
    place: Place,
    sku_root: Path,
    *splits: str,
    processes: int | None = None,
    cores: int | None = None,
) -> Result:
    """Run the recipe, with `processes` in a pool of them, and return what that took."""
    command = python_command("benchmarks.recipe", place.df2_root, sku_root, *splits or (SPLIT,))
    if processes:
        command += ["--processes", str(processes)]
    return run(command, cores=cores).numbers


def command_seconds(place: Place, *arguments: str) -> float:
    """Return the wall seconds of a command of `df2-assets`."""
    return float(
        run(python_command("df2_assets", *arguments), place.environment).numbers["seconds"]
    )


def main_per_image(build: Result, nothing: Result, images: int) -> float:
    """Return the processor µs of the main process per image, beyond a build of empty splits."""
    return 1e6 * float(build["main"] - nothing["main"]) / images


def digest_output(sku_root: Path) -> str:
    """Return a digest of the paths and bytes of all crops, the JSONL, and the SKUs."""
    combined = hashlib.sha256((sku_root / f"{SPLIT}_image_text.jsonl").read_bytes())
    metadata = json.loads((sku_root / f"{SPLIT}_sku_metadata.json").read_bytes())
    combined.update(json.dumps(metadata["skus"]).encode())
    folders = [sku_root / SPLIT / domain for domain in DOMAINS.values()]
    for path in sorted(path for folder in folders for path in folder.rglob("*.jpg")):
        combined.update(path.relative_to(sku_root).as_posix().encode())
        combined.update(path.read_bytes())
    return combined.hexdigest()


def read_number(build: Result, asset: str, name: str) -> float:
    """Return a number of `asset` from the build of the one split that most benchmarks build."""
    return float(build["splits"][SPLIT]["numbers"][asset][name])


def check_seconds(split: Result) -> float:
    """Return the seconds that the checks of a split took, with those inside the steps of assets.

    In the steps that time themselves, everything except their work and their table counts as
    checking. The result is rather too high than too low: it includes the contact sheet.
    """
    steps, numbers = split["steps"], split["numbers"]
    inside = sum(steps[name]["body"] - numbers[name]["seconds"] for name in _TIMED)
    return float(inside + sum(steps[name]["total"] for name in steps if name.endswith("_checks")))


def _steps_of_last_run(home: Path, split: str) -> dict[str, dict[str, float]]:
    """Return the seconds of each step of the last run for `split`, from Dagster's events.

    `load` is reading the inputs, `body` the step's own work, `store` writing its table.
    """
    times: dict[str, dict[str, list[float]]] = {}
    with dg.DagsterInstance.from_config(str(home)) as instance:
        runs = dg.RunsFilter(tags={"dagster/partition": split})
        (last,) = instance.get_runs(runs, limit=1)
        for entry in instance.all_logs(last.run_id):
            if entry.dagster_event and entry.step_key:
                kinds = times.setdefault(entry.step_key, {})
                kinds.setdefault(entry.dagster_event.event_type_value, []).append(entry.timestamp)
    return {name: _step(kinds) for name, kinds in times.items() if "STEP_SUCCESS" in kinds}


def _step(times: dict[str, list[float]]) -> dict[str, float]:
    start, end = times["STEP_START"][0], times["STEP_SUCCESS"][0]
    loaded = times.get("STEP_INPUT", [start])[-1]
    output = times["STEP_OUTPUT"][0]
    stored = times.get("HANDLED_OUTPUT", [output])[-1]
    parts = [until - since for since, until in pairwise((start, loaded, output, stored))]
    names = ("load", "body", "store", "total")
    return {name: round(part, 4) for name, part in zip(names, [*parts, end - start], strict=True)}
