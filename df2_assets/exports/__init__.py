"""The exports: a complete split in the formats that training code loads.

A format is one file here with an `EXPORT`, and one entry in the list below. Formats are written
with the core libraries only. Files whose content would not change are left untouched.
"""

from typing import Final

from df2_assets.exports import (
    coco,
    croissant,
    huggingface,
    open_clip,
    pairs,
    reid,
    retrieval,
    table,
    webdataset,
)
from df2_assets.exports.format import Export

_FORMATS: Final = (
    webdataset,
    huggingface,
    open_clip,
    table,
    retrieval,
    reid,
    pairs,
    croissant,
    coco,
)

EXPORTS: Final[dict[str, Export]] = {form.EXPORT.name: form.EXPORT for form in _FORMATS}
"""All exports by name.

The name is that of an asset, an argument of `df2-assets export`, and a folder under
`_df2_assets/exports`.
"""

NAMES: Final = tuple(EXPORTS)
