"""What the default sample holds, counted from its files alone."""

import hashlib
from collections import Counter, defaultdict
from pathlib import Path

import pytest
from PIL import Image

from df2_assets.dataset.annotations import parse
from df2_assets.dataset.taxonomy import CATEGORIES
from df2_assets_tests.sample.reading import ANNOTATED, Item, items, kept

FIELDS = {
    "segmentation", "scale", "viewpoint", "zoom_in", "landmarks", "style", "bounding_box",
    "category_id", "occlusion", "category_name",
}  # fmt: skip

SPLITS = pytest.mark.parametrize("split", ANNOTATED)


@SPLITS
def test_kept_skus_fill_every_combination(clean: Path, split: str) -> None:
    cells = {
        (i.fields["category_id"], i.fields["occlusion"], i.fields["viewpoint"], i.source)
        for i in kept(items(clean, split))
    }
    wanted = {
        (category, occlusion, viewpoint, source)
        for category in range(1, 14)
        for occlusion in (1, 2, 3)
        for viewpoint in (1, 2, 3)
        for source in ("shop", "user")
    }
    assert cells == wanted


@SPLITS
def test_items_have_every_field_of_deepfashion2(clean: Path, split: str) -> None:
    for item in items(clean, split):
        fields = item.fields
        assert fields.keys() == FIELDS
        assert fields["category_name"] == CATEGORIES[fields["category_id"]]
        assert fields["zoom_in"] in (1, 2, 3)
        assert len(fields["landmarks"]) % 3 == 0
        assert set(fields["landmarks"][2::3]) <= {0, 1, 2}
        for polygon in fields["segmentation"]:
            assert len(polygon) % 2 == 0
            assert len(polygon) >= 6


@SPLITS
def test_each_category_has_its_own_number_of_landmarks(clean: Path, split: str) -> None:
    numbers = defaultdict(set)
    for item in items(clean, split):
        numbers[item.fields["category_id"]].add(len(item.fields["landmarks"]) // 3)
    assert numbers == {
        1: {25}, 2: {33}, 3: {31}, 4: {39}, 5: {15}, 6: {15}, 7: {10}, 8: {14}, 9: {8},
        10: {29}, 11: {37}, 12: {19}, 13: {19},
    }  # fmt: skip


@SPLITS
def test_boxes_hold_their_silhouettes(clean: Path, split: str) -> None:
    for item in items(clean, split):
        x1, y1, x2, y2 = item.crop
        xs = [x for polygon in item.fields["segmentation"] for x in polygon[::2]]
        ys = [y for polygon in item.fields["segmentation"] for y in polygon[1::2]]
        assert abs(min(xs) - x1) <= 1 >= abs(max(xs) - x2)
        assert abs(min(ys) - y1) <= 1 >= abs(max(ys) - y2)


@SPLITS
def test_scale_labels_agree_with_the_share_of_the_box(clean: Path, split: str) -> None:
    scales: Counter[int] = Counter()
    for item in items(clean, split):
        x1, y1, x2, y2 = item.crop
        share = (x2 - x1) * (y2 - y1) / (item.size[0] * item.size[1])
        assert item.fields["scale"] == (1 if share < 0.1 else 2 if share <= 0.4 else 3)
        scales[item.fields["scale"]] += 1
    assert scales.keys() == {1, 2, 3}


@SPLITS
def test_a_few_boxes_reach_past_the_edge(clean: Path, split: str) -> None:
    found = items(clean, split)
    past = [item for item in found if item.box != item.crop]
    assert 1 <= len(past) <= 0.006 * len(found)


@SPLITS
def test_no_crop_is_tiny(clean: Path, split: str) -> None:
    for item in items(clean, split):
        x1, y1, x2, y2 = item.crop
        assert min(x2 - x1, y2 - y1) >= 32


@SPLITS
def test_nothing_is_refused(clean: Path, split: str) -> None:
    for path in (clean / split / "annos").iterdir():
        assert all(item.reason is None for item in parse(path.read_bytes()).items)


@SPLITS
def test_skus_are_of_every_sort(clean: Path, split: str) -> None:
    found = items(clean, split)
    sources = defaultdict(list)
    for item in found:
        if item.fields["style"]:
            sources[item.sku].append(item.source)
    both = [sku for sku, seen in sources.items() if len(set(seen)) == 2]
    assert min(len(sources[sku]) for sku in both) == 2
    assert max(len(sources[sku]) for sku in both) >= 10
    assert {"shop"} in map(set, sources.values())
    assert {"user"} in map(set, sources.values())
    assert any(item.fields["style"] == 0 for item in found)
    by_pair = defaultdict(set)
    for pair_id, style, category_id in both:
        by_pair[pair_id].add((style, category_id))
    assert any(len({category for _, category in skus}) > 1 for skus in by_pair.values())
    assert any(len({style for style, _ in skus}) > 1 for skus in by_pair.values())


@SPLITS
def test_pair_ids_start_at_one_and_leave_none_out(clean: Path, split: str) -> None:
    pairs = {item.pair_id for item in items(clean, split)}
    assert pairs == set(range(1, len(pairs) + 1))


@SPLITS
def test_item_keys_come_in_any_order_and_with_gaps(clean: Path, split: str) -> None:
    keys = defaultdict(list)
    for item in items(clean, split):
        keys[item.image].append(int(item.key.removeprefix("item")))
    assert any(numbers != sorted(numbers) for numbers in keys.values())
    assert any(max(numbers) > len(numbers) for numbers in keys.values())
    assert any(len(numbers) == 3 for numbers in keys.values())


def test_no_image_and_no_crop_is_there_twice(clean: Path) -> None:
    images = [hashlib.sha256(path.read_bytes()).digest() for path in clean.rglob("*.jpg")]
    assert len(set(images)) == len(images) == 480
    crops = [digest for split in ANNOTATED for digest in map(_pixels, items(clean, split))]
    assert len(set(crops)) == len(crops)


def _pixels(item: Item) -> bytes:
    with Image.open(item.image) as image:
        return hashlib.sha256(image.convert("RGB").crop(item.crop).tobytes()).digest()


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_every_image_opens_and_one_of_each_unusual_kind_is_there(clean: Path, split: str) -> None:
    kinds: Counter[str] = Counter()
    for path in (clean / split / "image").iterdir():
        with Image.open(path, formats=["JPEG"]) as image:
            image.load()
            kinds[image.mode] += 1
            kinds["progressive"] += "progressive" in image.info
            kinds["turned"] += image.getexif().get(0x0112) == 6
            assert min(image.size) >= 400
    assert {name: kinds[name] for name in ("L", "CMYK", "progressive", "turned")} == {
        "L": 1, "CMYK": 1, "progressive": 1, "turned": 1,
    }  # fmt: skip
