"""`make bench`: this project, the original recipe and a pool in turns, on the same input.

A machine that is slower for a while is slower for all of them in a turn. Every output has its own
folder, and nothing is deleted before everything is measured: for some minutes ext4 is slow to
create files where many have just been deleted.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import pandas as pd

from benchmarks import prediction
from benchmarks.builds import (
    SPLIT,
    Place,
    build,
    check_seconds,
    command_seconds,
    main_per_image,
    run_recipe,
)
from benchmarks.data import bytes_of, make_data_set, make_photos
from benchmarks.figures import (
    MIB,
    Result,
    Row,
    Tables,
    count_cores,
    describe_machine,
    format_spread,
    rate_goal,
    tabulate_turns,
    write,
)
from benchmarks.measure import python_command, run, work_folder
from benchmarks.prediction import CORES, is_measured, measure_starts, times_as_fast
from df2_assets.dataset.taxonomy import SPLITS

_BYTES_PER_IMAGE = 60_000
"""Upper bound of what the crops of an image take, in a build or from the recipe."""

_IMPORTS = """
import time, dagster
begun = time.perf_counter()
import df2_assets.definitions
print(time.perf_counter() - begun)
"""


@click.command()
@click.option("--images", default=20_000, show_default=True, help="Images of the largest build.")
@click.option("--turns", default=5, show_default=True)
def main(images: int, turns: int) -> None:
    """Measure, and write tables and numbers into benchmarks/."""
    # Of the largest size a build, recipe, pool and codec, of the smallest four runs, else two.
    limited = 3 * images * sum(count < count_cores() for count in CORES)
    images_per_turn = 4 * images + 4 * (images // 20) + 2 * (images // 4) + limited
    needed = bytes_of({SPLIT: 2 * images}, {SPLIT: 2000})
    with work_folder("bench", needed + turns * images_per_turn * _BYTES_PER_IMAGE) as work:
        results = measure(work, images, turns)
    write("bench", results, tables(results))


def measure(work: Path, images: int, turns: int) -> Result:
    """Make the inputs under `work`, take all turns, and return the raw numbers of each."""
    click.echo("Making the inputs.")
    count = min(images, 2000)
    photos = make_photos(work / "photos", {SPLIT: count})
    places = {
        size: Place(make_data_set(work / f"in-{size}", {SPLIT: size}, photos), work, work / "home")
        for size in (images // 20, images // 4, images)
    }
    empty = make_data_set(work / "in-nothing", {SPLIT: 0, "validation": 0}, {})
    nothing = Place(empty, work / "out-nothing", work / "home")
    build(nothing, SPLIT)  # compiles modules and sets up Dagster's database
    measured = []
    for turn in range(1, turns + 1):
        click.echo(f"Turn {turn} of {turns}.")
        measured.append(_turn(places, nothing, work / f"out-{turn}"))
    return {"machine": describe_machine(), "images": images, "photos": count, "turns": measured}


def _turn(places: dict[int, Place], nothing: Place, out: Path) -> Result:
    *smaller, images = places
    whole, middle, small = places[images].to(out / "whole"), places[smaller[-1]], places[smaller[0]]
    empty = nothing.to(out / "nothing")
    codec = ("benchmarks.codec", whole.df2_root, whole.sku_root, SPLIT, "--scratch", out / "codec")
    turn: Result = {
        "imports": float(run([sys.executable, "-c", _IMPORTS]).output),
        "nothing": build(empty, SPLIT),
        "nothing_of_three": build(nothing.to(out / "nothing-of-three"), *SPLITS),
        "smaller": {
            str(size): build(places[size].to(out / f"of-{size}"), SPLIT) for size in smaller
        },
        "workers": {
            str(count): build(middle.to(out / f"by-{count}"), SPLIT, workers=count)
            for count in sorted({1, 2} - {count_cores()})
        },
        "recipe": run_recipe(whole, out / "recipe"),
        "pool": run_recipe(whole, out / "pool", processes=count_cores()),
        "cold": build(whole, SPLIT),
        "codec": json.loads(run(python_command(*codec)).output),
        "unchanged": build(whole, SPLIT),
    }
    turn["workers"][str(count_cores())] = turn["smaller"][str(smaller[-1])]
    turn |= {
        "plan": command_seconds(empty, "plan", "--split", SPLIT),
        "verify": command_seconds(empty, "verify", "--split", SPLIT),
        "explain": command_seconds(small.to(out / f"of-{smaller[0]}"), "explain", SPLIT, "000001"),
    }
    recipe_start = run_recipe(empty, out / "recipe-of-nothing")["seconds"]
    turn |= {
        "cores": count_cores(),
        "fixed_start": {
            "cold": turn["nothing"]["seconds"],
            "pool": recipe_start,
            "recipe": recipe_start,
        },
        "start": measure_starts(small, turn["smaller"][str(smaller[0])], out),
        "on_cores": {
            str(count): {
                "recipe": run_recipe(whole, out / f"recipe-on-{count}", cores=count),
                "pool": run_recipe(whole, out / f"pool-on-{count}", processes=count, cores=count),
                "cold": build(whole.to(out / f"whole-on-{count}"), SPLIT, cores=count),
            }
            for count in CORES
            if count < count_cores()
        },
    }
    with _one_change(whole) as crops:
        return turn | {"changed": build(whole, SPLIT) | {"crops_of_image": crops}}


@contextmanager
def _one_change(place: Place) -> Iterator[int]:
    """Cut one pixel off the boxes of an image within the block; yield its number of crops."""
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
    """Return the goals, the cost by cores, images and workers, and the stages of a build."""
    images, turns = results["images"], tabulate_turns(results)
    pictures = f"{images:,} images of {results['photos']:,} different pictures"
    return {
        f"Goals ({pictures}; builds beyond the fixed start)": _goals(results),
        **prediction.tables(results["turns"], images, "beyond the fixed start"),
        "By images (beyond a build of an empty split)": [
            _cost_row(turns, size, build) for size, build in _cold_builds(results).items()
        ],
        f"By workers ({list(_cold_builds(results))[-2]:,} images)": [
            {
                "workers": count,
                "seconds beyond the fixed start": format_spread(
                    _beyond(turns, f"workers.{count}"), "{:.2f}"
                ),
            }
            for count in results["turns"][0]["workers"]
        ],
        f"By stage (a cold build of {images:,} images)": [
            {
                "stage": stage,
                "seconds": format_spread(seconds, "{:.2f}"),
                "share": f"{seconds.median() / turns['cold.seconds'].median():.1%}",
            }
            for stage, seconds in stages(results).items()
        ],
    }


def cost_per_image(results: Result) -> dict[int, float]:
    """Return the median seconds per image beyond the fixed start, by the number of images."""
    turns = tabulate_turns(results)
    return {
        size: _beyond(turns, build).median() / size for size, build in _cold_builds(results).items()
    }


def memory_beyond(turns: pd.DataFrame, build: str = "cold") -> "pd.Series[float]":
    """Return the peak memory of a build, in MiB beyond that of an empty split, by turn."""
    return (turns[f"{build}.peak_bytes"] - turns["nothing.peak_bytes"]) / MIB


def stages(results: Result) -> "dict[str, pd.Series[float]]":
    """Return the seconds of the cold build by stage and turn; their sum is the whole build.

    Decoding, encoding and writing are measured apart, in one process, and divided by the cores.
    """
    turns, cores = tabulate_turns(results), results["machine"]["cores"]
    index = _number(turns, "cold", "raw_annotation_index", "seconds")
    crops = _number(turns, "cold", "crops", "seconds")
    decode, encode, files = (turns[f"codec.{of}"] / cores for of in ("decode", "encode", "write"))

    def step(asset: str, part: str) -> "pd.Series[float]":
        return turns[f"cold.splits.{SPLIT}.steps.{asset}.{part}"]

    with_tables = ("raw_annotation_index", "sku_groups", "crops", "refusals")
    seconds = {
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
    return seconds | {"start, imports and Dagster": turns["cold.seconds"] - sum(seconds.values())}


def _goals(results: Result) -> list[Row]:
    turns, images, own = tabulate_turns(results), results["images"], results["machine"]["cores"]
    recipe, cold, unchanged = turns["recipe.seconds"], _beyond(turns), _beyond(turns, "unchanged")
    codec = (turns["codec.decode"] + turns["codec.encode"]) / own
    crops, crops_again = (
        _number(turns, name, "crops", "seconds") for name in ("cold", "unchanged")
    )
    index = _number(turns, "cold", "raw_annotation_index", "seconds")
    checks = _checks(results) / turns["cold.seconds"]
    decoded = _number(turns, "changed", "crops", "images_decoded")
    remade = _number(turns, "changed", "crops", "remade")
    limit = f"the codec alone: {(recipe / codec).median():.2f} times"
    of_image = f"crops made: {remade[0]}, of that image: {turns['changed.crops_of_image'][0]}"
    beyond_unchanged = turns["changed.seconds"] - turns["unchanged.seconds"]
    three = turns["nothing_of_three.seconds"]
    raw = results["turns"]
    how = "measured" if is_measured(raw[0], 16) else "predicted"
    pool, pool_on_16 = (times_as_fast(raw, "pool", count) for count in (own, 16))
    main = {
        name: [main_per_image(turn[name], turn["nothing"], images) for turn in raw]
        for name in ("cold", "unchanged")
    }
    return [
        rate_goal("main process per image: cold", main["cold"], "{:.0f} µs", most=55),
        rate_goal("main process per image: unchanged", main["unchanged"], "{:.0f} µs", most=35),
        rate_goal("fixed start: one empty split", turns["nothing.seconds"], "{:.2f} s", most=1.5),
        rate_goal("fixed start: three empty splits", three, "{:.2f} s", most=6),
        *(
            rate_goal(f"fixed start: `{name}`", turns[name], "{:.2f} s", most=0.8)
            for name in ("plan", "explain", "verify")
        ),
        rate_goal("times as fast as the pool", pool, "{:.2f}", least=1.1, note=f"on {own} cores"),
        rate_goal(
            "times as fast as the pool on 16 cores", pool_on_16, "{:.2f}", least=1.3, note=how
        ),
        rate_goal("times as fast as the recipe", recipe / cold, "{:.2f}", least=3, note=limit),
        rate_goal("cold build / codec on all cores", cold / codec, "{:.2f}", most=1.15),
        rate_goal(
            "unchanged rerun: share of the cold build", unchanged / cold, "{:.1%}", most=0.05
        ),
        rate_goal("its crops step: times as fast as cold", crops / crops_again, "{:.0f}", least=50),
        rate_goal("one change: images decoded", decoded, "{:.0f}", least=1, most=1, note=of_image),
        rate_goal(
            "one change: longer than an unchanged rerun", beyond_unchanged, "{:.2f} s", most=1
        ),
        rate_goal(
            "index step of the cold build: images/s", images / index, "{:,.0f}", least=10_000
        ),
        rate_goal("checks: share of the cold build", checks, "{:.1%}", most=0.05),
        rate_goal(
            "import of the definitions, without dagster", turns["imports"], "{:.2f} s", most=1
        ),
        rate_goal(
            "peak memory beyond an empty split", memory_beyond(turns), "{:,.0f} MiB", most=350
        ),
    ]


def _cost_row(turns: pd.DataFrame, size: int, build: str) -> Row:
    seconds = _beyond(turns, build)
    main = (turns[f"{build}.main"] - turns["nothing.main"]) / size
    return {
        "images": f"{size:,}",
        "seconds": format_spread(seconds, "{:.2f}"),
        "ms per image": f"{1000 * seconds.median() / size:.2f}",
        "images/s": f"{size / seconds.median():,.0f}",
        "main process per image": format_spread(1e6 * main, "{:.0f} µs"),
        "peak memory": format_spread(memory_beyond(turns, build), "{:.0f} MiB"),
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
