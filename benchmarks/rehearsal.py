"""`make rehearsal`: a build of a generated data set with the numbers of the release.

The pictures are drawn; the numbers of images, items, SKUs and crops are about those of the release.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from statistics import mean

import click

from benchmarks import prediction
from benchmarks.bench import cost_per_image, memory_beyond
from benchmarks.builds import SPLIT, Place, build, check_seconds, main_per_image, run_recipe
from benchmarks.data import FULL_SIZE, FULL_SIZE_PHOTOS, bytes_of, make_data_set, make_photos
from benchmarks.figures import (
    MIB,
    Result,
    Row,
    Tables,
    count_cores,
    describe_machine,
    load,
    rate_goal,
    tabulate_turns,
    write,
)
from benchmarks.measure import python_command, run, work_folder
from benchmarks.prediction import PEERS, is_measured, measure_starts, times_as_fast
from benchmarks.ui import page_seconds
from df2_assets.dataset.taxonomy import ANNOTATED_SPLITS

_BYTES_PER_IMAGE = 48_000
"""Upper bound of what the crops of an annotated image take, with tables, metadata and prompts."""

_RECIPE_BYTES_PER_IMAGE = 60_000
"""Upper bound of what the recipe writes per image; it also cuts items that no SKU keeps."""

_PART = 5000
"""Images of train for the recipe."""


@click.command()
@click.option("--yes", is_flag=True, help="Do not ask before the disk is used.")
@click.option("--keep", "kept", type=click.Path(path_type=Path), help="Work here and keep it.")
def main(yes: bool, kept: Path | None) -> None:
    """Build a generated data set of full size with every check, and write what it took."""
    folder = kept.absolute() if kept else "rehearsal"
    crops = _annotated(FULL_SIZE) * (_BYTES_PER_IMAGE + _RECIPE_BYTES_PER_IMAGE)
    needed = bytes_of(FULL_SIZE, FULL_SIZE_PHOTOS) + crops + 5 * _PART * _RECIPE_BYTES_PER_IMAGE
    with work_folder(folder, needed, ask=not yes, keep=kept is not None) as work:
        results = measure(work, FULL_SIZE, FULL_SIZE_PHOTOS, _PART, every=20)
    bench = load("bench")
    if bench and bench["machine"] == results["machine"]:
        results["bench"] = figures_of(bench)
    write("rehearsal", results, tables(results))


def figures_of(bench: Result) -> Result:
    """Return the figures of `make bench` that those of the full size are compared with."""
    memory = memory_beyond(tabulate_turns(bench)).median()
    cost = {str(size): seconds for size, seconds in cost_per_image(bench).items()}
    return {"images": bench["images"], "memory_mib": memory, "seconds_per_image": cost}


def measure(
    work: Path, images: Mapping[str, int], photos: Mapping[str, int], part: int, every: int
) -> Result:
    """Make `images` of so many different `photos` under `work`; build them cold, then unchanged.

    The pool runs on all annotated images, the recipe on a `part` of train, the codec on one image
    in `every`.
    """
    click.echo("Making the data.")
    pictures = make_photos(work / "photos", photos)
    whole = Place(make_data_set(work / "in", images, pictures), work / "out", work / "home")
    # The same images as the first of `whole`.
    small = replace(whole, df2_root=make_data_set(work / "in-part", {SPLIT: part}, pictures))
    empty = make_data_set(work / "in-nothing", dict.fromkeys(ANNOTATED_SPLITS, 0), {})
    nothing = Place(empty, work / "out-nothing", work / "home")
    annotated = [split for split in images if split in ANNOTATED_SPLITS]
    codec = python_command(
        "benchmarks.codec", whole.df2_root, whole.sku_root, *annotated, "--every", every
    )
    click.echo("Building all of it, cold and unchanged; running the recipe, alone and in a pool.")
    before = run_recipe(small, work / "before")
    cold = build(whole, *images)
    pool = run_recipe(whole, work / "pool", *annotated, processes=count_cores())
    after = run_recipe(small, work / "after")
    files = [path.stat() for path in whole.sku_root.rglob("*") if path.is_file()]
    return {
        "machine": describe_machine(),
        "images": dict(images),
        "photos": dict(photos),
        "part": part,
        "recipe": [before, after],
        "pool": pool,
        "cold": cold,
        "disk": {
            "files": len(files),
            "bytes": sum(file.st_size for file in files),
            "allocated": sum(file.st_blocks * 512 for file in files),
        },
        "unchanged": build(whole, *images),
        "nothing": build(nothing, *images),
        "codec": json.loads(run(codec).output),
        "start": measure_starts(small, build(small.to(work / "out-part"), SPLIT), work),
        "pages": page_seconds(whole),
    }


def tables(results: Result) -> Tables:
    """Return the goals, the totals, what each split took, and the pages of the UI."""
    splits, photos = results["cold"]["splits"], sum(results["photos"].values())
    counts = ", ".join(f"{count:,} images of {split}" for split, count in results["images"].items())
    annotated = _annotated(results["images"])
    return {
        f"Goals ({counts}; {photos:,} different pictures)": _goals(results),
        "Totals": _totals(results),
        **prediction.tables([_turn(results)], annotated, "whole commands"),
        "By split": [_split_row(split, splits[split]) for split in results["images"]],
        "Warnings (no check failed)": [
            {"warning": text, "split": split}
            for split in splits
            for text in splits[split]["warned"]
        ],
        "Pages of the assets in the UI": [
            {"asset": asset, "answers within": f"{1000 * seconds:.0f} ms"}
            for asset, seconds in results["pages"].items()
        ],
    }


def codec_limit(results: Result) -> float:
    """Return the seconds of decoding and encoding alone on all cores, from the part measured."""
    codec = results["codec"]
    splits = results["cold"]["splits"].values()
    images = sum(split["numbers"]["crops"]["images_decoded"] for split in splits)
    seconds = (codec["decode"] + codec["encode"]) * images / codec["images"]
    return float(seconds / results["machine"]["cores"])


def _goals(results: Result) -> list[Row]:
    cold, unchanged = results["cold"]["seconds"], results["unchanged"]["seconds"]
    images, own = _annotated(results["images"]), results["machine"]["cores"]
    recipe, codec = images / _recipe_rate(results), codec_limit(results)
    slowest = max(results["pages"].values())
    limit = f"the codec alone: {recipe / codec:.2f} times"
    minutes = f"the codec alone on all cores: {codec / 60:.1f} min"
    turn = [_turn(results)]
    how = "measured" if is_measured(turn[0], 16) else "predicted"
    pool, pool_on_16 = (times_as_fast(turn, "pool", count) for count in (own, 16))
    return [
        rate_goal("times as fast as the pool", pool, "{:.2f}", least=1.1, note=f"on {own} cores"),
        rate_goal(
            "times as fast as the pool on 16 cores", pool_on_16, "{:.2f}", least=1.3, note=how
        ),
        *(
            rate_goal(
                f"main process per annotated image: {name}",
                [_main(results, name)],
                "{:.0f} µs",
                most=most,
            )
            for name, most in (("cold", 55), ("unchanged", 35))
        ),
        *(
            rate_goal(
                f"peak memory beyond empty splits: {name}",
                [_memory(results, name)],
                "{:,.0f} MiB",
                most=350,
                note=f"{results[name]['peak_bytes'] / MIB:.0f} MiB in all",
            )
            for name in ("cold", "unchanged")
        ),
        rate_goal("times as fast as the recipe", [recipe / cold], "{:.2f}", least=3, note=limit),
        rate_goal("cold build", [cold / 60], "{:.1f} min", most=15, note=minutes),
        rate_goal(
            "unchanged rerun: share of the cold build", [unchanged / cold], "{:.1%}", most=0.05
        ),
        rate_goal("slowest page of an asset in the UI", [slowest], "{:.2f} s", most=2),
        *(_goals_beside(results, results["bench"]) if "bench" in results else []),
    ]


def _turn(results: Result) -> Result:
    """Return the results as `prediction` reads them: whole commands, the recipe on all images."""
    scale = _annotated(results["images"]) / results["part"]
    recipe = {
        name: scale * mean(run[name] for run in results["recipe"])
        for name in ("seconds", "cpu", "main", "main_only")
    }
    return {
        "cold": results["cold"],
        "pool": results["pool"],
        "recipe": recipe | {"stretches": []},
        "cores": results["machine"]["cores"],
        "fixed_start": dict.fromkeys(PEERS.values(), 0.0),
        "start": results["start"],
        "on_cores": {},
    }


def _main(results: Result, name: str) -> float:
    return main_per_image(results[name], results["nothing"], _annotated(results["images"]))


def _goals_beside(results: Result, bench: Result) -> list[Row]:
    """Return the goals that compare the full size with the sizes of `make bench`."""
    whole, memory = _annotated(results["images"]), bench["memory_mib"]
    growth = _memory(results, "cold") / memory
    costs = {int(size): seconds for size, seconds in bench["seconds_per_image"].items()}
    costs[whole] = (results["cold"]["seconds"] - results["nothing"]["seconds"]) / whole
    rise = costs[whole] / min(costs.values()) - 1
    of_bench = f"{memory:.0f} MiB at {bench['images']:,}"
    by_size = ", ".join(f"{1000 * cost:.2f} ms at {size:,}" for size, cost in costs.items())
    return [
        rate_goal(
            "growth of memory with images", [growth], "{:.2f} times", most=1.15, note=of_bench
        ),
        rate_goal("rise of the cost per image", [rise], "{:.0%}", most=0.15, note=by_size),
    ]


def _totals(results: Result) -> list[Row]:
    disk = results["disk"]
    rate = f"recipe on {results['part']:,} images, before and after the build"
    measured = {
        "cold build": f"{results['cold']['seconds']:.1f} s",
        "cold build, processor": f"{results['cold']['cpu']:.1f} s",
        "pool": f"{results['pool']['seconds']:.1f} s",
        "unchanged rerun": f"{results['unchanged']['seconds']:.1f} s",
        "build of empty splits": f"{results['nothing']['seconds']:.1f} s",
        rate: f"{_recipe_rate(results):,.0f} images/s",
        "result": f"{disk['files']:,} files, {disk['bytes'] / 1e9:.2f} GB",
        "result on the disk": f"{disk['allocated'] / 1e9:.2f} GB",
    }
    return [{"what": what, "measured": text} for what, text in measured.items()]


def _split_row(split: str, of: Result) -> Row:
    numbers = of["numbers"]
    return {
        "split": split,
        "SKUs": f"{numbers['sku_metadata']['skus']:,}",
        "crops": f"{numbers['sku_metadata']['crops']:,}",
        "refused": f"{numbers['refusals']['refused']:,}",
        "index": f"{numbers['raw_annotation_index']['seconds']:.1f} s",
        "crops step": f"{numbers['crops']['seconds']:.1f} s",
        "checks": f"{check_seconds(of):.1f} s",
        "passed": f"{len(of['passed'])} of {len(of['passed']) + len(of['warned'])}",
    }


def _memory(results: Result, name: str) -> float:
    return float(results[name]["peak_bytes"] - results["nothing"]["peak_bytes"]) / MIB


def _recipe_rate(results: Result) -> float:
    """Return the images per second of the recipe."""
    return float(results["part"] / mean(of["seconds"] for of in results["recipe"]))


def _annotated(images: Mapping[str, int]) -> int:
    return sum(images.get(split, 0) for split in ANNOTATED_SPLITS)


if __name__ == "__main__":
    main()
