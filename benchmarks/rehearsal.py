"""`make rehearsal`: a data set with the numbers of the release, through the real command.

What the pictures show is made up; how many images, items, SKUs and crops there are is not.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import click

from benchmarks.builds import Place, Result, build, took
from benchmarks.data import (
    FULL_SIZE,
    FULL_SIZE_PHOTOS,
    bytes_of,
    make_data_set,
    make_photos,
    take_part,
)
from benchmarks.measure import PROJECT, python, run
from benchmarks.rehearsal_report import rehearsal_report
from benchmarks.report import keep, load, machine
from benchmarks.ui import page_seconds
from benchmarks.work_folder import ask_for_room, work_folder
from df2_assets.dataset.taxonomy import ANNOTATED_SPLITS

_BYTES_AN_IMAGE = 48_000
"""What the crops of an annotated image take, with tables, metadata and prompts."""


@dataclass(frozen=True)
class Plan:
    """`images` and different `photos` by split; `part` images of train for the recipe.

    The codec is measured on one image in `every`.
    """

    images: Mapping[str, int]
    photos: Mapping[str, int]
    part: int
    every: int

    @property
    def annotated(self) -> int:
        return sum(self.images.get(split, 0) for split in ANNOTATED_SPLITS)

    def bytes(self) -> int:
        """What it takes on the disk: inputs, build, and twice the recipe's part."""
        crops = (self.annotated + 2 * self.part) * _BYTES_AN_IMAGE
        return bytes_of(self.images, self.photos) + crops


class Inputs(NamedTuple):
    """The data set, one without any image, some of the train images, and a folder for output."""

    whole: Place
    nothing: Place
    part: Path
    out: Path


@click.command()
@click.option("--yes", is_flag=True, help="Do not ask whether there is room.")
@click.option("--keep", "kept", type=click.Path(path_type=Path), help="Work here and leave it.")
@click.option("--ui", is_flag=True, help="Measure the pages of the assets in Dagster's UI too.")
def main(yes: bool, kept: Path | None, ui: bool) -> None:
    """Build a made-up data set of full size with every check, and write what it took."""
    plan = Plan(FULL_SIZE, FULL_SIZE_PHOTOS, part=5000, every=10)
    work = kept.absolute() if kept else PROJECT / "data" / "rehearsal"
    ask_for_room(work, plan.bytes(), ask=not yes)
    with work_folder(work, keep=kept is not None):
        click.echo("Making the data.")
        inputs = prepare(plan, work)
        click.echo("Building all of it, cold and unchanged.")
        results = rehearse(plan, inputs, ui=ui)
    folder = PROJECT / "benchmarks"
    keep("rehearsal", results, rehearsal_report(results, load("bench", folder)), folder)


def prepare(plan: Plan, work: Path) -> Inputs:
    """Make the data under `work`."""
    photos = make_photos(work / "photos", plan.photos)
    whole = Place(make_data_set(work / "in", plan.images, photos), work / "out", work / "home")
    part = take_part(work / "in-part", whole.df2_root, "train", plan.part)
    nothing = Place(work / "in-nothing", work / "out-nothing", work / "home")
    make_data_set(nothing.df2_root, dict.fromkeys(ANNOTATED_SPLITS, 0), {})
    return Inputs(whole, nothing, part, work / "out-recipe")


def rehearse(plan: Plan, inputs: Inputs, *, ui: bool) -> Result:
    """Build the data cold, then unchanged: all that was measured."""
    whole, nothing, part, out = inputs
    splits = tuple(plan.images)
    results: Result = {
        "machine": machine(),
        "images": dict(plan.images),
        "photos": dict(plan.photos),
        "part": plan.part,
        "recipe": [_recipe(part, out / "before")],
        "cold": build(whole, *splits),
    }
    results["recipe"].append(_recipe(part, out / "after"))
    results["disk"] = _disk(whole.sku_root)
    results["unchanged"] = build(whole, *splits)
    results["nothing"] = build(nothing, *splits)
    annotated = [split for split in splits if split in ANNOTATED_SPLITS]
    codec = python("benchmarks.codec", whole.df2_root, whole.sku_root, *annotated)
    results["codec"] = json.loads(run([*codec, "--every", str(plan.every)]).output)
    if ui:
        results["pages"] = page_seconds(whole)
    return results


def _recipe(part: Path, out: Path) -> Result:
    return took(run(python("benchmarks.recipe", part, out, "train")))


def _disk(sku_root: Path) -> Result:
    """Files under `sku_root`, their bytes, and what they take on the disk."""
    found = [path.stat() for path in sku_root.rglob("*") if path.is_file()]
    return {
        "files": len(found),
        "bytes": sum(one.st_size for one in found),
        "taken": sum(one.st_blocks * 512 for one in found),
    }


if __name__ == "__main__":
    main()
