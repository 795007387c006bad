"""Why a file, an item or a crop cannot be used: the codes in every `reason` column."""

from enum import StrEnum
from typing import Final

from df2_assets.dataset.taxonomy import CATEGORIES


class Reason(StrEnum):
    """One code per refusal; `detail` beside it says what exactly is wrong."""

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
"""In the manifest alone: the crop could be made, and its SKU lost all crops of the other domain.

Not a refusal: what failed is refused, this follows from it.
"""

MEANINGS: dict[Reason, str] = {
    Reason.UNREADABLE_JSON: "the annotation file is not JSON, over 16 MB, or cannot be read",
    Reason.NOT_AN_OBJECT: "the annotation, or the item in it, is not a JSON object",
    Reason.MISSING_FIELD: "a field that the SKU rule or the prompt needs is absent",
    Reason.WRONG_FIELD: "a field has a value that it cannot have, or a key appears twice",
    Reason.UNKNOWN_SOURCE: "source is neither shop nor user",
    Reason.WRONG_CATEGORY: (
        f"category_id is not 1 to {len(CATEGORIES)}, or category_name is another's"
    ),
    Reason.BOX_REVERSED: "the box has no width or no height, or its corners are swapped",
    Reason.BOX_OUTSIDE: "the box does not touch the image",
    Reason.MISSING_IMAGE: "the annotation's image is not there",
    Reason.NOT_A_JPEG: "the image's content is not a JPEG, whatever its name says",
    Reason.UNREADABLE_IMAGE: "the image is damaged, truncated, or kills the decoder",
    Reason.IMAGE_TOO_LARGE: "the image has more pixels than may safely be decoded",
}

IMAGE_REASONS: Final = (
    Reason.MISSING_IMAGE,
    Reason.NOT_A_JPEG,
    Reason.UNREADABLE_IMAGE,
    Reason.IMAGE_TOO_LARGE,
)
"""Reasons of which the image is the cause, and not its annotation."""


def responsible_file(split: str, image_id: str, reason: str) -> str:
    """Return the image or the annotation that a refusal is about, relative to DF2_ROOT."""
    of_image = reason in IMAGE_REASONS
    return f"{split}/image/{image_id}.jpg" if of_image else f"{split}/annos/{image_id}.json"
