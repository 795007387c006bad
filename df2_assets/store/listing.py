"""One scan of a split's folders: names, sizes and times of images and annotations."""

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from df2_assets.store.files import NOT_A_FILE, status_of
from df2_assets.store.layout import Roots, require_input
from df2_assets.store.objects.client import stamp
from df2_assets.store.objects.path import ObjectPath

_ABSENT: Final = (-2, -2)
"""Size and time of a file that is not there, as the digest has them."""


@dataclass(frozen=True)
class Listing:
    """`files` has a row an image id that has an image, an annotation or both, sorted by id.

    `digest` changes with any name, size or time. `strangers` are names that are not six digits
    and the ending; they are left alone.
    """

    files: pd.DataFrame
    digest: str
    strangers: list[str]


def scan(roots: Roots, split: str) -> Listing:
    """List `split`. Raises LayoutError where train or validation lacks a folder."""
    require_input(roots, split)
    images, odd_images = _entries(roots.images(split), ".jpg")
    annotations, odd_annotations = _entries(roots.annotations(split), ".json")
    names = sorted(images.keys() | annotations.keys())
    files = pd.DataFrame({"image_id": pd.array(names, "str")})
    digest = hashlib.sha256("".join(names).encode())
    for kind, entries in (("anno", annotations), ("image", images)):
        found = np.array([entries.get(name, _ABSENT) for name in names], "int64").reshape(-1, 2)
        digest.update(found.tobytes())
        for column, values in zip((f"{kind}_size", f"{kind}_mtime_ns"), found.T, strict=True):
            files[column] = pd.array(values, "Int64")
            files.loc[found[:, 0] == _ABSENT[0], column] = pd.NA
    return Listing(files, digest.hexdigest(), sorted(odd_images + odd_annotations))


def _entries(folder: Path, suffix: str) -> tuple[dict[str, tuple[int, int]], list[str]]:
    entries: dict[str, tuple[int, int]] = {}
    strangers: list[str] = []
    if isinstance(folder, ObjectPath):
        for found in folder.client.listed(folder.key, deep=False):
            stem = _stem(found.name, suffix)
            if stem is None:
                strangers.append(f"{folder.name}/{found.name}")
            else:
                size = NOT_A_FILE if found.size is None else found.size
                entries[stem] = size, stamp(found.tag)
        return entries, strangers
    if not folder.is_dir():
        return entries, strangers
    with _opened(folder) as descriptor, os.scandir(descriptor) as scanned:
        for entry in scanned:
            stem = _stem(entry.name, suffix)
            if stem is None:
                strangers.append(f"{folder.name}/{entry.name}")
                continue
            try:
                status = entry.stat()
            except OSError:  # a link to nowhere
                status = entry.stat(follow_symlinks=False)
            size, time = status_of(status)
            entries[stem] = (size if stat.S_ISREG(status.st_mode) else NOT_A_FILE, time)
    return entries, strangers


def _stem(name: str, suffix: str) -> str | None:
    """The six digits of a name; None where it is not those and the suffix."""
    stem = name[:6]
    return stem if name[6:] == suffix and stem.isascii() and stem.isdigit() else None


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    """The folder's descriptor: the system need not look up its path again for each file in it."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
