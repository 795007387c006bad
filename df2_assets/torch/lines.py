"""The lines of a table of crops, by the rows of a data set that they belong to."""

from pathlib import Path
from typing import Any, Final, Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from df2_assets.errors import ProvenanceError
from df2_assets.store.crop_lines import Header
from df2_assets.torch.rows import Rows

_ABSENT: Final = -1


class _Row(msgspec.Struct):
    image_path: str


class _Crop(msgspec.Struct):
    crop_path: str
    reason: str | None


class CropLines:
    """The lines of a file of `store.crop_lines` by row number. A line is decoded when requested.

    A copy for another process takes 8 bytes per line and 4 per row. `variant` is the declaration of
    a crop variant. `is_refused` says for each row whether the crop was refused.

    Raises ProvenanceError, which names `command`, if the file is of another build than the data
    `source` (None: any build), or lacks a crop of `rows`.
    """

    def __init__(self, path: Path, rows: Rows, source: str | None, command: str) -> None:
        self._lines = Rows(path)
        header = msgspec.json.decode(self._lines.line(0), type=Header)
        self.variant = header.variant
        decode, decode_row = msgspec.json.Decoder(_Crop).decode, msgspec.json.Decoder(_Row).decode
        crops = (decode(self._lines.line(place)) for place in range(1, len(self._lines)))
        places: dict[str, int] = {}
        refused = [False]
        for place, crop in enumerate(crops, 1):
            places[crop.crop_path] = place
            refused.append(crop.reason is not None)
        paths = (decode_row(line).image_path for line in rows.lines())
        self._places = np.fromiter((places.get(path, _ABSENT) for path in paths), np.int32)
        if source not in (None, header.source) or _ABSENT in self._places:
            raise ProvenanceError(
                f"{path} is of another build than the prompts: copy both again or, where the build "
                f"is, run {command}"
            )
        self.is_refused: NDArray[np.bool_] = np.array(refused)[self._places]

    def select(self, rows: NDArray[np.intp]) -> Self:
        """Keep only the lines of some rows, and return this object."""
        self._places, self.is_refused = self._places[rows], self.is_refused[rows]
        return self

    def __getitem__(self, row: int) -> dict[str, Any]:
        return self._lines[int(self._places[row])]
