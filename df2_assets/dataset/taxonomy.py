"""The names and numbers of DeepFashion2 (README of the data set; Ge et al., CVPR 2019)."""

from itertools import accumulate
from typing import Final, NamedTuple

SPLITS: Final = ("train", "validation", "test")
ANNOTATED_SPLITS: Final = ("train", "validation")

SPLIT_NAME: Final = "[a-z]+"
"""The names that a split may have, as a regular expression."""


class Range(NamedTuple):
    """Whole numbers from `low` to `high`, both included."""

    low: int
    high: int


PAIR_IDS: Final = Range(0, 999_999)
STYLES: Final = Range(0, 99)
SKU_STYLES: Final = Range(1, 99)
ITEM_NUMBERS: Final = Range(1, 999_999)

CATEGORIES: Final[dict[int, str]] = {
    1: "short sleeve top",
    2: "long sleeve top",
    3: "short sleeve outwear",
    4: "long sleeve outwear",
    5: "vest",
    6: "sling",
    7: "shorts",
    8: "trousers",
    9: "skirt",
    10: "short sleeve dress",
    11: "long sleeve dress",
    12: "vest dress",
    13: "sling dress",
}

LANDMARKS: Final[dict[int, int]] = {
    1: 25,
    2: 33,
    3: 31,
    4: 39,
    5: 15,
    6: 15,
    7: 10,
    8: 14,
    9: 8,
    10: 29,
    11: 37,
    12: 19,
    13: 19,
}
"""The number of landmarks of each category.

Their order is that of Figure 2 in the README of DeepFashion2, which numbers them from 1 within each
category. `evaluation/deepfashion2_to_coco.py` of DeepFashion2 puts those of all categories, one
category after the other, into one list of 294.
"""

LANDMARK_STARTS: Final[dict[int, int]] = dict(
    zip(LANDMARKS, accumulate(LANDMARKS.values(), initial=0), strict=False)
)
"""The place of each category's first landmark in the list of all categories, from 0."""

LANDMARKS_IN_ALL: Final = sum(LANDMARKS.values())

NOT_LABELLED, OCCLUDED, VISIBLE = range(3)
"""The visibilities of a landmark, v: 0 is not labelled and has no place in the image."""

DOMAINS: Final[dict[str, str]] = {"shop": "catalog", "user": "query"}
"""The domain of crops, by the source of their image in the annotations."""

OCCLUSIONS: Final[dict[int, str]] = {1: "slight or none", 2: "medium", 3: "heavy"}
VIEWPOINTS: Final[dict[int, str]] = {1: "not worn", 2: "frontal", 3: "side or back"}
SCALES: Final[dict[int, str]] = {1: "small", 2: "modest", 3: "large"}
ZOOMS: Final[dict[int, str]] = {1: "none", 2: "medium", 3: "large"}

LABELS: Final[dict[str, dict[int, str]]] = {
    "occlusion": OCCLUSIONS,
    "viewpoint": VIEWPOINTS,
    "scale": SCALES,
    "zoom_in": ZOOMS,
}
"""The labels of an item: their values, from 1, with the meaning of each.

An item may lack the labels that are not in the contract files (`record.MORE_LABELS`).
"""

NOT_GIVEN: Final = "not given"
"""How reports call a label that an item lacks."""

BOX_SHARES: Final[dict[int, tuple[float, float]]] = {1: (0.0, 0.2), 2: (0.05, 0.8), 3: (0.2, 1.01)}
"""The share of the image that a box may take, by scale label: from, and up to but excluding.

The bounds of the paper are 10% and 40% of the image. They are about the garment, and a box is
larger, so a label is doubtful only when it is off by a factor of two.
"""


class Released(NamedTuple):
    """The number of files of a split in the download (DeepFashion2 issues 6, 29 and 42).

    The README of DeepFashion2 has `user_images` and `shop_images`, except for train (0).
    """

    images: int
    annotations: int
    user_images: int = 0
    shop_images: int = 0


RELEASED: Final[dict[str, Released]] = {
    "train": Released(191_961, 191_961),
    "validation": Released(32_153, 32_153, 10_844, 21_309),
    "test": Released(62_629, 0, 20_681, 41_948),
}


NO_ANNOTATIONS: Final = "released without annotations, so it yields no SKU; nothing is wrong"
"""The note for a split that was released without annotations."""


class Published(NamedTuple):
    """The published figures of a full build of train and validation with the original recipe.

    It is not known whether `skus` were counted per split or as distinct ids.
    """

    skus: int
    crops: int
    validation_skus: int


PUBLISHED: Final = Published(skus=21_190, crops=198_140, validation_skus=3_031)

TRAIN_INSTANCE_PAIRS: Final = 394_661
TRAIN_IMAGE_PAIRS: Final = 337_293
"""The pairs in a full train split, by item and by image (DeepFashion2 issue 30).

They are by pair id and style, whatever the category, so the SKUs have fewer.
"""
