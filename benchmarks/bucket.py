"""`make bucket`: one bucket of `docs/scaling.md` built whole, for its memory: small pictures."""

import random
from pathlib import Path
from typing import Final

import click
from PIL import Image

from benchmarks.builds import Place, Result, build
from benchmarks.data import make_data_set
from benchmarks.figures import MIB
from benchmarks.measure import PROJECT
from benchmarks.photos import Photo
from benchmarks.report import keep, machine
from benchmarks.scale import IMAGES_A_BUCKET, SPLIT
from benchmarks.tables import on, table
from benchmarks.work_folder import ask_for_room, work_folder

PICTURES: Final = 2400
_SIZE: Final = (96, 128)
_PATCHES: Final = (6, 8)
_BYTES_AN_IMAGE: Final = 12_000
"""On the disk: an annotation, 0.9 crops, a name; the picture is one of few, linked to."""


@click.command()
@click.option("--images", default=IMAGES_A_BUCKET, show_default=True)
@click.option("--yes", is_flag=True, help="Do not ask whether there is room.")
def main(images: int, yes: bool) -> None:
    """Build so many small images with every check, cold and unchanged, and write what it took."""
    work = PROJECT / "data" / "bucket"
    ask_for_room(work, images * _BYTES_AN_IMAGE, ask=not yes)
    with work_folder(work):
        results = measure(work, images, PICTURES)
    keep("bucket", results, bucket_report(results), PROJECT / "benchmarks")


def measure(work: Path, images: int, pictures: int) -> Result:
    """Make `images` of so many different pictures under `work`, and build them twice."""
    click.echo("Making the data.")
    photos = small_pictures(work / "pictures", pictures)
    df2_root = make_data_set(work / "in", {SPLIT: images}, {SPLIT: photos})
    nothing = make_data_set(work / "in-nothing", {SPLIT: 0}, {})
    place = Place(df2_root, work / "out", work / "home")
    results: Result = {"machine": machine(), "images": images, "pictures": pictures}
    for name, of in (
        ("nothing", Place(nothing, work / "out-nothing", work / "home")),
        ("cold", place),
        ("unchanged", place),
    ):
        click.echo(f"Building: {name}.")
        results[name] = build(of, SPLIT)
    return results


def small_pictures(folder: Path, count: int) -> list[Photo]:
    """Write `count` different pictures of 96 x 128 pixels into `folder`."""
    folder.mkdir()
    photos = []
    for number in range(count):
        colours = random.Random(number).randbytes(3 * _PATCHES[0] * _PATCHES[1])
        path = folder / f"{number:05d}.jpg"
        Image.frombytes("RGB", _PATCHES, colours).resize(_SIZE).save(path, quality=90)
        photos.append(Photo(str(path), *_SIZE))
    return photos


def bucket_report(results: Result) -> str:
    """Seconds and memory of both builds."""
    nothing = results["nothing"]
    crops = results["cold"]["splits"][SPLIT]["numbers"]["crops"]["crops"]
    rows = []
    for name in ("cold", "unchanged"):
        took = results[name]
        beyond = took["peak_bytes"] - nothing["peak_bytes"]
        rows.append(
            (
                name,
                f"{took['seconds']:.0f} s",
                f"{results['images'] / took['seconds']:,.0f}/s",
                f"{took['peak_bytes'] / MIB:,.0f} MiB",
                f"{beyond / results['images'] / 1024:.1f} KiB",
            )
        )
    head = ("build", "whole command", "images", "peak memory", "beyond no images, an image")
    said = (
        f"{results['images']:,} images of {_SIZE[0]} x {_SIZE[1]} pixels, "
        f"{results['pictures']:,} of them different; {crops:,} crops."
    )
    return f"On {on(results['machine'])} {said}\n\n{table(head, rows)}"


if __name__ == "__main__":
    main()
