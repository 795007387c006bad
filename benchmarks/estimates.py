"""`python -m benchmarks.estimates`: the time that `plan` estimates, and the time of the build."""

import json
from pathlib import Path

import click

from benchmarks.builds import SPLIT, Place, build
from benchmarks.data import bytes_of, make_data_set, make_photos
from benchmarks.figures import (
    Result,
    Row,
    Tables,
    describe_machine,
    format_spread,
    tabulate_turns,
    write,
)
from benchmarks.measure import python_command, run, work_folder

_PICTURES = 400
_BYTES_PER_IMAGE = 60_000


@click.command()
@click.option("--images", multiple=True, type=int, default=(300, 3_000), show_default=True)
@click.option("--turns", default=3, show_default=True)
def main(images: tuple[int, ...], turns: int) -> None:
    """Plan and build in turns, cold and unchanged, and write both times into benchmarks/."""
    needed = bytes_of({SPLIT: sum(images)}, {SPLIT: _PICTURES})
    with work_folder("estimates", needed + turns * sum(images) * _BYTES_PER_IMAGE) as work:
        results = measure(work, images, turns)
    write("estimates", results, tables(results))


def measure(work: Path, images: tuple[int, ...], turns: int) -> Result:
    """Plan and build data sets of these sizes under `work`, each turn with an empty history."""
    photos = make_photos(work / "pictures", {SPLIT: _PICTURES})
    roots = {size: make_data_set(work / f"in-{size}", {SPLIT: size}, photos) for size in images}
    results: Result = {"machine": describe_machine(), "images": list(images), "turns": []}
    for turn in range(turns):
        numbers: Result = {}
        for size, root in roots.items():
            place = Place(root, work / f"out-{turn}-{size}", work / f"home-{turn}-{size}")
            for name in ("cold", "unchanged"):
                estimated = _plan(place)
                measured = build(place, SPLIT)["seconds"]
                numbers[f"{name} {size}"] = {"estimated": estimated, "measured": measured}
                click.echo(
                    f"{name}, {size} images: estimated {estimated:.1f} s, took {measured:.1f} s"
                )
        results["turns"].append(numbers)
    return results


def _plan(place: Place) -> float:
    estimated = run(
        python_command("df2_assets", "plan", "--json", "--split", SPLIT), place.environment
    )
    return float(json.loads(estimated.output)["seconds"])


def tables(results: Result) -> Tables:
    """Return one table with one row per data set and build."""
    turns = tabulate_turns(results)
    rows: list[Row] = []
    for size in results["images"]:
        for name in ("cold", "unchanged"):
            estimated, measured = (
                turns[f"{name} {size}.{what}"] for what in ("estimated", "measured")
            )
            rows.append(
                {
                    "images": f"{size:,}",
                    "build": name,
                    "estimated": format_spread(estimated, "{:.1f} s"),
                    "measured": format_spread(measured, "{:.1f} s"),
                    "estimated / measured": format_spread(estimated / measured, "{:.2f}"),
                }
            )
    return {"The whole command": rows}


if __name__ == "__main__":
    main()
