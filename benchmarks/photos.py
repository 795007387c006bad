"""Pictures that cost a JPEG codec as much as photos do: shapes, shades and grain, about 98 KB."""

import random
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

from PIL import Image, ImageDraw, ImageFilter

from benchmarks.figures import count_cores

T = TypeVar("T")

BYTES: Final = 98_000
"""Average size of a picture."""

_WIDTH, _HEIGHT = 466, 622
_QUALITY: Final = 92
_CHUNK: Final = 25
_TEXTURES: Final = ((24, 0.30), (7, 0.22), (3, 0.14))
"""Size of a patch in pixels, and its share of the picture."""

_GRAIN: Final = 45
"""Largest share of the finest noise in the picture, of 255."""


class Photo(NamedTuple):
    """A picture on disk; `width` and `height` in pixels."""

    path: str
    width: int
    height: int


def draw_photos(folder: Path, count: int) -> list[Photo]:
    """Write `count` different pictures into `folder`, on all cores.

    A picture depends only on the name of the folder and on its number.
    """
    folder.mkdir(parents=True, exist_ok=True)
    return in_processes(_draw, repeat(folder), range(count))


def in_processes(function: Callable[..., T], *arguments: Iterable[Any]) -> list[T]:
    """Return the results of `map`, computed by one process per core.

    Raises BrokenProcessPool if a process dies.
    """
    with ProcessPoolExecutor(count_cores(), get_context("spawn")) as pool:
        return list(pool.map(function, *arguments, chunksize=_CHUNK))


def draw_photo(seed: str) -> Image.Image:
    """Draw a picture of about 466 x 622 pixels that depends on `seed` alone."""
    rng = random.Random(seed)
    zoom, stretch = rng.uniform(0.85, 1.15), rng.uniform(0.95, 1.05)
    size = round(_WIDTH * zoom * stretch), round(_HEIGHT * zoom / stretch)
    picture = _noise(rng, (3, 4), size)
    draw = ImageDraw.Draw(picture)
    for _ in range(rng.randint(6, 14)):
        _shape(draw, rng, size)
    picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0.6, 1.4)))
    for patch, share in _TEXTURES:
        texture = _noise(rng, (size[0] // patch, size[1] // patch), size)
        picture = Image.composite(texture, picture, _strength(rng, size, round(255 * share)))
    grain = Image.frombytes("RGB", size, rng.randbytes(3 * size[0] * size[1]))
    return Image.composite(grain, picture, _strength(rng, size, _GRAIN))


def _draw(folder: Path, number: int) -> Photo:
    picture = draw_photo(f"{folder.name}/{number}")
    path = folder / f"{number:05d}.jpg"
    picture.save(path, quality=_QUALITY)
    return Photo(str(path), *picture.size)


def _noise(rng: random.Random, patches: tuple[int, int], size: tuple[int, int]) -> Image.Image:
    """Draw patches of random colours, one flowing into the next."""
    colours = Image.frombytes("RGB", patches, rng.randbytes(3 * patches[0] * patches[1]))
    return colours.resize(size, Image.Resampling.BICUBIC)


def _strength(rng: random.Random, size: tuple[int, int], most: int) -> Image.Image:
    """Draw a mask from 0 to `most`, because some parts of a photo are plain and others busy."""
    levels = Image.frombytes("L", (4, 5), bytes(rng.randint(0, most) for _ in range(20)))
    return levels.resize(size, Image.Resampling.BICUBIC)


def _shape(draw: ImageDraw.ImageDraw, rng: random.Random, size: tuple[int, int]) -> None:
    colour = tuple(rng.randbytes(3))
    xs = sorted(rng.uniform(-0.1, 1.1) * size[0] for _ in range(2))
    ys = sorted(rng.uniform(-0.1, 1.1) * size[1] for _ in range(2))
    if rng.random() < 0.5:
        draw.ellipse((xs[0], ys[0], xs[1], ys[1]), fill=colour)
    else:
        corners = [(rng.uniform(*xs), rng.uniform(*ys)) for _ in range(rng.randint(3, 6))]
        draw.polygon(corners, fill=colour)
