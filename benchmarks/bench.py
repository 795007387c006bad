"""`make bench`: this project and the original recipe in turns, on the same input.

Turns, and not one after the other: a machine that is slower for a while is so for both. Every build
and every other output has a folder of its own, and nothing is deleted before all is measured: for
some minutes ext4 is slow to create files where many have just been deleted.
"""

import json
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
        """What it takes on the disk: the inputs, and what each turn writes.

        A turn writes the largest build, what the recipe and the codec make of the same images, and
        the smaller builds.
        """
        inputs = {_SPLIT: self.images + sum(self.smaller)}
        last = self.smaller[-1] if self.smaller else 0
        a_turn = 3 * self.images + sum(self.smaller) + len(self.workers) * last
        return bytes_of(inputs, {_SPLIT: self.photos}) + self.turns * a_turn * _BYTES_AN_IMAGE


class Inputs(NamedTuple):
    """A place by number of images, one without any, and the folder that all output goes to."""

    places: dict[int, Place]
    nothing: Place
    out: Path


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
    return Inputs(places, nothing, work / "out")


def take_turns(plan: Plan, inputs: Inputs) -> Result:
    """All turns: everything measured, nothing averaged."""
    # What is compiled and set up once for all.
    build(inputs.nothing.to(inputs.out / "first"), _SPLIT)
    turns = []
    for number in range(1, plan.turns + 1):
        click.echo(f"Turn {number} of {plan.turns}.")
        turns.append(_turn(plan, inputs, inputs.out / f"turn-{number}"))
    return {"machine": machine(), "images": plan.images, "photos": plan.photos, "turns": turns}


def _turn(plan: Plan, inputs: Inputs, out: Path) -> Result:
    places, nothing = inputs.places, inputs.nothing
    turn: Result = {
        "imports": float(run([sys.executable, "-c", _IMPORTS]).output),
        "nothing": build(nothing.to(out / "nothing"), _SPLIT),
        "nothing_of_three": build(nothing.to(out / "nothing-of-three"), *SPLITS),
        "smaller": {
            str(size): build(places[size].to(out / f"of-{size}"), _SPLIT) for size in plan.smaller
        },
        "workers": {
            str(count): build(
                places[plan.smaller[-1]].to(out / f"by-{count}"), _SPLIT, workers=count
            )
            for count in plan.workers
        },
    }
    whole = places[plan.images].to(out / "whole")
    turn["recipe"] = took(run(python("benchmarks.recipe", whole.df2_root, out / "recipe", _SPLIT)))
    turn["cold"] = build(whole, _SPLIT)
    codec = ("benchmarks.codec", whole.df2_root, whole.sku_root, _SPLIT, "--scratch", out / "codec")
    turn["codec"] = json.loads(run(python(*codec)).output)
    turn["unchanged"] = build(whole, _SPLIT)
    with _one_change(whole) as crops:
        turn["changed"] = build(whole, _SPLIT) | {"crops_of_image": crops}
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
