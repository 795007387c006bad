"""The listing of a split's folders: names, sizes and times of images and annotations."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from df2_assets.store.layout import ANNOTATION, IMAGE, Roots, image_id_of, require_input
from df2_assets.store.location import store_at
from df2_assets.store.store import Status
from df2_assets.store.system_files import is_system_file

_ABSENT: Final = -2
"""Size and time of a file that is missing, as the digest has them."""

_DIGITS: Final = 6
"""Digits of an image id."""

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Listing:
    """What lies in the folders of a split.

    `files` has one row per image id that has an image, an annotation or both, sorted by id.
    `digest` changes with any name, size or time. `foreign` are names that are not six digits and
    the ending, without those of systems; they are left alone.
    """

    files: pd.DataFrame
    digest: str
    foreign: list[str]


def scan(roots: Roots, split: str) -> Listing:
    """List `split`. Raises LayoutError as `require_input` does."""
    require_input(roots, split)
    images, image_stamps, foreign_images = _list_folder(roots.images(split), IMAGE)
    annotations, stamps, foreign_annotations = _list_folder(roots.annotations(split), ANNOTATION)
    numbers = np.union1d(images, annotations)
    image_ids = _format_ids(numbers)
    files = {"image_id": pd.Series(pd.arrays.ArrowExtensionArray(image_ids))}
    digest = hashlib.sha256(image_ids.buffers()[2])
    for kind, own, own_stamps in (("anno", annotations, stamps), ("image", images, image_stamps)):
        entries = np.full((len(numbers), 2), _ABSENT, "int64")
        entries[np.searchsorted(numbers, own)] = own_stamps
        digest.update(entries.tobytes())
        for column, values in zip((f"{kind}_size", f"{kind}_mtime_ns"), entries.T, strict=True):
            is_absent = entries[:, 0] == _ABSENT
            files[column] = pd.Series(pd.arrays.IntegerArray(values.copy(), is_absent))
    return Listing(
        pd.DataFrame(files), digest.hexdigest(), sorted(foreign_images + foreign_annotations)
    )


def _list_folder(folder: Path, suffix: str) -> tuple[Integers, Integers, list[str]]:
    """Return the image ids of a folder as numbers, size and time of each, and foreign names."""
    numbers: list[int] = []
    stamps: list[Status] = []
    foreign: list[str] = []
    for name, status in store_at(folder).files(folder):
        if image_id_of(name, suffix) is not None:
            numbers.append(int(name[:_DIGITS]))
            stamps.append(status)
        elif not is_system_file(name):
            foreign.append(f"{folder.name}/{name}")
    return np.array(numbers, "int64"), np.array(stamps, "int64").reshape(-1, 2), foreign


def _format_ids(numbers: Integers) -> pa.Array:
    """Return numbers as texts of six digits."""
    powers = 10 ** np.arange(_DIGITS)[::-1]
    digits = (numbers[:, None] // powers % 10 + ord("0")).astype("uint8")
    offsets = np.arange(0, digits.size + 1, _DIGITS, dtype="int32")
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(digits.tobytes())]
    return pa.Array.from_buffers(pa.string(), len(numbers), buffers)
