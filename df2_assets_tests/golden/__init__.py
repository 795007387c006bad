"""A tiny data set with every part of the format, and the expected result.

`expected/` was written by hand from the contract, not by any program: change it only when the
contract changes. `<DF2_ROOT>` and `<SKU_ROOT>` in it stand for the two roots.
"""

from collections.abc import Mapping
from pathlib import Path

from df2_assets_tests.support.builder import DataSet, Item, item

EXPECTED = Path(__file__).parent / "expected"
SPLITS = ("train", "validation", "test")


def write(root: Path) -> DataSet:
    """Draw the golden data set under `root`."""
    data = DataSet(root)

    def add(
        image_id: int,
        size: tuple[int, int],
        source: str,
        pair_id: float,
        items: Mapping[int | str, Item],
        kind: str = "rgb",
    ) -> None:
        data.image("train", image_id, size, kind)
        data.annotation("train", image_id, source, pair_id, items)

    # Two SKUs under pair 1: a top (style 1) and trousers (style 2). Other trousers of the first two
    # images have style 0, so no counterpart. Those of the third image reach past two edges.
    items: dict[int | str, Item] = {
        2: item(8, 0, [10, 60, 60, 115], occlusion=1, viewpoint=2),
        1: item(1, 1, [20, 10, 90, 70], occlusion=2, viewpoint=3),
    }
    add(1, (160, 120), "user", 1, items)
    items = {
        1: item(1, 1, [10, 20, 110, 90], occlusion=1, viewpoint=2),
        2: item(8, 2, [15, 85, 105, 158], occlusion=1, viewpoint=1),
        3: item(8, 0, [0, 90, 60, 150], occlusion=1, viewpoint=1),
    }
    add(2, (120, 160), "shop", 1, items)
    items = {
        3: item(1, 1, [10, 5, 95, 72], occlusion=1, viewpoint=1),
        1: item(8, 2, [-5, 70, 60, 150], occlusion=3, viewpoint=2),
    }
    add(3, (100, 140), "user", 1, items)

    # Pair 2 has one SKU, its numbers written as floats. Style 3 has only a catalog image and
    # style 4 only a user's; style 1 also appears as a skirt and as shorts, which are other SKUs.
    items = {
        1: item(12, 1.0, [10.0, 10.0, 70.0, 125.0], occlusion=2.0, viewpoint=3.0),
        2: item(9, 3, [70, 60, 128, 128]),
        3: item(9, 1, [60, 5, 120, 60]),
    }
    add(4, (130, 130), "shop", 2.0, items, "grey")
    items = {
        1: item(12, 1, [5, 5, 65, 120], occlusion=3, viewpoint=3),
        2: item(7, 4, [60, 60, 125, 125]),
        3: item(7, 1, [70, 5, 125, 60]),
    }
    add(5, (130, 130), "user", 2, items, "exif")

    # Item 10 comes after item 2, though "10" sorts before "2"; the catalog box is all the image.
    items = {1: item(13, 10, [0, 0, 110, 150], occlusion=3, viewpoint=2)}
    add(10, (110, 150), "shop", 123456, items)
    items = {
        10: item(13, 10, [100, 10, 149, 105], occlusion=2, viewpoint=1),
        2: item(13, 10, [5, 8, 80, 100], occlusion=2, viewpoint=2),
    }
    add(12, (150, 110), "user", 123456, items)

    # An annotation without items, and an image without annotation.
    data.image("train", 98)
    data.annotation("train", 98, "shop", 1, {})
    data.image("train", 99)

    # Pair 1 of another split is another pair: nothing here has a counterpart.
    data.image("validation", 1)
    data.annotation("validation", 1, "shop", 1, {1: item(1, 1, [10, 10, 100, 100])})

    # The test split has images only.
    data.image("test", 1)
    data.image("test", 2)
    return data
