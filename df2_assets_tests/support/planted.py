"""A data set with each kind of bad input, several times, between good images.

Each defect is in a user image of its own pair: item 1 (style 1) is good unless the whole file is
bad, and item 2 (style 2) has the defect. A good shop image has both styles, and a good user image
has style 1, so that the SKU of style 1 exists in any case.
"""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

from df2_assets_tests.support.builder import (
    KINDS,
    DataSet,
    annotation_text,
    claiming,
    headless,
    item,
    jpeg,
    png,
    truncated,
    without,
)
from df2_assets_tests.support.oracle import Refusal

SPLIT = "train"
SIZE = (160, 120)
PAIR = "PAIR"
TOP = item(1, 1, [5, 5, 70, 100])
TROUSERS = item(8, 2, [60, 10, 150, 110], occlusion=2, viewpoint=3)
GOOD = jpeg(SIZE, seed="good")
INDEX, CROPS = "raw_annotation_index", "crops"
NAN, INFINITY = float("nan"), float("inf")

WRONG_PAIRS: list[Any] = [-1, 1_000_000, True, 1.5, "1", None, [1]]
NEEDED = ("category_id", "category_name", "style", "bounding_box", "occlusion", "viewpoint")
WRONG_BOXES: list[Any] = [
    *([60, 10, 150], [60, 10, 150, 110, 0], [], "60 10 150 110", None),
    *([60, 10, 150, "110"], [60, True, 150, 110], [60, 10, None, 110], [60, 10, NAN, 110]),
    *([60, 10, INFINITY, 110], [60, 10, -INFINITY, 110.5], [[60, 10], [150, 110], 0, 0]),
    {"x1": 60, "y1": 10, "x2": 150, "y2": 110},
]
REVERSED_BOXES = [
    *([150, 10, 60, 110], [60, 110, 150, 10], [60, 10, 60, 110], [60, 10, 150, 10]),
    *([0, 0, 0, 0], [300, 10, 200, 110], [60.2, 10, 60.9, 110], [60, -0.9, 150, 0.9]),
]
OUTSIDE_BOXES = [
    *([160, 10, 200, 110], [60, 120, 150, 140], [-40, 10, -5, 110], [60, -9, 150, 0]),
    [500, 500, 900, 900],
]
OTHER_NAMES = ["skirt", "sock", "<script>alert(1)</script>|\n`x`", "\x1b[31mtrousers\x00"]
WRONG_VALUES: dict[str, dict[str, list[Any]]] = {
    "wrong_field": {
        "style": [True, -1, 100, 1.5, NAN, INFINITY, "2", None],
        "category_id": ["8", True, 8.5],
        "occlusion": [0, 4, "1"],
        "viewpoint": [0, 4, False, -2],
        "scale": [0, 4],
        "zoom_in": [None, "1"],
        "bounding_box": WRONG_BOXES,
    },
    "wrong_category": {"category_id": [0, 14], "category_name": OTHER_NAMES},
    "box_reversed": {"bounding_box": REVERSED_BOXES},
    "box_outside": {"bounding_box": OUTSIDE_BOXES},
}
"""Values of fields for which an item is refused, by reason."""


class Planted(NamedTuple):
    """A user image with its annotation (`"PAIR"` stands for the pair), and its refusals."""

    what: str
    refused: tuple[tuple[int | None, str], ...]
    annotation: bytes
    image: bytes | None = GOOD
    stage: str = INDEX

    def annotation_of(self, pair_id: int) -> bytes:
        """Return the annotation with a pair id in the place of `PAIR`."""
        quoted, plain = json.dumps(PAIR).encode(), str(pair_id).encode()
        return self.annotation.replace(quoted, plain).replace(PAIR.encode(), plain)


def annotated(items: dict[int | str, Any], source: Any = "user", pair_id: Any = PAIR) -> bytes:
    return annotation_text(source, pair_id, items).encode()


def bad_items() -> Iterator[Planted]:
    """Return defects of one item that do not affect the other items."""
    defects: list[tuple[str, str, Any]] = [
        *(("missing_field", f"no {name}", without(TROUSERS, name)) for name in NEEDED),
        ("missing_field", "an empty item", {}),
    ]
    for reason, fields in WRONG_VALUES.items():
        for name, values in fields.items():
            defects += [(reason, f"{name} {value!r}", TROUSERS | {name: value}) for value in values]
    for value in (None, 7, "trousers", [1, 2], True):
        defects.append(("not_an_object", f"an item that is {value!r}", value))
    for reason, what, item_fields in defects:
        yield Planted(what, ((2, reason),), annotated({1: TOP, 2: item_fields}))


