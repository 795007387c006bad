"""The listing of a split's folders: names, sizes and times of images and annotations."""

import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from df2_assets.store.layout import ANNOTATION, IMAGE, Roots, require_input
from df2_assets.store.location import store_at

_ABSENT: Final = -2
"""Size and time of a file that is missing, as the digest has them."""

_DIGITS: Final = 6
"""Digits of an image id."""

_POWERS: Final = 10 ** np.arange(_DIGITS)[::-1]
"""What each digit of an image id counts."""

Integers = npt.NDArray[np.int64]
Stat = Callable[[Path, list[str]], tuple[list[str], bytes]]
"""Takes a folder and names of files in it; returns the names, in any order, and their stamps.

The stamps are size and time of each file, one after the other, as 64-bit integers.
"""


@dataclass(frozen=True)
class Listing:
    """What lies in the folders of a split.

    `files` has one row per image id that has an image, an annotation or both, sorted by id.
    `digest` changes with any name, size or time. Names that are not six digits and the ending are
    in neither.
    """

    files: pd.DataFrame
    digest: str


def scan(roots: Roots, split: str, stat: Stat | None = None) -> Listing:
    """List `split`. Raises LayoutError as `require_input` does.

    With `stat`, only names are listed here, where the store allows it.
    """
    require_input(roots, split)
    images, image_stamps = _list_folder(roots.images(split), IMAGE, stat)
    annotations, stamps = _list_folder(roots.annotations(split), ANNOTATION, stat)
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
    return Listing(pd.DataFrame(files), digest.hexdigest())


def _list_folder(folder: Path, suffix: str, stat: Stat | None) -> tuple[Integers, Integers]:
    """Return the image ids of a folder as numbers, and size and time of each."""
    store = store_at(folder)
    if stat and store.has_folders:
        names, packed = stat(folder, _select_names(store.names(folder), suffix))
        stamps = np.frombuffer(packed, "int64")
    else:
        entries = dict(store.files(folder))
        names = _select_names(entries, suffix)
        stamps = np.array([entries[name] for name in names], "int64")
    letters = np.frombuffer("".join(names).encode(), "uint8").reshape(-1, _DIGITS + len(suffix))
    return (letters[:, :_DIGITS] - ord("0")) @ _POWERS, stamps.reshape(-1, 2)


def _select_names(names: Iterable[str], suffix: str) -> list[str]:
    """Return the names of six digits and `suffix`, found by one search in all of them."""
    own = rf"(?:^|/)([0-9]{{{_DIGITS}}}{re.escape(suffix)})(?=/|\Z)"
    return re.findall(own, "/".join(names))


def _format_ids(numbers: Integers) -> pa.Array:
    """Return numbers as texts of six digits."""
    digits = (numbers[:, None] // _POWERS % 10 + ord("0")).astype("uint8")
    offsets = np.arange(0, digits.size + 1, _DIGITS, dtype="int32")
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(digits.tobytes())]
    return pa.Array.from_buffers(pa.string(), len(numbers), buffers)
