"""One scan of a split's folders: names, sizes and times of images and annotations."""

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from df2_assets.store.files import NOT_A_FILE
from df2_assets.store.layout import Roots, refuse_missing


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
    digest = hashlib.sha256(repr((sorted(images.items()), sorted(annotations.items()))).encode())
    names = sorted(images.keys() | annotations.keys())
    files = pd.DataFrame({"image_id": pd.array(names, "str")})
    for kind, entries in (("anno", annotations), ("image", images)):
        found = [entries.get(name, (None, None)) for name in names]
        files[f"{kind}_size"] = pd.array([size for size, _ in found], "Int64")
        files[f"{kind}_mtime_ns"] = pd.array([time for _, time in found], "Int64")
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