def bad_keys() -> Iterator[Planted]:
    """Return item keys that are not numbers, and repeated keys."""
    plain = annotated({1: TOP, 2: TROUSERS})
    trousers = json.dumps(TROUSERS).encode()
    again = plain[:-1] + b', "item2": ' + trousers + b"}"
    yield Planted("an item given twice", ((2, "wrong_field"),), again)
    other = plain[:-1] + b', "item2": ' + json.dumps(item(9, 2, [1, 1, 9, 9])).encode() + b"}"
    yield Planted("an item given twice, differently", ((2, "wrong_field"),), other)
    for name in (b'"style": 2', b'"bounding_box": [60, 10, 150, 110]', b'"zoom_in": 1'):
        twice = trousers.replace(name, name + b", " + name)
        text = annotated({1: TOP, 2: "TROUSERS"}).replace(b'"TROUSERS"', twice)
        yield Planted(f"{name.decode()} given twice", ((2, "wrong_field"),), text)
    yield Planted("item0", ((0, "wrong_field"),), annotated({1: TOP, 0: TROUSERS}))
    for key in ("Item2", "ITEM2", " item2", "item2 "):
        yield Planted(f"{key!r}", ((2, "wrong_field"),), annotated({1: TOP, key: TROUSERS}))
    for key in ("item_2", "Item_2", "Items"):
        yield Planted(key, ((None, "wrong_field"),), annotated({1: TOP, key: TROUSERS}))
    yield Planted("item02", ((2, "wrong_field"),), annotated({1: TOP, "item02": TROUSERS}))
    yield Planted(
        "item0 and a bad item beside a good one",
        ((0, "wrong_field"), (3, "box_reversed")),
        annotated({0: TROUSERS, 3: TROUSERS | {"bounding_box": [9, 9, 1, 1]}, 1: TOP}),
    )


