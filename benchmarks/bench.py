"""`make bench`: this project and the original recipe in turns, on the same input.

In turns, because a machine that is slower for a while is slower for both. Every build and every
other output has its own folder, and nothing is deleted before all is measured: for some minutes
ext4 is slow to create files where many have just been deleted.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import pandas as pd

from benchmarks.builds import SPLIT, Place, build, check_seconds
from benchmarks.data import bytes_of, make_data_set, make_photos
from benchmarks.figures import (
    MIB,
    Result,
    Row,
    Tables,
    by_turn,
    cores,
    goal,
    machine,
    spread,
    write,
)
from benchmarks.measure import python, run, work_folder
from df2_assets.dataset.taxonomy import SPLITS

_BYTES_PER_IMAGE = 60_000
"""What the crops of an image take, at most, here or in the recipe."""

_IMPORTS = """
import time, dagster
begun = time.perf_counter()
import df2_assets.definitions
print(time.perf_counter() - begun)
"""


@click.command()
@click.option("--images", default=20_000, show_default=True, help="Of the largest build.")
@click.option("--turns", default=5, show_default=True)
def main(images: int, turns: int) -> None:
    """Measure, and write tables and numbers into benchmarks/."""
    # The largest build, the recipe, the codec, two smaller builds and one by number of workers.
    images_per_turn = 3 * images + images // 20 + 4 * (images // 4)
    needed = bytes_of({SPLIT: 2 * images}, {SPLIT: 2000})
    with work_folder("bench", needed + turns * images_per_turn * _BYTES_PER_IMAGE) as work:
        results = measure(work, images, turns)
    write("bench", results, tables(results))


def measure(work: Path, images: int, turns: int) -> Result:
    """Make the inputs under `work` and take all turns: everything measured, nothing averaged."""
    click.echo("Making the inputs.")
    count = min(images, 2000)
    photos = make_photos(work / "photos", {SPLIT: count})
    places = {
        size: Place(make_data_set(work / f"in-{size}", {SPLIT: size}, photos), work, work / "home")
        for size in (images // 20, images // 4, images)
    }
    empty = make_data_set(work / "in-nothing", {SPLIT: 0, "validation": 0}, {})
    nothing = Place(empty, work / "out-nothing", work / "home")
    build(nothing, SPLIT)  # what is compiled and set up once for all
    done = []
    for turn in range(1, turns + 1):
        click.echo(f"Turn {turn} of {turns}.")
        done.append(_turn(places, nothing, work / f"out-{turn}"))
    return {"machine": machine(), "images": images, "photos": count, "turns": done}


def _turn(places: dict[int, Place], nothing: Place, out: Path) -> Result:
    *smaller, images = places
    whole, middle = places[images].to(out / "whole"), places[smaller[-1]]
    recipe = python("benchmarks.recipe", whole.df2_root, out / "recipe", SPLIT)
    codec = ("benchmarks.codec", whole.df2_root, whole.sku_root, SPLIT, "--scratch", out / "codec")
    turn: Result = {
        "imports": float(run([sys.executable, "-c", _IMPORTS]).output),
        "nothing": build(nothing.to(out / "nothing"), SPLIT),
        "nothing_of_three": build(nothing.to(out / "nothing-of-three"), *SPLITS),
        "smaller": {
            str(size): build(places[size].to(out / f"of-{size}"), SPLIT) for size in smaller
        },
        "workers": {
            str(count): build(middle.to(out / f"by-{count}"), SPLIT, workers=count)
            for count in sorted({1, 2, cores()})
        },
        "recipe": run(recipe).numbers,
        "cold": build(whole, SPLIT),
        "codec": json.loads(run(python(*codec)).output),
        "unchanged": build(whole, SPLIT),
    }
    with _one_change(whole) as crops:
        return turn | {"changed": build(whole, SPLIT) | {"crops_of_image": crops}}


@contextmanager
def _one_change(place: Place) -> Iterator[int]:
    """Cut a row of pixels off the boxes of one image for a while; yield its number of crops."""
    metadata = json.loads((place.sku_root / f"{SPLIT}_sku_metadata.json").read_bytes())
    crops = [crop for sku in metadata["skus"].values() for crop in sku["query"]]
    image_id = crops[len(crops) // 2]["image_id"]
    path = place.df2_root / SPLIT / "annos" / f"{image_id}.json"
    before = path.read_bytes()
    annotation = json.loads(before)
    for key, item in annotation.items():
        if key.startswith("item"):
            item["bounding_box"][3] -= 1
    path.write_text(json.dumps(annotation))
    yield sum(crop["image_id"] == image_id for crop in crops)
    path.write_bytes(before)


def tables(results: Result) -> Tables:
    """Return the goals, the cost by images and by workers, and where the time of a build goes."""
    images, turns = results["images"], by_turn(results)
    pictures = f"{images:,} images of {results['photos']:,} different pictures"
    return {
        f"Goals ({pictures}; builds beyond the fixed start)": _goals(results),
        "By images (seconds beyond the fixed start; memory beyond that of an empty split)": [
            _cost_row(turns, size, build) for size, build in _cold_builds(results).items()
        ],
        f"By workers ({list(_cold_builds(results))[-2]:,} images)": [
            {
                "workers": count,
                "seconds beyond the fixed start": spread(
                    _beyond(turns, f"workers.{count}"), "{:.2f}"
                ),
            }
            for count in results["turns"][0]["workers"]
        ],
        f"By stage (a cold build of {images:,} images)": [
            {
                "stage": stage,
                "seconds": spread(seconds, "{:.2f}"),
                "share": f"{seconds.median() / turns['cold.seconds'].median():.1%}",
            }
            for stage, seconds in stages(results).items()
        ],
    }


def cost_per_image(results: Result) -> dict[int, float]:
    """Return the median seconds per image beyond the fixed start, by the number of images."""
    turns = by_turn(results)
    return {
        size: _beyond(turns, build).median() / size for size, build in _cold_builds(results).items()
    }


def memory_beyond(turns: pd.DataFrame, build: str = "cold") -> "pd.Series[float]":
    """Return the MiB of a build at its peak beyond those of an empty split."""
    return (turns[f"{build}.peak_bytes"] - turns["nothing.peak_bytes"]) / MIB


def stages(results: Result) -> "dict[str, pd.Series[float]]":
    """Return the seconds of the cold build by stage and turn; their sum is the whole build.

    Decoding, encoding and writing are measured apart, in one process, and divided by the cores.
    """
    turns, cores = by_turn(results), results["machine"]["cores"]
    index = _number(turns, "cold", "raw_annotation_index", "seconds")
    crops = _number(turns, "cold", "crops", "seconds")
    decode, encode, files = (turns[f"codec.{of}"] / cores for of in ("decode", "encode", "write"))

    def step(asset: str, part: str) -> "pd.Series[float]":
        return turns[f"cold.splits.{SPLIT}.steps.{asset}.{part}"]

    with_tables = ("raw_annotation_index", "sku_groups", "crops", "refusals")
    found = {
        "index: annotations and image headers": index,
        "group": step("sku_groups", "body"),
        "decode": decode,
        "encode": encode,
        "write: files and digests": files,
        "rest of the crops step: plan, journal, idle cores": crops - decode - encode - files,
        "tables: read, compared, written": step("refusals", "body")
        + sum(step(asset, "load") + step(asset, "store") for asset in with_tables),
        "metadata and JSONL": step("sku_metadata", "total") + step("image_text", "total"),
        "checks": _checks(results),
    }
    return found | {"start, imports and Dagster": turns["cold.seconds"] - sum(found.values())}


def _goals(results: Result) -> list[Row]:
    turns, images = by_turn(results), results["images"]
    recipe, cold, unchanged = turns["recipe.seconds"], _beyond(turns), _beyond(turns, "unchanged")
    codec = (turns["codec.decode"] + turns["codec.encode"]) / results["machine"]["cores"]
    crops, crops_again = (_number(turns, of, "crops", "seconds") for of in ("cold", "unchanged"))
    index = _number(turns, "cold", "raw_annotation_index", "seconds")
    checks = _checks(results) / turns["cold.seconds"]
    decoded = _number(turns, "changed", "crops", "images_decoded")
    remade = _number(turns, "changed", "crops", "remade")
    limit = f"the codec alone: {(recipe / codec).median():.2f} times"
    of_image = f"{remade[0]} crops made, {turns['changed.crops_of_image'][0]} are of that image"
    beyond_unchanged = turns["changed.seconds"] - turns["unchanged.seconds"]
    three = turns["nothing_of_three.seconds"]
    return [
        goal("fixed start: one empty split", turns["nothing.seconds"], "{:.2f} s", most=3.5),
        goal("fixed start: three empty splits", three, "{:.2f} s", most=6),
        goal("cold build, of the codec's time / cores", cold / codec, "{:.2f}", most=1.15),
        goal("times as fast as the recipe", recipe / cold, "{:.2f}", least=3, note=limit),
        goal("unchanged rerun, of the cold build", unchanged / cold, "{:.1%}", most=0.05),
        goal("its crops step: times as fast as cold", crops / crops_again, "{:.0f}", least=50),
        goal("one change: images decoded", decoded, "{:.0f}", least=1, most=1, note=of_image),
        goal("one change: beyond an unchanged rerun", beyond_unchanged, "{:.2f} s", most=1),
        goal("index step of a cold build, images/s", images / index, "{:,.0f}", least=10_000),
        goal("checks, of the cold build", checks, "{:.1%}", most=0.05),
        goal("import of the definitions, beyond dagster", turns["imports"], "{:.2f} s", most=1),
        goal("peak memory beyond an empty split", memory_beyond(turns), "{:,.0f} MiB", most=1024),
    ]


def _cost_row(turns: pd.DataFrame, size: int, build: str) -> Row:
    seconds = _beyond(turns, build)
    return {
        "images": f"{size:,}",
        "seconds": spread(seconds, "{:.2f}"),
        "ms per image": f"{1000 * seconds.median() / size:.2f}",
        "images/s": f"{size / seconds.median():,.0f}",
        "peak memory": spread(memory_beyond(turns, build), "{:.0f} MiB"),
    }


def _cold_builds(results: Result) -> dict[int, str]:
    """Return where the cold builds are in a turn, by their numbers of images."""
    smaller = {int(size): f"smaller.{size}" for size in results["turns"][0]["smaller"]}
    return {**smaller, results["images"]: "cold"}


def _beyond(turns: pd.DataFrame, build: str = "cold") -> "pd.Series[float]":
    """Return the seconds of a build beyond those of an empty split."""
    return turns[f"{build}.seconds"] - turns["nothing.seconds"]


def _number(turns: pd.DataFrame, build: str, asset: str, name: str) -> "pd.Series[float]":
    return turns[f"{build}.splits.{SPLIT}.numbers.{asset}.{name}"]


def _checks(results: Result) -> "pd.Series[float]":
    return pd.Series([check_seconds(turn["cold"]["splits"][SPLIT]) for turn in results["turns"]])


if __name__ == "__main__":
    main()
