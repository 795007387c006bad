"""What every format says of itself, and how its files are written and read back."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from inspect import cleandoc
from pathlib import Path
from typing import Any

from df2_assets.exports.folder import Folder
from df2_assets.exports.source import Source
from df2_assets.exports.tally import Tally

Record = tuple[str, dict[str, Any]]
"""What an export says of one thing: what names the thing, and the values."""


@dataclass(frozen=True)
class Form:
    """One of an export's files, or sets of files.

    `expected` is what the JSONL makes of it; `found` reads the folder of a split, and raises a
    ValueError, OSError, KeyError or TarError where that cannot be read.
    """

    expected: Callable[[Source], Iterator[Record]]
    found: Callable[[Path, str], Iterator[Record]]


@dataclass(frozen=True)
class Format:
    """An export. `own` matches the paths below its folder that it can have.

    `says` is markdown about it, `loads` a Python block that reads the split SPLIT; `header` is
    what comes before its README, where something does.
    """

    name: str
    title: str
    says: str
    loads: str
    kinds: tuple[str, ...]
    code_version: str
    own: re.Pattern[str]
    write: Callable[[Folder], None]
    forms: Mapping[str, Form]
    header: Callable[[Source, Tally], str] | None = None

    @property
    def summary(self) -> str:
        """`says`, without its indentation."""
        return cleandoc(self.says)
