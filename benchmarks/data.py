"""Data sets of any size in the layout of DeepFashion2, from a limited number of pictures.

An image file is a hard link to one of the pictures of its split. Each split has its own pictures,
because equal images in two splits are leakage. The boxes differ, so hardly two crops are the same.
"""

import os
from collections.abc import Mapping
from itertools import repeat
from pathlib import Path
from typing import Final

from benchmarks.annotations import draw_annotation
from benchmarks.pairs import ImageContent, images_of
from benchmarks.photos import BYTES, Photo, draw_photos, in_processes
from df2_assets.dataset.taxonomy import ANNOTATED_SPLITS, RELEASED

_BLOCK: Final = 4096
_ANNOTATION_BYTES: Final = 6_500
"""Average space on the disk of an annotation of about 4,200 bytes."""

FULL_SIZE: Final = {split: released.images for split, released in RELEASED.items()}
"""Images of each split of the release: 191,961, 32,153 and, without annotations, 62,629."""

FULL_SIZE_PHOTOS: Final = {"train": 2400, "validation": 900, "test": 300}


def make_photos(folder: Path, counts: Mapping[str, int]) -> dict[str, list[Photo]]:
    """Draw pictures for each split, in folders named after the splits."""
    return {split: draw_photos(folder / split, count) for split, count in counts.items()}


def make_data_set(root: Path, images: Mapping[str, int], photos: Mapping[str, list[Photo]]) -> Path:
    """Write a `DF2_ROOT` with `images` per split, without annotations in `test`; return `root`.

    `photos` must be on the same disk. Neighbouring images have different pictures.
    """
    for split, count in images.items():
        folder, pictures = root / split, photos.get(split) or [Photo("", 0, 0)]
        numbered = [pictures[number % len(pictures)] for number in range(1, count + 1)]
        (folder / "image").mkdir(parents=True)
        for number, photo in enumerate(numbered, start=1):
            os.link(photo.path, folder / "image" / f"{number:06d}.jpg")
        if split in ANNOTATED_SPLITS:
            (folder / "annos").mkdir()
            numbers = range(1, count + 1)
            in_processes(_annotate, repeat(folder), numbers, numbered, images_of(split, count))
    return root


def bytes_of(images: Mapping[str, int], photos: Mapping[str, int]) -> int:
    """Estimate the bytes that a data set and its pictures take on the disk."""
    annotated = sum(images.get(split, 0) for split in ANNOTATED_SPLITS)
    return sum(photos.values()) * (BYTES + _BLOCK // 2) + annotated * _ANNOTATION_BYTES


def _annotate(folder: Path, number: int, photo: Photo, image: ImageContent) -> None:
    content = draw_annotation(image, photo.width, photo.height, f"{folder.name}/{number}")
    (folder / "annos" / f"{number:06d}.json").write_bytes(content)
