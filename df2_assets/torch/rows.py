"""The lines of one or more JSONL files as a sequence, without a Python object per line."""

from abc import abstractmethod
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from copy import copy
from itertools import accumulate
from pathlib import Path
from typing import Any, Final, overload

import msgspec
import numpy as np
from numpy.typing import NDArray

from df2_assets.errors import ProvenanceError
from df2_assets.store.location import store_at

_BLOCK: Final = 1 << 24
"""Bytes per block that is searched for line ends."""

_NEWLINE: Final = ord("\n")


class _Lines(Sequence[dict[str, Any]]):
    """Decoded lines by number. A slice is a list."""

    @abstractmethod
    def _decode(self, place: int) -> dict[str, Any]:
        """Return the line of a number from 0 on."""

    @overload
    def __getitem__(self, index: int) -> dict[str, Any]: ...
    @overload
    def __getitem__(self, index: slice) -> list[dict[str, Any]]: ...
    def __getitem__(self, index: int | slice) -> dict[str, Any] | list[dict[str, Any]]:
        places = range(len(self))[index]
        if isinstance(places, range):
            return [self._decode(place) for place in places]
        return self._decode(places)


class Rows(_Lines):
    """The lines of the file at `path`. A line is decoded when it is requested.

    The file is mapped into memory, so that all processes share its pages. In addition, 8 bytes per
    line store where the line ends. They are pickled, and the other process maps the file again. It
    raises ProvenanceError if the file has changed. An object of an object store cannot be mapped:
    each process fetches it with one request and keeps it in memory.
    """

    _places: NDArray[np.int32] | None = None
    """The numbers of the selected lines in the file; None if all are selected."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._map()
        self._ends = _find_line_ends(self._bytes)

    def _map(self) -> None:
        self._bytes, self._stamp = store_at(self.path).map_bytes(self.path)

    def select(self, places: NDArray[np.intp]) -> "Rows":
        """Return only the lines with these numbers."""
        selected = copy(self)
        selected._places = np.arange(len(self), dtype=np.int32)[places]
        return selected

    def __len__(self) -> int:
        return len(self._ends if self._places is None else self._places)

    def line(self, index: int) -> memoryview:
        """Return the bytes of a line. Raises IndexError."""
        place = range(len(self))[index]
        if self._places is not None:
            place = int(self._places[place])
        begin = 0 if place == 0 else int(self._ends[place - 1])
        return self._bytes[begin : int(self._ends[place])]

    def lines(self) -> Iterator[memoryview]:
        """Yield the bytes of every line, in order."""
        return map(self.line, range(len(self)))

    def _decode(self, place: int) -> dict[str, Any]:
        row: dict[str, Any] = msgspec.json.decode(self.line(place))
        return row

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_bytes"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._map()
        if self._stamp != state["_stamp"]:
            raise ProvenanceError(
                f"{self.path} has changed since the data set was opened: open it again."
            )


class JoinedRows(_Lines):
    """The lines of several files, one file after another."""

    def __init__(self, parts: Sequence[Rows]) -> None:
        self._parts = list(parts)
        self._ends = list(accumulate(map(len, self._parts)))

    def __len__(self) -> int:
        return self._ends[-1]

    def _decode(self, place: int) -> dict[str, Any]:
        part = bisect_right(self._ends, place)
        return self._parts[part][place - self._ends[part]]  # counted from the end of the part


def _find_line_ends(data: memoryview) -> NDArray[np.int64]:
    """Return the offset after each line and its newline, in bytes. Data is searched in blocks."""
    ends = [
        np.flatnonzero(np.frombuffer(data[start : start + _BLOCK], np.uint8) == _NEWLINE) + start
        for start in range(0, len(data), _BLOCK)
    ]
    unended = [len(data) - 1] if len(data) and data[-1] != _NEWLINE else []
    return np.concatenate([np.zeros(0, np.int64), *ends, np.array(unended, np.int64)]) + 1
