"""The fields of the two contract files, with type, meaning and the columns they come from.

`dataset.metadata` writes them; this is what is said of them in the UI.
"""

from collections.abc import Iterable
from typing import Final

import pyarrow as pa

from df2_assets.dataset.tables import column

_GROUPS: Final = "sku_groups"
_METADATA: Final = "sku_metadata"
_BOX: Final = pa.list_(pa.int32(), 4)
_BOX_SAYS: Final = "[x1, y1, x2, y2], clamped, half-open, pixels of the stored image"


def _same(asset: str, name: str, kind: pa.DataType, description: str) -> pa.Field:
    """A field with the value that a column of the same name has."""
    return column(name, kind, description, f"{asset}.{name}")


def _of_both(asset: str) -> list[pa.Field]:
    """Fields that both files take over as they are."""
    return [
        _same(asset, "sku_id", pa.string(), "pair (6 digits) _ style (2) _ category (2)"),
        _same(asset, "pair_id", pa.int32(), "1 to 999999"),
        _same(asset, "style", pa.int16(), "1 to 99"),
        _same(asset, "category_id", pa.int8(), "1 to 13"),
        _same(asset, "category_name", pa.string(), "its name"),
        _same(asset, "domain", pa.string(), "catalog (shop) or query (user)"),
    ]


def _of_the_crop(asset: str, *box: str) -> list[pa.Field]:
    return [
        _same(asset, "orig_image_path", pa.string(), "the image, relative to DF2_ROOT"),
        _same(asset, "image_id", pa.string(), "six digits, unique within the split"),
        _same(asset, "item_idx", pa.int32(), "N of itemN"),
        column("bbox", _BOX, _BOX_SAYS, *(f"{asset}.{name}" for name in box)),
        _same(asset, "occlusion", pa.int8(), "1 slight or none, 2 medium, 3 heavy"),
        _same(asset, "viewpoint", pa.int8(), "1 not worn, 2 frontal, 3 side or back"),
    ]


SKU_METADATA: Final = pa.schema(
    [
        *_of_both(_GROUPS),
        column(
            "crop_path",
            pa.string(),
            "the crop, relative to SKU_ROOT",
            f"{_GROUPS}.crop_path",
            "crops.crop_path",
        ),
        *_of_the_crop(_GROUPS, "x1", "y1", "x2", "y2"),
    ]
)
"""A crop of a SKU. In the document `sku_id` is the key and `domain` the list that a crop is in."""

IMAGE_TEXT: Final = pa.schema(
    [
        column("split", pa.string(), "train, validation or test", f"{_METADATA}.crop_path"),
        *_of_both(_METADATA),
        column(
            "image_path", pa.string(), "the crop, relative to SKU_ROOT", f"{_METADATA}.crop_path"
        ),
        *_of_the_crop(_METADATA, "bbox"),
        column(
            "text",
            pa.string(),
            "the prompt: what is to be seen",
            *(
                f"{_METADATA}.{name}"
                for name in ("domain", "category_name", "occlusion", "viewpoint")
            ),
        ),
    ]
)
"""A line of the JSONL, its keys in order."""


def image_text_schema(keys: Iterable[str]) -> pa.Schema:
    """A line of a JSONL with further prompts under `keys`."""
    text = IMAGE_TEXT.field("text")
    says = {b"description": b"a prompt by the templates of DF2_PROMPTS"}
    more = [text.with_name(key).with_metadata(text.metadata | says) for key in keys]
    return pa.schema([*IMAGE_TEXT, *more])


DOCUMENTS: Final[dict[str, pa.Schema]] = {"sku_metadata": SKU_METADATA, "image_text": IMAGE_TEXT}
