"""`make bench-engines`: the same build on processes of this machine and on Ray, in turns."""

import hashlib
from pathlib import Path

import click

from benchmarks.builds import Place, Result, build
from benchmarks.data import bytes_of, make_data_set, make_photos
from benchmarks.figures import SPLIT, number
from benchmarks.measure import PROJECT
from benchmarks.report import keep, machine
from benchmarks.tables import Goal, goals, on, spread, table
from benchmarks.work_folder import ask_for_room, work_folder
from df2_assets.dataset.taxonomy import DOMAINS

_ENGINES = ("local", "ray")
_BYTES_AN_IMAGE = 30_000


@click.command()
@click.option("--images", default=20_000, show_default=True)
@click.option("--turns", default=3, show_default=True)
@click.option("--work", type=click.Path(path_type=Path), default=PROJECT / "data" / "engines")
def main(images: int, turns: int, work: Path) -> None:
    """Measure, and write table and numbers into benchmarks/."""
    photos = min(images, 2000)
    made = len(_ENGINES) * turns * images * _BYTES_AN_IMAGE
    ask_for_room(work, bytes_of({SPLIT: images}, {SPLIT: photos}) + made, ask=False)
    with work_folder(work):
        click.echo("Making the input.")
        place = Place(work / "in", work / "out", work / "home")
        make_data_set(place.df2_root, {SPLIT: images}, make_photos(work / "p", {SPLIT: photos}))
        results = take_turns(place, images, turns)
    keep("engines", results, engines_report(results), PROJECT / "benchmarks")


def take_turns(place: Place, images: int, turns: int) -> Result:
    """All builds: an engine after the other in each turn, none into another's folder."""
    done = []
    for turn in range(1, turns + 1):
        click.echo(f"Turn {turn} of {turns}.")
        outs = {engine: place.to(place.sku_root / f"{turn}-{engine}") for engine in _ENGINES}
        done.append({name: build(out, SPLIT, engine=name) for name, out in outs.items()})
        if len({_digest(out.sku_root) for out in outs.values()}) != 1:
            raise click.ClickException("the engines did not make the same bytes")
    return {"machine": machine(), "images": images, "turns": done}


def engines_report(results: Result) -> str:
    """The section of the README."""
    turns = results["turns"]
    rates = {name: [_rate(turn, name) for turn in turns] for name in _ENGINES}
    ratios = [ray / local for ray, local in zip(rates["ray"], rates["local"], strict=True)]
    rows = [
        (
            name,
            spread(rates[name], "{:,.0f}"),
            spread([number(turn, name, "crops", "seconds") for turn in turns], "{:.1f} s"),
            spread([turn[name]["seconds"] for turn in turns], "{:.1f} s"),
        )
        for name in _ENGINES
    ]
    what = "Ray once started, against processes of this machine"
    goal = Goal(what, "≥ 80%", ratios, "{:.0%}", least=0.8)
    return "\n\n".join(
        [
            f"On {on(results['machine'])} {results['images']:,} images, built cold; medians of "
            f"{len(turns)} turns, with the least and the most. The bytes of both are the same.",
            goals([goal]),
            table(("engine", "images/s", "crops step", "whole command"), rows),
        ]
    )


def _rate(turn: Result, engine: str) -> float:
    """Images a second of the step that cuts crops, in which Ray has been started already."""
    decoded = number(turn, engine, "crops", "images_decoded")
    return decoded / number(turn, engine, "crops", "seconds")


def _digest(sku_root: Path) -> str:
    """Of every crop and its path, and of the JSONL."""
    found = [
        path for domain in DOMAINS.values() for path in (sku_root / SPLIT / domain).rglob("*.jpg")
    ]
    whole = hashlib.sha256((sku_root / f"{SPLIT}_image_text.jsonl").read_bytes())
    for path in sorted(found):
        whole.update(path.relative_to(sku_root).as_posix().encode())
        whole.update(path.read_bytes())
    return whole.hexdigest()


if __name__ == "__main__":
    main()
