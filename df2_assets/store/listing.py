"""One scan of a split's folders: names, sizes and times of images and annotations."""

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd

from df2_assets.store.files import NOT_A_FILE
from df2_assets.store.layout import Roots, refuse_missing

_TYPES: Final = {
    "image_id": "str",
    "anno_size": "Int64",
    "anno_mtime_ns": "Int64",
    "image_size": "Int64",
    "image_mtime_ns": "Int64",
}


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
    refuse_missing(roots, split)
    images, odd_images = _entries(roots.images(split), ".jpg")
    annotations, odd_annotations = _entries(roots.annotations(split), ".json")
    digest = hashlib.sha256()
    for entries in (images, annotations):
        lines = (f"{name} {size} {time}\n" for name, (size, time) in sorted(entries.items()))
        digest.update("".join(lines).encode())
    names = sorted(images.keys() | annotations.keys())
    nothing = (None, None)
    rows = [(name, *annotations.get(name, nothing), *images.get(name, nothing)) for name in names]
    files = pd.DataFrame(rows, columns=list(_TYPES), dtype=object).astype(_TYPES)
    return Listing(files, digest.hexdigest(), sorted(odd_images + odd_annotations))


def _entries(folder: Path, suffix: str) -> tuple[dict[str, tuple[int, int]], list[str]]:
    entries: dict[str, tuple[int, int]] = {}
    strangers: list[str] = []
    if not folder.is_dir():
        return entries, strangers
    with os.scandir(folder) as scan:
        for entry in scan:
            stem, dot_suffix = entry.name[:6], entry.name[6:]
            if dot_suffix != suffix or not (stem.isascii() and stem.isdigit()):
                strangers.append(f"{folder.name}/{entry.name}")
                continue
            try:
                status = entry.stat()
            except OSError:  # a link to nowhere
                status = entry.stat(follow_symlinks=False)
            size = status.st_size if stat.S_ISREG(status.st_mode) else NOT_A_FILE
            entries[stem] = (size, status.st_mtime_ns)
    return entries, strangers
