"""A fault: how it spoils an image or its annotation, and what must notice it."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal

from df2_assets.dataset.reasons import Reason

LAYOUT: Final = "deepfashion2/layout"
PAIRING: Final = "raw_annotation_index/pairing"
REFUSALS: Final = "raw_annotation_index/refusals_within_limit"
BOXES: Final = "raw_annotation_index/boxes"
LABELS: Final = "raw_annotation_index/labels"
TINY: Final = "crops/tiny_crops"
DUPLICATES: Final = "crops/duplicate_crops"
DARK: Final = "crop_quality/dark_crops"
BLANK: Final = "crop_quality/blank_crops"
NEAR: Final = "crop_quality/near_duplicate_crops"
TWO_SKUS: Final = "crop_quality/image_in_two_skus"
UNLIKE: Final = "crop_quality/unlike_crops"

Scope = Literal["item", "file", "crops"]


@dataclass
class Draft:
    """What would be written for an image, to be spoilt.

    `labels` is the annotation and `text` its bytes, which follow from `labels` unless a fault sets
    them; `key` is the item that item faults spoil; `image` is the JPEG, of `size` in pixels.
    """

    labels: dict[str, Any]
    key: str
    image: bytes
    size: tuple[int, int]
    text: bytes | None = None

    @property
    def item(self) -> dict[str, Any]:
        item: dict[str, Any] = self.labels[self.key]
        return item

    @property
    def annotation(self) -> bytes:
        return json.dumps(self.labels).encode() if self.text is None else self.text


@dataclass(frozen=True)
class Fault:
    """`reason` is what it must be refused with (None: it must not be); `checks` must list it too.

    `scope` says what is refused or listed: the spoilt item, the whole file, or each crop that is
    wanted of the image. `index` gives the spoilt item's index afterwards. `image_suffix` is the
    image's ending (None: no image), `annotated` whether there is an annotation.
    """

    name: str
    spoil: Callable[[Draft], None]
    reason: Reason | None = None
    checks: tuple[str, ...] = ()
    scope: Scope = "item"
    index: Callable[[int], int | None] = int
    image_suffix: str | None = ".jpg"
    annotated: bool = True


def untouched(draft: Draft) -> None:
    """Leave the draft as it is: the fault is in what is missing beside it."""
