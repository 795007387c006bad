"""`make rehearsal`: a data set with the numbers of the release, through the real command.

The pictures are made up; the numbers of images, items, SKUs and crops are those of the release.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from statistics import mean

import click

from benchmarks.bench import cost_per_image, memory_beyond
from benchmarks.builds import Place, build, check_seconds
from benchmarks.data import FULL_SIZE, FULL_SIZE_PHOTOS, bytes_of, make_data_set, make_photos
from benchmarks.figures import MIB, Result, Row, Tables, by_turn, goal, load, machine, write
from benchmarks.measure import python, run, work_folder
from benchmarks.ui import page_seconds
from df2_assets.dataset.taxonomy import ANNOTATED_SPLITS

_BYTES_PER_IMAGE = 48_000
"""What the crops of an annotated image take, with tables, metadata and prompts."""

_PART = 5000
"""Images of train for the recipe."""


@click.command()
@click.option("--yes", is_flag=True, help="Do not ask whether there is room.")
@click.option("--keep", "kept", type=click.Path(path_type=Path), help="Work here and leave it.")
def main(yes: bool, kept: Path | None) -> None:
    """Build a made-up data set of full size with every check, and write what it took."""
    folder = kept.absolute() if kept else "rehearsal"
    crops = (_annotated(FULL_SIZE) + 2 * _PART) * _BYTES_PER_IMAGE
    needed = bytes_of(FULL_SIZE, FULL_SIZE_PHOTOS) + crops
    with work_folder(folder, needed, ask=not yes, keep=kept is not None) as work:
        results = measure(work, FULL_SIZE, FULL_SIZE_PHOTOS, _PART, every=10)
    bench = load("bench")
    if bench and bench["machine"] == results["machine"]:
        results["bench"] = figures_of(bench)
    write("rehearsal", results, tables(results))


def figures_of(bench: Result) -> Result:
    """Return the figures of `make bench` that those of the full size are compared with."""
    memory = memory_beyond(by_turn(bench)).median()
    cost = {str(size): seconds for size, seconds in cost_per_image(bench).items()}
    return {"images": bench["images"], "memory_mib": memory, "seconds_per_image": cost}


def measure(
    work: Path, images: Mapping[str, int], photos: Mapping[str, int], part: int, every: int
) -> Result:
    """Make `images` of so many different `photos` under `work`, build them cold, then unchanged.

    The recipe runs on a `part` of train, the codec on one image in `every`.
    """
    click.echo("Making the data.")
    pictures = make_photos(work / "photos", photos)
    whole = Place(make_data_set(work / "in", images, pictures), work / "out", work / "home")
    make_data_set(work / "in-part", {"train": part}, pictures)  # the same as the first of the whole
    empty = make_data_set(work / "in-nothing", dict.fromkeys(ANNOTATED_SPLITS, 0), {})
    nothing = Place(empty, work / "out-nothing", work / "home")
    annotated = [split for split in images if split in ANNOTATED_SPLITS]
    codec = python("benchmarks.codec", whole.df2_root, whole.sku_root, *annotated, "--every", every)

    def recipe(name: str) -> dict[str, float]:
        return run(python("benchmarks.recipe", work / "in-part", work / name, "train")).numbers

    click.echo("Building all of it, cold and unchanged.")
    before, cold, after = recipe("before"), build(whole, *images), recipe("after")
    files = [path.stat() for path in whole.sku_root.rglob("*") if path.is_file()]
    return {
        "machine": machine(),
        "images": dict(images),
        "photos": dict(photos),
        "part": part,
        "recipe": [before, after],
        "cold": cold,
        "disk": {
            "files": len(files),
            "bytes": sum(file.st_size for file in files),
            "taken": sum(file.st_blocks * 512 for file in files),
        },
        "unchanged": build(whole, *images),
        "nothing": build(nothing, *images),
        "codec": json.loads(run(codec).output),
        "pages": page_seconds(whole),
    }


def tables(results: Result) -> Tables:
    """Return the goals, the totals, what each split took, and the pages of the UI."""
    splits, photos = results["cold"]["splits"], sum(results["photos"].values())
    counts = ", ".join(f"{count:,} images of {split}" for split, count in results["images"].items())
    return {
        f"Goals ({counts}; {photos:,} different pictures)": _goals(results),
        "In all": _totals(results),
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
    recipe, codec = _annotated(results["images"]) / _recipe_rate(results), codec_limit(results)
    memory, slowest = _memory(results), max(results["pages"].values())
    limit = f"the codec alone: {recipe / codec:.2f} times"
    minutes = f"the codec alone on all cores: {codec / 60:.1f} min"
    in_all = f"{results['cold']['peak_bytes'] / MIB:.0f} MiB in all"
    return [
        goal("times as fast as the recipe", [recipe / cold], "{:.2f}", least=3, note=limit),
        goal("cold build", [cold / 60], "{:.1f} min", most=15, note=minutes),
        goal("unchanged rerun, of the cold build", [unchanged / cold], "{:.1%}", most=0.05),
        goal("peak memory beyond empty splits", [memory], "{:,.0f} MiB", most=1024, note=in_all),
        goal("slowest page of an asset in the UI", [slowest], "{:.2f} s", most=2),
        *(_goals_beside(results, results["bench"]) if "bench" in results else []),
    ]


def _goals_beside(results: Result, bench: Result) -> list[Row]:
    """Return the goals from the sizes of `make bench` to the full one."""
    whole, memory = _annotated(results["images"]), bench["memory_mib"]
    growth = _memory(results) / memory
    costs = {int(size): seconds for size, seconds in bench["seconds_per_image"].items()}
    costs[whole] = (results["cold"]["seconds"] - results["nothing"]["seconds"]) / whole
    rise = max(costs.values()) / min(costs.values()) - 1
    of_bench = f"{memory:.0f} MiB at {bench['images']:,}"
    by_size = ", ".join(f"{1000 * cost:.2f} ms at {size:,}" for size, cost in costs.items())
    return [
        goal("growth of memory with images", [growth], "{:.2f} times", most=1.15, note=of_bench),
        goal("rise of the cost per image", [rise], "{:.0%}", most=0.15, note=by_size),
    ]


def _totals(results: Result) -> list[Row]:
    disk = results["disk"]
    rate = f"recipe on {results['part']:,} images, before and after the build"
    measured = {
        "cold build": f"{results['cold']['seconds']:.1f} s",
        "cold build, processor": f"{results['cold']['cpu']:.1f} s",
        "unchanged rerun": f"{results['unchanged']['seconds']:.1f} s",
        "build of empty splits": f"{results['nothing']['seconds']:.1f} s",
        rate: f"{_recipe_rate(results):,.0f} images/s",
        "result": f"{disk['files']:,} files, {disk['bytes'] / 1e9:.2f} GB",
        "result on the disk": f"{disk['taken'] / 1e9:.2f} GB",
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


def _memory(results: Result) -> float:
    return float(memory_beyond(by_turn({"turns": [results]})).iloc[0])


def _recipe_rate(results: Result) -> float:
    """Return the images per second of the recipe."""
    return float(results["part"] / mean(of["seconds"] for of in results["recipe"]))


def _annotated(images: Mapping[str, int]) -> int:
    return sum(images.get(split, 0) for split in ANNOTATED_SPLITS)


if __name__ == "__main__":
    main()
