"""`make bench`: this project and the original recipe in turns, on the same input.

Turns, and not one after the other: a machine that is slower for a while is so for both.
"""

import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import click

from benchmarks.bench_report import bench_report
from benchmarks.builds import Place, Result, build, cores, took
from benchmarks.data import bytes_of, make_data_set, make_photos
from benchmarks.measure import PROJECT, python, run
from benchmarks.plot import plot
from benchmarks.report import keep, machine
from benchmarks.work_folder import ask_for_room, work_folder
from df2_assets.dataset.taxonomy import SPLITS

_SPLIT = "train"
_BYTES_AN_IMAGE = 60_000
"""What the crops of an image take, at most, here or in the recipe."""

_IMPORTS = """
import time, dagster
begun = time.perf_counter()
import df2_assets.definitions
print(time.perf_counter() - begun)
"""


@dataclass(frozen=True)
class Plan:
    """What is measured: builds of `images`, and of `smaller` numbers, `turns` times.

    `workers` are the numbers of processes to try, with the last of `smaller`.
    """

    images: int
    smaller: tuple[int, ...]
    workers: tuple[int, ...]
    turns: int
    photos: int

    def bytes(self) -> int:
        """What it takes on the disk: the inputs, one build, one run of the recipe."""
        inputs = {_SPLIT: self.images + sum(self.smaller)}
        return bytes_of(inputs, {_SPLIT: self.photos}) + 2 * self.images * _BYTES_AN_IMAGE


class Inputs(NamedTuple):
    """A place by number of images, one without any, and a folder for what is thrown away."""

    places: dict[int, Place]
    nothing: Place
    scratch: Path


@click.command()
@click.option("--images", default=20_000, show_default=True, help="Of the largest build.")
@click.option("--turns", default=5, show_default=True)
@click.option("--work", type=click.Path(path_type=Path), default=PROJECT / "data" / "bench")
def main(images: int, turns: int, work: Path) -> None:
    """Measure, and write table, plot and numbers into benchmarks/."""
    smaller, workers = (images // 20, images // 4), tuple(sorted({1, 2, cores()}))
    plan = Plan(images, smaller, workers, turns, photos=min(images, 2000))
    ask_for_room(work, plan.bytes(), ask=False)
    with work_folder(work):
        click.echo("Making the inputs.")
        results = take_turns(plan, prepare(plan, work))
    folder = PROJECT / "benchmarks"
    keep("bench", results, bench_report(results), folder)
    plot(results, folder / "results" / "scaling.png")


def prepare(plan: Plan, work: Path) -> Inputs:
    """Make the inputs under `work`."""
    photos = make_photos(work / "photos", {_SPLIT: plan.photos})
    places = {
        size: Place(work / f"in-{size}", work / "out", work / "home")
        for size in (*plan.smaller, plan.images)
    }
    for size, place in places.items():
        make_data_set(place.df2_root, {_SPLIT: size}, photos)
    nothing = Place(work / "in-nothing", work / "out-nothing", work / "home")
    make_data_set(nothing.df2_root, {_SPLIT: 0, "validation": 0}, {})
    return Inputs(places, nothing, work / "scratch")


def take_turns(plan: Plan, inputs: Inputs) -> Result:
    """All turns: everything measured, nothing averaged."""
    build(inputs.nothing, _SPLIT)  # what is compiled and set up once for all
    turns = []
    for number in range(1, plan.turns + 1):
        click.echo(f"Turn {number} of {plan.turns}.")
        turns.append(_turn(plan, inputs))
    return {"machine": machine(), "images": plan.images, "photos": plan.photos, "turns": turns}


def _turn(plan: Plan, inputs: Inputs) -> Result:
    places, nothing, scratch = inputs
    place = places[plan.images]
    turn: Result = {
        "imports": float(run([sys.executable, "-c", _IMPORTS]).output),
        "nothing": build(nothing, _SPLIT),
        "nothing_of_three": build(nothing, *SPLITS),
        "smaller": {str(size): build(places[size], _SPLIT) for size in plan.smaller},
        "workers": {
            str(count): build(places[plan.smaller[-1]], _SPLIT, workers=count)
            for count in plan.workers
        },
    }
    turn["recipe"] = took(run(python("benchmarks.recipe", place.df2_root, scratch, _SPLIT)))
    shutil.rmtree(scratch)
    turn["cold"] = build(place, _SPLIT)
    codec = python("benchmarks.codec", place.df2_root, place.sku_root, _SPLIT, "--scratch", scratch)
    turn["codec"] = json.loads(run(codec).output)
    shutil.rmtree(scratch)
    turn["unchanged"] = build(place, _SPLIT, cold=False)
    with _one_change(place) as crops:
        turn["changed"] = build(place, _SPLIT, cold=False) | {"crops_of_image": crops}
    return turn


@contextmanager
def _one_change(place: Place) -> Iterator[int]:
    """For a while, the boxes of one image are a row of pixels shorter; how many crops it has."""
    metadata = json.loads((place.sku_root / f"{_SPLIT}_sku_metadata.json").read_bytes())
    crops = [crop for sku in metadata["skus"].values() for crop in sku["query"]]
    image_id = crops[len(crops) // 2]["image_id"]
    path = place.df2_root / _SPLIT / "annos" / f"{image_id}.json"
    before = path.read_bytes()
    annotation = json.loads(before)
    for key, item in annotation.items():
        if key.startswith("item"):
            item["bounding_box"][3] -= 1
    path.write_text(json.dumps(annotation))
    yield sum(crop["image_id"] == image_id for crop in crops)
    path.write_bytes(before)


if __name__ == "__main__":
    main()
