"""One scan of a split's folders: names, sizes and times of images and annotations."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from df2_assets.dataset.frames import TEXT
from df2_assets.store.layout import ANNOTATION, IMAGE, Roots, image_id_of, require_input
from df2_assets.store.location import store_at
from df2_assets.store.store import Status
from df2_assets.store.system_files import is_system_file

_ABSENT: Final = (-2, -2)
"""Size and time of a file that is not there, as the digest has them."""


@dataclass(frozen=True)
class Listing:
    """`files` has a row an image id that has an image, an annotation or both, sorted by id.

    `digest` changes with any name, size or time. `foreign` are names that are not six digits
    and the ending, less those of systems; they are left alone.
    """

    files: pd.DataFrame
    digest: str
    foreign: list[str]


def scan(roots: Roots, split: str) -> Listing:
    """List `split`. Raises LayoutError as `require_input` does."""
    require_input(roots, split)
    images, odd_images = _entries(roots.images(split), IMAGE)
    annotations, odd_annotations = _entries(roots.annotations(split), ANNOTATION)
    image_ids = sorted(images.keys() | annotations.keys())
    files = pd.DataFrame({"image_id": pd.Series(image_ids, dtype=TEXT)})
    digest = hashlib.sha256("".join(image_ids).encode())
    for kind, entries in (("anno", annotations), ("image", images)):
        found = np.array(
            [entries.get(image_id, _ABSENT) for image_id in image_ids], "int64"
        ).reshape(-1, 2)
        digest.update(found.tobytes())
        for column, values in zip((f"{kind}_size", f"{kind}_mtime_ns"), found.T, strict=True):
            files[column] = pd.array(values, "Int64")
            files.loc[found[:, 0] == _ABSENT[0], column] = pd.NA
    return Listing(files, digest.hexdigest(), sorted(odd_images + odd_annotations))


def _entries(folder: Path, suffix: str) -> tuple[dict[str, Status], list[str]]:
    entries: dict[str, Status] = {}
    foreign: list[str] = []
    for name, status in store_at(folder).files(folder):
        stem = image_id_of(name, suffix)
        if stem is not None:
            entries[stem] = status
        elif not is_system_file(name):
            foreign.append(f"{folder.name}/{name}")
    return entries, foreign
