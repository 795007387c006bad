"""The description of an export format."""

import re
from collections.abc import Callable, Mapping
from inspect import cleandoc
from typing import Literal, NamedTuple

from df2_assets.exports.folder import ExportFolder
from df2_assets.exports.record import export_name


class Export(NamedTuple):
    """One format: its name, how its files are written and how they are loaded.

    - `description`: Markdown about the files, with `{split}` for the split.
    - `loading_code`: Python that reads the split SPLIT.
    - `kinds`: labels that Dagster's UI shows.
    - `own_paths`: matches the paths of the format's files, relative to the folder.
    - `write`: writes all files of a split except the data card.
    - `tables`: what a row is, for each table that `ExportFolder.count_rows` counts.
    - `has_shapes`: whether rows have masks and landmarks. The table `labels` is then made first.
    - `uses_vectors`: whether it has more rows where an encoder is chosen.
    - `code_version`: raise it when the files of the same rows change.
    - `front_matter`: the beginning of the data card.
    - `empty_loading_code`: Python that reads a split without SKUs, if that can be loaded at all.
    """

    name: str
    title: str
    description: str
    loading_code: str
    kinds: tuple[str, ...]
    own_paths: re.Pattern[str]
    write: Callable[[ExportFolder], None]
    tables: Mapping[str, Literal["crops", "pairs"]] = {"rows": "crops"}
    has_shapes: bool = False
    uses_vectors: bool = False
    code_version: str = "1"
    front_matter: str = ""
    empty_loading_code: str = ""

    @property
    def summary(self) -> str:
        """`description` without its indentation."""
        return cleandoc(self.description)

    def example(self, split: str, variant: str = "", *, is_empty: bool = False) -> str:
        """Return the Python that loads a split, or one without SKUs, with a crop variant or not."""
        loading_code = self.empty_loading_code if is_empty else self.loading_code
        name = export_name(self.name, variant)
        folder = loading_code.replace(f"exports/{self.name}/", f"exports/{name}/")
        return folder.strip().replace("SPLIT", split)
