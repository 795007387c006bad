"""The exports: a complete split in the forms that training code loads.

A format is one file here with an `EXPORT`, and one entry in this list. It is written with the core
libraries alone. Files that would be the same are left as they are.
"""

from typing import Final

from df2_assets.exports import (
    coco,
    croissant,
    huggingface,
    open_clip,
    pairs,
    retrieval,
    table,
    webdataset,
)
from df2_assets.exports.format import Export

_FORMATS: Final = (webdataset, huggingface, open_clip, table, retrieval, pairs, croissant, coco)

EXPORTS: Final[dict[str, Export]] = {form.EXPORT.name: form.EXPORT for form in _FORMATS}
"""Each is an asset, a name for `df2-assets export`, and a folder under `_df2_assets/exports`."""

NAMES: Final = tuple(EXPORTS)
