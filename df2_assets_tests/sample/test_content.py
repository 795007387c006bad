"""The content of the default sample, counted from its files."""

import hashlib
from collections import Counter, defaultdict
from itertools import product
from pathlib import Path

import pytest
from PIL import Image

from df2_assets.dataset.taxonomy import CATEGORIES
from df2_assets_tests.sample.reading import ANNOTATED, Item, items, kept_items

FIELDS = {
    "segmentation", "scale", "viewpoint", "zoom_in", "landmarks", "style", "bounding_box",
    "category_id", "occlusion", "category_name",
}  # fmt: skip
LANDMARKS = (25, 33, 31, 39, 15, 15, 10, 14, 8, 29, 37, 19, 19)
"""The number of landmarks of each category, 1 to 13."""

pytestmark = pytest.mark.slow

SPLITS = pytest.mark.parametrize("split", ANNOTATED)


@SPLITS
def test_kept_skus_fill_every_combination(sample_root: Path, split: str) -> None:
    cells = {
        (i.fields["category_id"], i.fields["occlusion"], i.fields["viewpoint"], i.source)
        for i in kept_items(items(sample_root, split))
    }
    assert cells == set(product(range(1, 14), (1, 2, 3), (1, 2, 3), ("shop", "user")))


@SPLITS
def test_items_have_every_field_of_deepfashion2(sample_root: Path, split: str) -> None:
    for item in items(sample_root, split):
        fields = item.fields
        assert fields.keys() == FIELDS
        assert fields["category_name"] == CATEGORIES[fields["category_id"]]
        assert fields["zoom_in"] in (1, 2, 3)
        assert len(fields["landmarks"]) == 3 * LANDMARKS[fields["category_id"] - 1]
        assert set(fields["landmarks"][2::3]) <= {0, 1, 2}
        for polygon in fields["segmentation"]:
            assert len(polygon) % 2 == 0
            assert len(polygon) >= 6


@SPLITS
def test_landmarks_are_seen_hidden_or_outside_the_image(sample_root: Path, split: str) -> None:
    hidden: defaultdict[int, list[float]] = defaultdict(list)
    for item in items(sample_root, split):
        marks = item.fields["landmarks"]
        x, y, kinds = marks[::3], marks[1::3], marks[2::3]
        for kind, at in zip(kinds, zip(x, y, strict=True), strict=True):
            assert (at == (0, 0)) >= (kind == 0)
            assert 0 <= at[0] <= item.size[0]
            assert 0 <= at[1] <= item.size[1]
        hidden[item.fields["occlusion"]].append(kinds.count(1) / len(kinds))
        hidden[0].extend(kinds)
    assert set(hidden.pop(0)) == {0, 1, 2}
    means = [sum(shares) / len(shares) for _, shares in sorted(hidden.items())]
    assert means == sorted(means)
    assert means[0] < 0.1 < 0.25 < means[2]


@SPLITS
def test_boxes_hold_their_silhouettes(sample_root: Path, split: str) -> None:
    for item in items(sample_root, split):
        x1, y1, x2, y2 = item.crop
        xs = [x for polygon in item.fields["segmentation"] for x in polygon[::2]]
        ys = [y for polygon in item.fields["segmentation"] for y in polygon[1::2]]
        assert abs(min(xs) - x1) <= 1 >= abs(max(xs) - x2)
        assert abs(min(ys) - y1) <= 1 >= abs(max(ys) - y2)


@SPLITS
def test_scale_labels_agree_with_the_share_of_the_box(sample_root: Path, split: str) -> None:
    scales = set()
    for item in items(sample_root, split):
        (x1, y1, x2, y2), (width, height) = item.crop, item.size
        share = (x2 - x1) * (y2 - y1) / (width * height)
        scales.add((item.fields["scale"], 1 if share < 0.1 else 2 if share <= 0.4 else 3))
    assert scales == {(1, 1), (2, 2), (3, 3)}


@SPLITS
def test_a_few_boxes_reach_past_the_edge(sample_root: Path, split: str) -> None:
    found = items(sample_root, split)
    past = [i for i in found if tuple(i.fields["bounding_box"]) != i.crop]
    assert 1 <= len(past) <= 0.006 * len(found)


@SPLITS
def test_skus_are_of_every_sort(sample_root: Path, split: str) -> None:
    found = items(sample_root, split)
    sources = defaultdict(set)
    for item in found:
        sources[item.sku].add(item.source)
    assert {"shop"} in sources.values()
    assert {"user"} in sources.values()
    assert any(item.fields["style"] == 0 for item in found)
    crops = Counter(item.sku for item in kept_items(found))
    assert min(crops.values()) == 2
    assert max(crops.values()) >= 10
    for kind in (1, 2):  # several styles and several categories in one pair
        assert len({(sku[0], sku[kind]) for sku in crops}) > len({sku[0] for sku in crops})


@SPLITS
def test_pairs_are_numbered_and_item_keys_come_in_any_order(sample_root: Path, split: str) -> None:
    keys, pairs = defaultdict(list), set()
    for item in items(sample_root, split):
        pairs.add(item.pair_id)
        keys[item.image].append(int(item.key.removeprefix("item")))
    assert pairs == set(range(1, len(pairs) + 1))
    assert any(numbers != sorted(numbers) for numbers in keys.values())
    assert any(max(numbers) > len(numbers) for numbers in keys.values())
    assert any(len(numbers) == 3 for numbers in keys.values())


def test_no_image_and_no_crop_occurs_twice(sample_root: Path) -> None:
    images = [hashlib.sha256(path.read_bytes()).digest() for path in sample_root.rglob("*.jpg")]
    assert len(set(images)) == len(images) == 480
    crops = [digest for split in ANNOTATED for digest in map(_pixels, items(sample_root, split))]
    assert len(set(crops)) == len(crops)


def _pixels(item: Item) -> bytes:
    with Image.open(item.image) as image:
        return hashlib.sha256(image.convert("RGB").crop(item.crop).tobytes()).digest()


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_every_image_opens_and_one_of_each_unusual_kind_is_there(
    sample_root: Path, split: str
) -> None:
    kinds: Counter[str] = Counter()
    for path in (sample_root / split / "image").iterdir():
        with Image.open(path, formats=["JPEG"]) as image:
            image.load()
            kinds[image.mode] += 1
            kinds["progressive"] += "progressive" in image.info
            kinds["turned"] += image.getexif().get(0x0112) == 6
            assert min(image.size) >= 400
    assert [kinds[name] for name in ("L", "CMYK", "progressive", "turned")] == [1, 1, 1, 1]