def bad_annotations() -> Iterator[Planted]:
    """Return files of which nothing can be used."""
    both: dict[int | str, Any] = {1: TOP, 2: TROUSERS}
    plain = annotated(both)
    files: dict[str, list[tuple[str, bytes]]] = {
        "unreadable_json": [
            ("an empty file", b""),
            ("half a file", plain[: len(plain) // 2]),
            ("no JSON", b"source: user, pair_id: 1"),
            ("JSON and more", plain + b" and more"),
            ("a byte that is not UTF-8", plain.replace(b"trousers", b"trous\xff\xfers")),
            ("a byte that is not UTF-8, aside", plain.replace(b'"scale": 2', b'"scale": "\xff"')),
            ("brackets without end", b"[" * 200_000),
            ("over 16 MB", plain + b" " * (17 << 20)),
        ],
        "not_an_object": [
            *(("a list", b"[" + plain + b"]"), ("null", b"null")),
            *(("a number", b"17"), ("a text", b'"item1"')),
        ],
        "missing_field": [
            ("no source", plain.replace(b'"source": "user", ', b"")),
            ("no pair_id", plain.replace(b'"pair_id": "PAIR", ', b"")),
            ("an empty object", b"{}"),
        ],
        "wrong_field": [
            *((f"pair_id {value!r}", annotated(both, pair_id=value)) for value in WRONG_PAIRS),
            ("source given twice", plain[:-1] + b', "source": "user"}'),
            ("pair_id given twice", plain[:-1] + b', "pair_id": "PAIR"}'),
        ],
        "unknown_source": [
            (f"source {source!r}", annotated(both, source))
            for source in ("web", "", "Shop", "catalog")
        ],
    }
    for reason, cases in files.items():
        for what, text in cases:
            yield Planted(what, ((None, reason),), text)


def bad_images() -> Iterator[Planted]:
    """Return images that cannot be opened, and images that only fail when they are decoded."""
    plain = annotated({1: TOP, 2: TROUSERS})
    images: dict[str, list[tuple[str, bytes | None]]] = {
        "missing_image": [("no image", None), ("no image again", None)],
        "not_a_jpeg": [
            ("a PNG named .jpg", png(SIZE)),
            ("a text named .jpg", b"this is no image"),
            ("an empty image", b""),
        ],
        "unreadable_image": [
            ("a JPEG cut in its header", headless(GOOD)),
            ("another JPEG cut in its header", headless(jpeg((90, 90), "exif"))),
        ],
        "image_too_large": [
            ("an image of 65000 x 65000", claiming(GOOD, 65000, 65000)),
            ("an image of 20000 x 20000", claiming(GOOD, 20000, 20000)),
        ],
    }
    for reason, cases in images.items():
        for what, data in cases:
            yield Planted(what, ((None, reason),), plain, data)
    wanted = ((1, "unreadable_image"), (2, "unreadable_image"))
    for kind in ("rgb", "progressive", "grey", "cmyk"):
        image = truncated(jpeg(SIZE, kind))
        yield Planted(f"a truncated image ({kind})", wanted, plain, image, CROPS)
    both = "both a bad annotation and a bad image"
    yield Planted(both, ((None, "unreadable_json"),), b"{", png())


def harmless() -> Iterator[Planted]:
    """Return input that looks odd but is valid: nothing of it is refused."""
    plain = annotated({1: TOP, 2: TROUSERS})
    for kind in KINDS:
        yield Planted(f"a good JPEG ({kind})", (), plain, jpeg(SIZE, kind, "harmless"))
    for what, fields in (
        ("integral floats", {"style": 2.0, "bounding_box": [60.0, 10.0, 150.0, 110.0]}),
        ("a box with fractions", {"bounding_box": [60.5, 10.99, 150.2, 110.7]}),
        ("a box less than a pixel past an edge", {"bounding_box": [-0.5, 10, 1e2, 110.0]}),
        ("a box past all edges", {"bounding_box": [-1000, -1, 161, 5000]}),
        ("a box far past an edge", {"bounding_box": [60, 10, 10**12, 110]}),
        ("a box of one pixel", {"bounding_box": [159, 119, 160, 120]}),
        ("fields that nobody knows", {"colour": {"r": 1}, "item2": 3}),
        ("no fields that are not needed", {"segmentation": None, "landmarks": "none"}),
    ):
        yield Planted(what, (), annotated({1: TOP, 2: TROUSERS | fields}))
    bare = without(TROUSERS, "scale", "zoom_in", "segmentation", "landmarks")
    yield Planted("an item of the needed fields alone", (), annotated({1: TOP, 2: bare}))
    yield Planted("items in any order", (), annotated({40: TROUSERS, 1: TOP, 7: TROUSERS}))
    yield Planted("pair_id as a float", (), plain.replace(b'"PAIR"', b"PAIR.0"))
    yield Planted("an annotation without items", (), annotated({}))
    unpaired = annotated({1: item(8, 0, [0, 0, 9, 9])})
    yield Planted("a truncated image that no SKU needs", (), unpaired, truncated(GOOD))


_LARGE = 1 << 20
PLANTED = [*bad_items(), *bad_keys(), *bad_annotations(), *bad_images(), *harmless()]
BAD = [case for case in PLANTED if case.refused and len(case.annotation) < _LARGE]
"""The bad input for random data sets: everything except the largest files."""


def image_of(number: int) -> str:
    """Return the image id of a defect. The two ids before it are good images of the same pair."""
    return f"{3 * number + 3:06d}"


def plant(data: DataSet) -> None:
    for number, planted in enumerate(PLANTED):
        pair_id = number + 1
        shop, user, at = (3 * number + step for step in (1, 2, 3))
        data.image(SPLIT, shop, SIZE)
        data.annotation(SPLIT, shop, "shop", pair_id, {1: TOP, 2: TROUSERS})
        data.image(SPLIT, user, SIZE)
        data.annotation(SPLIT, user, "user", pair_id, {1: TOP})
        data.raw_annotation(SPLIT, at, planted.annotation_of(pair_id))
        if planted.image is not None:
            data.raw_image(SPLIT, at, planted.image)
    leave_lying_about(data)


def leave_lying_about(data: DataSet) -> None:
    """Write foreign files, each of which would add a crop if it were read."""
    for stem in ("12345", "0000001", "00000a", "000001 (copy)"):
        data.image(SPLIT, stem, SIZE)
        data.annotation(SPLIT, stem, "user", 1, {1: TOP})
    data.image(SPLIT, 900_001, SIZE)
    (data.root / SPLIT / "annos" / "000001.json.bak").write_bytes(b"{}")
    (data.root / SPLIT / "image" / "Thumbs.db").write_bytes(b"\0")


def planted_refusals() -> Counter[Refusal]:
    """Return the expected refusals of the whole data set."""
    return Counter(
        Refusal(SPLIT, image_of(number), index, reason)
        for number, planted in enumerate(PLANTED)
        for index, reason in planted.refused
    )
