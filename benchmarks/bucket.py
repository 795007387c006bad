"""`make bucket`: memory of a build of one bucket of `docs/scaling.md`, with small pictures."""

import random
from pathlib import Path
from typing import Final

import click
from PIL import Image

from benchmarks.builds import SPLIT, Place, build, read_number
from benchmarks.data import make_data_set
from benchmarks.figures import MIB, Result, Row, Tables, describe_machine, write
from benchmarks.measure import work_folder
from benchmarks.photos import Photo
from benchmarks.scale import IMAGES_PER_BUCKET

_PICTURES: Final = 2400
_SIZE: Final = (96, 128)
_PATCHES: Final = (6, 8)
_BYTES_PER_IMAGE: Final = 12_000
"""Bytes on the disk: an annotation, 0.9 crops, and a link to a picture."""


@click.command()
@click.option("--images", default=IMAGES_PER_BUCKET, show_default=True)
@click.option("--yes", is_flag=True, help="Do not ask before the disk is used.")
def main(images: int, yes: bool) -> None:
    """Build small images with every check, cold and unchanged, and write what it took."""
    with work_folder("bucket", images * _BYTES_PER_IMAGE, ask=not yes) as work:
        results = measure(work, images, _PICTURES)
    write("bucket", results, tables(results))


def measure(work: Path, images: int, pictures: int) -> Result:
    """Make `images` from so many different `pictures` under `work`, and build them twice."""
    click.echo("Making the data.")
    photos = _draw_small(work / "pictures", pictures)
    df2_root = make_data_set(work / "in", {SPLIT: images}, {SPLIT: photos})
    empty = make_data_set(work / "in-nothing", {SPLIT: 0}, {})
    whole = Place(df2_root, work / "out", work / "home")
    nothing = Place(empty, work / "out-nothing", work / "home")
    results: Result = {"machine": describe_machine(), "images": images, "pictures": pictures}
    for name, place in (("nothing", nothing), ("cold", whole), ("unchanged", whole)):
        click.echo(f"Building: {name}.")
        results[name] = build(place, SPLIT)
    return results


def tables(results: Result) -> Tables:
    """Return one table: seconds and memory of both builds."""
    crops = read_number(results["cold"], "crops", "crops")
    title = (
        f"{results['images']:,} images of {_SIZE[0]} x {_SIZE[1]} pixels, "
        f"{results['pictures']:,} of them different; {crops:,.0f} crops"
    )
    return {title: [_row(results, name) for name in ("cold", "unchanged")]}


def _row(results: Result, name: str) -> Row:
    seconds, peak = results[name]["seconds"], results[name]["peak_bytes"]
    beyond = (peak - results["nothing"]["peak_bytes"]) / results["images"]
    return {
        "build": name,
        "whole command": f"{seconds:.0f} s",
        "images": f"{results['images'] / seconds:,.0f}/s",
        "peak memory": f"{peak / MIB:,.0f} MiB",
        "per image, beyond no images": f"{beyond / 1024:.1f} KiB",
    }


def _draw_small(folder: Path, count: int) -> list[Photo]:
    folder.mkdir()
    photos = []
    for index in range(count):
        colours = random.Random(index).randbytes(3 * _PATCHES[0] * _PATCHES[1])
        path = folder / f"{index:05d}.jpg"
        Image.frombytes("RGB", _PATCHES, colours).resize(_SIZE).save(path, quality=90)
        photos.append(Photo(str(path), *_SIZE))
    return photos


if __name__ == "__main__":
    main()
