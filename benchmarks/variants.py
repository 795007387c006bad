"""`python -m benchmarks.variants`: what a run with three crop variants costs beyond the codec.

In each turn the real command makes three variants of a split, and one process decodes the same
images once and encodes the same files in memory, and does nothing else. The goal is that the
command takes at most 1.3 times the processor time of that.
"""

import io
import time
from collections import defaultdict
from pathlib import Path
from typing import Final

import click

from benchmarks.builds import SPLIT, Place, build
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
from benchmarks.measure import python_command, run, work_folder
from df2_assets.dataset.cropping import decode
from df2_assets.dataset.record import EDGES
from df2_assets.dataset.rendering import encode
from df2_assets.dataset.shapes import RefusedShape, read_polygons, read_shape_fields
from df2_assets.settings import make_roots, read_variants
from df2_assets.store import tables as store

DECLARATION: Final = """
variants:
  letterbox_224: {square: pad, size: 224}
  square_384: {square: widen, size: 384}
  cut_out: {cut_out: white}
"""
MOST: Final = 1.3
"""The processor time of the command, in that of the codec."""

_BYTES_PER_IMAGE: Final = 200_000
_TOTALS: Final = ("images", "files", "cpu")


@click.command()
@click.option("--images", default=6_000, show_default=True, help="Images of the build.")
@click.option("--turns", default=3, show_default=True)
def main(images: int, turns: int) -> None:
    """Measure, and write a table and numbers into benchmarks/."""
    needed = bytes_of({SPLIT: images}, {SPLIT: 2000}) + images * _BYTES_PER_IMAGE
    with work_folder("variants", needed) as work:
        results = measure(prepare(work, images), turns)
    write("variants", results, tables(results))


def prepare(work: Path, images: int) -> Place:
    """Make a build of `images`, and of the empty split `test`, under `work`."""
    click.echo("Making the build.")
    photos = make_photos(work / "photos", {SPLIT: min(images, 2000)})
    df2_root = make_data_set(work / "in", {SPLIT: images, "test": 0}, photos)
    place = Place(df2_root, work / "out", work / "home")
    build(place, SPLIT, "test")
    (work / "variants.yaml").write_text(DECLARATION)
    return place


def measure(place: Place, turns: int) -> Result:
    """Return what the command, an unchanged rerun and the codec take, by turn."""
    file = place.sku_root.parent / "variants.yaml"
    _command(place, "test", file)  # sets up Dagster's database, and does not count
    measured = []
    for turn in range(1, turns + 1):
        click.echo(f"Turn {turn} of {turns}.")
        fixed = _command(place, "test", file)
        cold, again = (_command(place, SPLIT, file) for _ in range(2))
        codec = measure_codec(place, file)
        _command(place, SPLIT, "none")
        measured.append({"fixed": fixed, "cold": cold, "again": again, "codec": codec})
    return {"machine": describe_machine(), "turns": measured}


def measure_codec(place: Place, file: Path) -> Result:
    """Return the processor seconds of decoding each image once and encoding all of its files.

    Polygons are read before the clock starts.
    """
    roots = make_roots(str(place.df2_root), str(place.sku_root))
    variants = read_variants(file)
    boxes = defaultdict(list)
    for row in store.read(roots, "sku_groups", SPLIT).to_pylist():
        boxes[row["image_id"]].append((row["item_idx"], tuple(row[edge] for edge in EDGES)))
    decoding, encoding, files = 0.0, dict.fromkeys((v.name for v in variants), 0.0), 0
    for image_id, items in boxes.items():
        source = io.BytesIO((roots.images(SPLIT) / f"{image_id}.jpg").read_bytes())
        annotation = (roots.annotations(SPLIT) / f"{image_id}.json").read_bytes()
        shapes = read_shape_fields(annotation)
        begun = time.process_time()
        pixels = decode(source)
        decoding += time.process_time() - begun
        for item_idx, box in items:
            for variant in variants:
                polygons = _polygons(shapes.get(item_idx, {})) if variant.uses_polygons else []
                begun = time.process_time()
                try:
                    encode(pixels, box, variant, polygons)
                    files += 1
                except RefusedShape:
                    pass
                encoding[variant.name] += time.process_time() - begun
    cpu = decoding + sum(encoding.values())
    return {"images": len(boxes), "files": files, "cpu": cpu, "decode": decoding, **encoding}


def tables(results: Result) -> Tables:
    """Return the cost of the command compared with the codec, and what each variant takes."""
    turns = tabulate_turns(results)
    images, codec = turns["codec.images"], turns["codec.cpu"]
    cost = turns["cold.cpu"] - turns["fixed.cpu"]
    again = 1e6 * (turns["again.main"] - turns["fixed.main"]) / images
    goal = rate_goal(
        "processor time of three variants, in that of one decoding and all encoding",
        cost / codec,
        "{:.2f}",
        most=MOST,
    )
    parts = [name for name in results["turns"][0]["codec"] if name not in _TOTALS]
    rows = [
        {
            "part": name,
            "ms per image": format_spread(1e3 * turns[f"codec.{name}"] / images, "{:.2f}"),
        }
        for name in parts
    ]
    rerun = {
        "command": "nothing to do",
        "main process per image": format_spread(again, "{:,.0f} µs"),
    }
    return {"Goal": [goal], "By part": rows, "Unchanged rerun": [rerun]}


def _command(place: Place, split: str, file: Path | str) -> Result:
    command = python_command("df2_assets", "variants", "--split", split, "--variants", file)
    numbers = run(command, place.environment).numbers
    return {name: numbers[name] for name in ("seconds", "cpu", "main", "peak_bytes")}


def _polygons(item: object) -> list[list[float]]:
    try:
        return read_polygons(item)  # type: ignore[arg-type]
    except RefusedShape:
        return []


if __name__ == "__main__":
    main()
