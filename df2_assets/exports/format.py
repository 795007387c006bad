"""The description of a format."""

import re
from collections.abc import Callable, Mapping
from inspect import cleandoc
from typing import Literal, NamedTuple

from df2_assets.exports.folder import Folder


class Export(NamedTuple):
    """A format: what it is called, how its files are written and how they are loaded.

    `write` publishes all files of a split but the data card. `own` matches the paths of these files
    below the folder. `tables` has what `Folder.counted` counts: each row is a crop, or a pair.
    `says` is markdown about the files, with `{split}`; `loads` is Python that reads the split
    SPLIT, `loads_empty` Python that reads one without SKUs, if that can be loaded at all.
    `front_matter` comes before the data card. `code_version` changes with the files.
    """

    name: str
    title: str
    says: str
    loads: str
    kinds: tuple[str, ...]
    own: re.Pattern[str]
    write: Callable[[Folder], None]
    tables: Mapping[str, Literal["crops", "pairs"]] = {"rows": "crops"}
    code_version: str = "1"
    front_matter: str = ""
    loads_empty: str = ""

    @property
    def summary(self) -> str:
        """`says` without its indentation."""
        return cleandoc(self.says)

    def example(self, split: str, *, is_empty: bool = False) -> str:
        """Return the Python that loads a split, or one without SKUs."""
        loads = self.loads_empty if is_empty else self.loads
        return loads.strip().replace("SPLIT", split)
