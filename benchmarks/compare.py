"""`python -m benchmarks.compare BEFORE`: builds of another checkout and of this one, in turns.

BEFORE is the folder of the other checkout, for example one that `git worktree add` has made. Its
`.venv` runs it where it has one, otherwise the Python of this command does. Nothing is written into
benchmarks/: the ratios are printed.
"""

import sys
from pathlib import Path
from typing import Final

import click

from benchmarks.builds import SPLIT, Place, digest_output, main_per_image
from benchmarks.data import bytes_of, make_data_set, make_photos
from benchmarks.figures import MIB, Result, Row, format_spread, format_table
from benchmarks.measure import PROJECT, run, work_folder

_BYTES_PER_IMAGE: Final = 30_000
_PICTURES: Final = 2000


@click.command()
@click.argument("before", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--images", default=20_000, show_default=True)
@click.option("--turns", default=3, show_default=True)
def main(before: Path, images: int, turns: int) -> None:
    """Build the same images with both checkouts, and print how much more or less this one takes."""
    crops = 2 * turns * images * _BYTES_PER_IMAGE
    pictures = min(images, _PICTURES)
    with work_folder("compare", bytes_of({SPLIT: images}, {SPLIT: pictures}) + crops) as work:
        results = measure(work, {"before": before.absolute(), "after": PROJECT}, images, turns)
    click.echo(format_table(rows(results)))


def measure(work: Path, trees: dict[str, Path], images: int, turns: int) -> Result:
    """Build `images` with each of `trees` in each turn, each time into a folder of its own.

    Raises ClickException if the outputs of a turn differ.
    """
    click.echo("Making the input.")
    photos = make_photos(work / "photos", {SPLIT: min(images, _PICTURES)})
    df2_root = make_data_set(work / "in", {SPLIT: images}, photos)
    empty = make_data_set(work / "in-nothing", {SPLIT: 0}, {})
    for name, tree in trees.items():  # compiles modules and sets up Dagster's database
        _build(tree, Place(empty, work / f"out-{name}", work / f"home-{name}"))
    measured = []
    for turn in range(turns):
        click.echo(f"Turn {turn + 1} of {turns}.")
        numbers: Result = {}
        places = {
            name: Place(df2_root, work / f"out-{name}-{turn}", work / f"home-{name}")
            for name in trees
        }
        # Every second turn in the other order, so that neither always comes first.
        for name in list(trees)[:: -1 if turn % 2 else 1]:
            tree, place = trees[name], places[name]
            nothing = Place(empty, work / f"out-{name}-nothing-{turn}", place.home)
            numbers[name] = {
                "nothing": _build(tree, nothing),
                "cold": _build(tree, place),
                "unchanged": _build(tree, place),
            }
        if len({digest_output(place.sku_root) for place in places.values()}) != 1:
            raise click.ClickException("The two checkouts did not make the same bytes.")
        measured.append(numbers)
    return {"images": images, "turns": measured}


def rows(results: Result) -> list[Row]:
    """Return one row per figure: before, after, and the median of after / before by turn."""
    values = [
        {name: _figures(numbers, results["images"]) for name, numbers in turn.items()}
        for turn in results["turns"]
    ]
    table = []
    for what, form in _FORMS.items():
        before, after = ([turn[name][what] for turn in values] for name in ("before", "after"))
        ratios = [late / early if early else 1.0 for early, late in zip(before, after, strict=True)]
        table.append(
            {
                "what": what,
                "before": format_spread(before, form),
                "after": format_spread(after, form),
                "after / before": format_spread(ratios, "{:.2f}"),
            }
        )
    return table


_FORMS: Final = {
    "fixed start": "{:.2f} s",
    "cold build": "{:.2f} s",
    "cold build, processor": "{:.1f} s",
    "unchanged rerun": "{:.2f} s",
    "main process per image, cold": "{:.0f} µs",
    "main process per image, unchanged": "{:.0f} µs",
    "peak memory, cold": "{:,.0f} MiB",
    "peak memory, unchanged": "{:,.0f} MiB",
}
"""The figures and how they are shown; the first four are of whole commands."""


def _figures(numbers: Result, images: int) -> dict[str, float]:
    nothing, cold, unchanged = (numbers[name] for name in ("nothing", "cold", "unchanged"))
    return {
        "fixed start": nothing["seconds"],
        "cold build": cold["seconds"],
        "cold build, processor": cold["cpu"],
        "unchanged rerun": unchanged["seconds"],
        "main process per image, cold": main_per_image(cold, nothing, images),
        "main process per image, unchanged": main_per_image(unchanged, nothing, images),
        "peak memory, cold": cold["peak_bytes"] / MIB,
        "peak memory, unchanged": unchanged["peak_bytes"] / MIB,
    }


def _build(tree: Path, place: Place) -> Result:
    own = tree / ".venv/bin/python"
    python = str(own) if own.exists() else sys.executable
    command = [python, "-m", "df2_assets", "build", "--split", SPLIT]
    return run(command, place.environment, tree=tree).numbers


if __name__ == "__main__":
    main()
