"""The exports: a complete split in the forms that training code loads.

A format is one file here with an `EXPORT`, and one entry in this list. It is written with the core
libraries alone. Files that would be the same are left as they are.
"""

from typing import Final

from df2_assets.exports.coco import EXPORT as COCO
from df2_assets.exports.croissant import EXPORT as CROISSANT
from df2_assets.exports.format import Export
from df2_assets.exports.huggingface import EXPORT as HUGGINGFACE
from df2_assets.exports.open_clip import EXPORT as OPEN_CLIP
from df2_assets.exports.pairs import EXPORT as PAIRS
from df2_assets.exports.retrieval import EXPORT as RETRIEVAL
from df2_assets.exports.webdataset import EXPORT as WEBDATASET

EXPORTS: Final[dict[str, Export]] = {
    export.name: export
    for export in (WEBDATASET, HUGGINGFACE, OPEN_CLIP, RETRIEVAL, PAIRS, CROISSANT, COCO)
}
"""Each is an asset, a name for `df2-assets export`, and a folder under `_df2_assets/exports`."""

NAMES: Final = tuple(EXPORTS)
