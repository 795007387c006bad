"""All exports, by name."""

from typing import Final

from df2_assets.exports import (
    NAMES,
    coco,
    croissant,
    huggingface,
    open_clip,
    pairs,
    retrieval,
    webdataset,
)
from df2_assets.exports.form import Format

_ALL: Final = (webdataset, huggingface, open_clip, retrieval, pairs, croissant, coco)

FORMATS: Final[dict[str, Format]] = {
    name: module.FORMAT for name, module in zip(NAMES, _ALL, strict=True)
}
