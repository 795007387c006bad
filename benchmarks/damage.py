"""Detection of damaged images: its cost, its hits, and the intact images that it refuses.

Usage: python -m benchmarks.damage [IMAGES]

IMAGES (10,000) is the number of intact JPEGs of all kinds to decode. Each kind of damage is tried
on a hundredth as many. The cost is measured in turns with Pillow alone, over pictures as large as
those of DeepFashion2, with two crops each.
"""

import io
import statistics
import time
from collections.abc import Callable
from random import Random

import click
from PIL import Image

from benchmarks.photos import draw_photo
from df2_assets.dataset.annotations import Refused
from df2_assets.dataset.cropping import decode, encode_crop
from df2_assets_tests.support import jpegs

_TURNS = 40
_PHOTOS = 12
_BOXES = ((10, 10, 300, 400), (100, 50, 400, 500))


@click.command()
@click.argument("images", default=10_000)
def damage(images: int) -> None:
    """Print the three results."""
    plain, watched = _cost()
    click.echo(
        f"cutting: {1e6 * plain:.0f} us per image with Pillow alone, {1e6 * (watched - plain):.0f} "
        f"us more to detect damage ({watched / plain - 1:.1%})"
    )
    refused = [number for number in range(images) if _refuses(jpegs.intact(Random(number)))]
    click.echo(f"refused of {images:,} intact images: {len(refused)} {refused[:20]}")
    click.echo("refused of damaged images:          baseline  progressive")
    for spoil in jpegs.DAMAGES:
        shares = [_share_refused(spoil, images // 100, is_progressive=p) for p in (False, True)]
        click.echo(f"  {spoil.__name__:32}  {shares[0]:8.0%}  {shares[1]:11.0%}")


def _cost() -> tuple[float, float]:
    """Return processor seconds of cutting an image: with Pillow alone, and as a build does."""
    files = []
    for number in range(_PHOTOS):
        out = io.BytesIO()
        draw_photo(f"damage/{number}").save(out, "JPEG", quality=92)
        files.append(out.getvalue())
    seconds: tuple[list[float], list[float]] = ([], [])
    for _ in range(_TURNS):
        for times, read in zip(seconds, (_decode_with_pillow, _decode), strict=True):
            begun = time.process_time()
            for data in files:
                image = read(data)
                for box in _BOXES:
                    encode_crop(image, box)
            times.append((time.process_time() - begun) / len(files))
    plain = statistics.median(seconds[0])
    differences = (more - less for less, more in zip(*seconds, strict=True))
    return plain, plain + statistics.median(differences)


def _decode_with_pillow(data: bytes) -> Image.Image:
    with Image.open(io.BytesIO(data), formats=("JPEG",)) as image:
        image.load()
        return image if image.mode == "RGB" else image.convert("RGB")


def _decode(data: bytes) -> Image.Image:
    return decode(io.BytesIO(data))


def _share_refused(
    spoil: Callable[[bytes, Random], bytes], images: int, *, is_progressive: bool
) -> float:
    """Return the share, 0 to 1, of the files with changed pixels that are refused."""
    refused, damaged = 0, 0
    for number in range(images):
        rng = Random(number)
        picture = rng.choice((jpegs.photo, jpegs.studio))((468, 624), rng)
        out = io.BytesIO()
        picture.save(out, "JPEG", quality=rng.choice((75, 85, 92)), progressive=is_progressive)
        data = spoil(out.getvalue(), Random(number))
        is_refused = _refuses(data)
        if is_refused or _decode_with_pillow(data).tobytes() != _decode(out.getvalue()).tobytes():
            damaged += 1
            refused += is_refused
    return refused / damaged if damaged else 1.0


def _refuses(data: bytes) -> bool:
    try:
        _decode(data)
    except Refused:
        return True
    return False


if __name__ == "__main__":
    damage()
