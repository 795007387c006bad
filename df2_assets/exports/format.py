"""The description of a format."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from inspect import cleandoc
from typing import Literal

from df2_assets.exports.folder import Folder


@dataclass(frozen=True)
class Export:
    """A format: what it is called, how its files are written and how they are loaded.

    `write` publishes all files of a split. `own` matches the paths below the folder that the format
    can have. `tables` names what it counts the rows of (`Folder.counted`), and what each row stands
    for. `says` is markdown about the files, with `{split}`; `loads` is Python that reads the split
    SPLIT, and `front_matter` comes before the data card. `code_version` changes with the files.
    """

    name: str
    title: str
    says: str
    loads: str
    kinds: tuple[str, ...]
    own: re.Pattern[str]
    tables: Mapping[str, Literal["crops", "pairs"]]
    write: Callable[[Folder], None]
    code_version: str = "1"
    front_matter: str = ""

    @property
    def summary(self) -> str:
        """`says` without its indentation."""
        return cleandoc(self.says)

    def example(self, split: str) -> str:
        """Return the Python that loads a split."""
        return self.loads.strip().replace("SPLIT", split)
