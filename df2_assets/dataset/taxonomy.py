"""The names and numbers of DeepFashion2 (README of the data set; Ge et al., CVPR 2019)."""

from typing import Final, NamedTuple

SPLITS: Final = ("train", "validation", "test")
ANNOTATED_SPLITS: Final = ("train", "validation")

SPLIT_NAME: Final = "[a-z]+"
"""How the name of a split is written, as a regular expression."""


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

DOMAINS: Final[dict[str, str]] = {"shop": "catalog", "user": "query"}
"""Source of an image in the annotations -> domain of its crops."""

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
"""The labels of an item: their numbers, from 1, and what these mean.

An item may lack those that the contract files do not have (`record.MORE_LABELS`).
"""

BOX_SHARES: Final[dict[int, tuple[float, float]]] = {1: (0.0, 0.2), 2: (0.05, 0.8), 3: (0.2, 1.01)}
"""Scale label -> share of the image that the box may take, from below, up to but excluding.

The paper's bounds are 10% and 40% of the image; they speak of the garment, a box is larger, so a
label is called into question only beyond a factor of two.
"""


class Released(NamedTuple):
    """What the unpacked download holds for a split (DeepFashion2 issues 6, 29 and 42)."""

    images: int
    annotations: int


RELEASED: Final[dict[str, Released]] = {
    "train": Released(191_961, 191_961),
    "validation": Released(32_153, 32_153),
    "test": Released(62_629, 0),
}


NO_ANNOTATIONS: Final = "released without annotations, so it yields no SKU; nothing is wrong"
"""What is said of a split that has no annotations, as released."""


class Published(NamedTuple):
    """Figures of a full build of train and validation with the original recipe."""

    skus: int
    crops: int
    validation_skus: int


PUBLISHED: Final = Published(skus=21_190, crops=198_140, validation_skus=3_031)

TRAIN_INSTANCE_PAIRS: Final = 394_661
TRAIN_IMAGE_PAIRS: Final = 337_293
"""Pairs in a full train split, by item and by image (DeepFashion2 issue 30)."""
