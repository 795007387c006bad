"""Pictures that cost a JPEG codec as much as photos do: shapes, shades and grain, about 98 KB."""

import io
import random
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Final, NamedTuple

from PIL import Image, ImageDraw, ImageFilter

from df2_assets.engines.base import Lost
from df2_assets.engines.local import LocalEngine

BYTES: Final = 98_000
"""What one of them takes on average."""

_WIDTH, _HEIGHT = 466, 622
_QUALITY: Final = 92
_SHARD: Final = 25
_TEXTURES: Final = ((24, 0.30), (7, 0.22), (3, 0.14))
"""Size of a patch in pixels, and how much of it is mixed in."""

_GRAIN: Final = 45
"""Of 255, how much of the finest noise is mixed in where there is most of it."""


class Photo(NamedTuple):
    """A picture on disk; `width` and `height` in pixels."""

    path: str
    width: int
    height: int


class _Shard(NamedTuple):
    folder: str
    numbers: range


def draw_photos(folder: Path, count: int) -> list[Photo]:
    """Write `count` pictures, all different, into `folder`, one core each at a time.

    The same folder name and number always give the same picture.
    """
    folder.mkdir(parents=True, exist_ok=True)
    shards = [
        _Shard(str(folder), range(start, min(start + _SHARD, count)))
        for start in range(0, count, _SHARD)
    ]
    photos: list[Photo] = []
    with closing(LocalEngine()) as engine, closing(engine.map(_draw_shard, shards)) as results:
        for _, drawn in results:
            if isinstance(drawn, Lost):
                raise RuntimeError(f"a worker that drew pictures died: {drawn.cause}")
            photos += drawn
    return sorted(photos)


def photo(seed: str) -> Image.Image:
    """A picture of some 466 x 622 pixels that follows from `seed` alone."""
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


def _draw_shard(shard: _Shard) -> list[Photo]:
    return list(_drawn(Path(shard.folder), shard.numbers))


def _drawn(folder: Path, numbers: Iterable[int]) -> Iterable[Photo]:
    for number in numbers:
        picture = photo(f"{folder.name}/{number}")
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=_QUALITY)
        path = folder / f"{number:05d}.jpg"
        path.write_bytes(buffer.getvalue())
        yield Photo(str(path), *picture.size)


def _noise(rng: random.Random, patches: tuple[int, int], size: tuple[int, int]) -> Image.Image:
    """Patches of random colours, one flowing into the next."""
    colours = Image.frombytes("RGB", patches, rng.randbytes(3 * patches[0] * patches[1]))
    return colours.resize(size, Image.Resampling.BICUBIC)


def _strength(rng: random.Random, size: tuple[int, int], most: int) -> Image.Image:
    """A mask from 0 to `most`: some parts of a photo are plain, others are busy."""
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
