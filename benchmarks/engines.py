"""`make bench-engines`: the same build with processes of this machine and with Ray, in turns."""

from pathlib import Path

import click

from benchmarks.builds import SPLIT, Place, build, digest_output
from benchmarks.data import bytes_of, make_data_set, make_photos
from benchmarks.figures import (
    Result,
    Tables,
    describe_machine,
    format_spread,
    rate_goal,
    tabulate_turns,
    write,
)
from benchmarks.measure import work_folder

_ENGINES = ("local", "ray")
_BYTES_PER_IMAGE = 30_000


@click.command()
@click.option("--images", default=20_000, show_default=True)
@click.option("--turns", default=3, show_default=True)
def main(images: int, turns: int) -> None:
    """Measure, and write tables and numbers into benchmarks/."""
    crops = len(_ENGINES) * turns * images * _BYTES_PER_IMAGE
    with work_folder("engines", bytes_of({SPLIT: images}, {SPLIT: 2000}) + crops) as work:
        results = measure(work, images, turns)
    write("engines", results, tables(results))


def measure(work: Path, images: int, turns: int) -> Result:
    """Build `images` with each engine in each turn, each time into a folder of its own.

    Raises ClickException if the engines do not make the same bytes.
    """
    click.echo("Making the input.")
    pictures = make_photos(work / "photos", {SPLIT: min(images, 2000)})
    df2_root = make_data_set(work / "in", {SPLIT: images}, pictures)
    measured = []
    for turn in range(1, turns + 1):
        click.echo(f"Turn {turn} of {turns}.")
        places = {
            engine: Place(df2_root, work / f"out-{turn}-{engine}", work / "home")
            for engine in _ENGINES
        }
        measured.append(
            {engine: build(place, SPLIT, engine=engine) for engine, place in places.items()}
        )
        if len({digest_output(place.sku_root) for place in places.values()}) != 1:
            raise click.ClickException("The engines did not make the same bytes.")
    return {"machine": describe_machine(), "images": images, "turns": measured}


def tables(results: Result) -> Tables:
    """Return the goal, and the rate and seconds of each engine.

    The rate is that of the crops step; an earlier step has started Ray.
    """
    turns, crops = tabulate_turns(results), f"splits.{SPLIT}.numbers.crops"
    seconds = {engine: turns[f"{engine}.{crops}.seconds"] for engine in _ENGINES}
    rates = {
        engine: turns[f"{engine}.{crops}.images_decoded"] / seconds[engine] for engine in _ENGINES
    }
    ratio = rates["ray"] / rates["local"]
    title = f"Goal ({results['images']:,} images, built cold; both engines make the same bytes)"
    return {
        title: [rate_goal("Ray, once started, of the local rate", ratio, "{:.0%}", least=0.8)],
        "By engine": [
            {
                "engine": engine,
                "images/s": format_spread(rates[engine], "{:,.0f}"),
                "crops step": format_spread(seconds[engine], "{:.1f} s"),
                "whole command": format_spread(turns[f"{engine}.seconds"], "{:.1f} s"),
            }
            for engine in _ENGINES
        ],
    }


if __name__ == "__main__":
    main()
