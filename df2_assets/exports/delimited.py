"""Comma- and tab-separated files, written row by row."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from df2_assets.errors import OutputError, inert

_BREAKS: Final = ("\t", "\n", "\r")


def delimited(rows: Iterable[Sequence[object]], delimiter: str = ",") -> Iterator[bytes]:
    """Rows as lines of UTF-8, quoted where they have to be.

    Raises OutputError for a text with a tab or a line break: no prompt and no path has one.
    """
    for row in rows:
        for value in row:
            if isinstance(value, str) and any(mark in value for mark in _BREAKS):
                raise OutputError(
                    f"{inert(value)} has a tab or a line break in it, which no prompt and no path "
                    "may have: run df2-assets verify."
                )
        line = io.StringIO()
        csv.writer(line, delimiter=delimiter, lineterminator="\n").writerow(row)
        yield line.getvalue().encode()


def read_delimited(path: Path, delimiter: str = ",") -> Iterator[dict[str, str]]:
    """The rows of such a file, by the names of its first line."""
    with path.open("rb") as file, io.TextIOWrapper(file, encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines, delimiter=delimiter, strict=True)
