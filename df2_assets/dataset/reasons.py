"""The reasons why a file, an item or a crop is refused: the codes in every `reason` column."""

from enum import StrEnum
from typing import Final

from df2_assets.dataset.taxonomy import CATEGORIES


class Reason(StrEnum):
    """The code of a refusal. The column `detail` next to it says exactly what is wrong."""

    UNREADABLE_JSON = "unreadable_json"
    NOT_AN_OBJECT = "not_an_object"
    MISSING_FIELD = "missing_field"
    WRONG_FIELD = "wrong_field"
    UNKNOWN_SOURCE = "unknown_source"
    WRONG_CATEGORY = "wrong_category"
    BOX_REVERSED = "box_reversed"
    BOX_OUTSIDE = "box_outside"
    MISSING_IMAGE = "missing_image"
    NOT_A_JPEG = "not_a_jpeg"
    UNREADABLE_IMAGE = "unreadable_image"
    IMAGE_TOO_LARGE = "image_too_large"


UNPAIRED = "unpaired"
"""A reason that only the manifest has: the SKU has no crop of the other domain left.

The crop itself could be made. This is not a refusal, but the consequence of other refusals. It does
not occur where SKUs with one domain are kept.
"""

MEANINGS: dict[Reason, str] = {
    Reason.UNREADABLE_JSON: "the annotation file is not JSON, over 16 MB, or cannot be read",
    Reason.NOT_AN_OBJECT: "the annotation, or the item in it, is not a JSON object",
    Reason.MISSING_FIELD: "a field that the SKU rule or the prompt needs is absent",
    Reason.WRONG_FIELD: "a field has a value that it cannot have, or a key appears twice",
    Reason.UNKNOWN_SOURCE: "source is neither shop nor user",
    Reason.WRONG_CATEGORY: (
        f"category_id is not 1 to {len(CATEGORIES)}, or category_name is that of another"
    ),
    Reason.BOX_REVERSED: "the box has no width or no height, or its corners are swapped",
    Reason.BOX_OUTSIDE: "the box does not touch the image",
    Reason.MISSING_IMAGE: "the image of the annotation is missing",
    Reason.NOT_A_JPEG: "the image's content is not a JPEG, whatever its name says",
    Reason.UNREADABLE_IMAGE: "the image is damaged, truncated, or crashes the decoder",
    Reason.IMAGE_TOO_LARGE: "the image has more pixels than may safely be decoded",
}

IMAGE_REASONS: Final = (
    Reason.MISSING_IMAGE,
    Reason.NOT_A_JPEG,
    Reason.UNREADABLE_IMAGE,
    Reason.IMAGE_TOO_LARGE,
)
"""The reasons that the image causes, and not its annotation."""


def responsible_file(split: str, image_id: str, reason: str) -> str:
    """Return the file that causes a refusal: an image or annotation, relative to DF2_ROOT."""
    of_image = reason in IMAGE_REASONS
    return f"{split}/image/{image_id}.jpg" if of_image else f"{split}/annos/{image_id}.json"
