"""A complete split in the forms that training code loads; one file a format.

Each is written with the core libraries alone, from the lines of the JSONL and the crops as the
manifest knows them. What was written before and would be the same is left as it is.
"""

from typing import Final

NAMES: Final = (
    "webdataset",
    "huggingface",
    "open_clip",
    "retrieval",
    "pairs",
    "croissant",
    "coco",
)
"""The exports, each an asset of its own and a folder under `_df2_assets/exports`."""
