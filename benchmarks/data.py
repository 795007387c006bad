"""Data sets in DeepFashion2's layout of any size, from a limited number of different pictures.

An image file is a hard link to one of the pictures of its split; each split has its own, or all of
it would be leakage. The boxes differ, so that hardly two crops are the same.
"""

import os
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks.annotations import annotation
from benchmarks.pairs import Shown, images_of
from benchmarks.photos import BYTES, Photo, draw_photos
from df2_assets.dataset.taxonomy import ANNOTATED_SPLITS, RELEASED
from df2_assets.engines.base import Lost
from df2_assets.engines.local import LocalEngine

_SHARD: Final = 1000
_BLOCK: Final = 4096
_ANNOTATION_BYTES: Final = 6_500
"""What an annotation of about 4,200 bytes takes on a disk, on average."""

FULL_SIZE: Final = {split: released.images for split, released in RELEASED.items()}
"""Images of each split of the release: 191,961, 32,153 and, without annotations, 62,629."""

FULL_SIZE_PHOTOS: Final = {"train": 2400, "validation": 900, "test": 300}


class _Shard(NamedTuple):
    folder: str
    split: str
    first: int
    shown: list[Shown]
    photos: list[Photo]


def make_photos(folder: Path, counts: Mapping[str, int]) -> dict[str, list[Photo]]:
    """Pictures for each split, in folders named after the splits."""
    return {split: draw_photos(folder / split, count) for split, count in counts.items()}


def make_data_set(root: Path, images: Mapping[str, int], photos: Mapping[str, list[Photo]]) -> Path:
    """Write a `DF2_ROOT` with so many images a split; `test` gets no annotations.

    `photos` must lie on the same disk. Returns `root`.
    """
    for split, count in images.items():
        (root / split / "image").mkdir(parents=True)
        _link(root / split / "image", count, photos.get(split, []))
        if split in ANNOTATED_SPLITS:
            (root / split / "annos").mkdir()
            _annotate(root / split / "annos", split, count, photos.get(split, []))
    return root


def take_part(root: Path, whole: Path, split: str, count: int) -> Path:
    """A `DF2_ROOT` with the first `count` images of a split of another one, by hard links."""
    for kind, suffix in (("image", ".jpg"), ("annos", ".json")):
        (root / split / kind).mkdir(parents=True)
        for number in range(1, count + 1):
            name = f"{number:06d}{suffix}"
            os.link(whole / split / kind / name, root / split / kind / name)
    return root


def bytes_of(images: Mapping[str, int], photos: Mapping[str, int]) -> int:
    """About what a data set takes on the disk, its pictures with it."""
    annotated = sum(images.get(split, 0) for split in ANNOTATED_SPLITS)
    return sum(photos.values()) * (BYTES + _BLOCK // 2) + annotated * _ANNOTATION_BYTES


def _link(folder: Path, count: int, photos: list[Photo]) -> None:
    for number in range(1, count + 1):
        os.link(_photo_of(photos, number).path, folder / f"{number:06d}.jpg")


def _annotate(folder: Path, split: str, count: int, photos: list[Photo]) -> None:
    shown = images_of(split, count)
    shards = (
        _Shard(str(folder), split, start + 1, shown[start : start + _SHARD], photos)
        for start in range(0, count, _SHARD)
    )
    with closing(LocalEngine()) as engine, closing(engine.map(_write_shard, shards)) as results:
        for _, result in results:
            if isinstance(result, Lost):
                raise RuntimeError(f"a worker that wrote annotations died: {result.cause}")


def _write_shard(shard: _Shard) -> None:
    for number, shown in enumerate(shard.shown, start=shard.first):
        photo = _photo_of(shard.photos, number)
        content = annotation(shown, photo.width, photo.height, f"{shard.split}/{number}")
        with open(f"{shard.folder}/{number:06d}.json", "wb") as file:
            file.write(content)


def _photo_of(photos: list[Photo], number: int) -> Photo:
    """The picture of the image with this number: another one than its neighbours have."""
    return photos[number % len(photos)]
