"""The made-up inputs have the numbers of the release, and nothing wrong with them."""

import io
import json
from collections import defaultdict
from itertools import product
from pathlib import Path

import pytest
from PIL import Image

from benchmarks.annotations import annotation
from benchmarks.data import (
    FULL_SIZE,
    FULL_SIZE_PHOTOS,
    bytes_of,
    make_data_set,
    make_photos,
    take_part,
)
from benchmarks.pairs import Shown, images_of
from benchmarks.photos import BYTES, photo
from df2_assets.dataset.annotations import parse
from df2_assets.dataset.taxonomy import (
    ANNOTATED_SPLITS,
    PUBLISHED,
    TRAIN_IMAGE_PAIRS,
    TRAIN_INSTANCE_PAIRS,
)

ITEMS = 312_186 + 52_490
"""Items of train and validation as released."""


@pytest.fixture(scope="module")
def full_size() -> dict[str, list[Shown]]:
    return {split: images_of(split, FULL_SIZE[split]) for split in ANNOTATED_SPLITS}


def crops_by_sku(images: list[Shown]) -> dict[tuple[int, int, int], dict[str, int]]:
    """Crops of each SKU by source, only of SKUs that have both."""
    skus: dict[tuple[int, int, int], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for image in images:
        for item in image.items:
            if item.style:
                skus[image.pair_id, item.style, item.category_id][image.source] += 1
    return {sku: crops for sku, crops in skus.items() if len(crops) == 2}


def pairs_of(images: list[Shown]) -> list[tuple[int, int]]:
    """A user's and a shop's image, by number, for each two items of one pair id and style."""
    shown: dict[tuple[int, int], dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for number, image in enumerate(images):
        for item in image.items:
            if item.style:
                shown[image.pair_id, item.style][image.source].append(number)
    return [pair for of in shown.values() for pair in product(of["user"], of["shop"])]


def within(found: float, known: float, share: float) -> bool:
    return abs(found / known - 1) <= share


def test_a_full_data_set_has_about_as_many_skus_and_crops_as_the_published_build(
    full_size: dict[str, list[Shown]],
) -> None:
    skus = {split: crops_by_sku(images) for split, images in full_size.items()}
    assert within(sum(map(len, skus.values())), PUBLISHED.skus, 0.02)
    assert within(len(skus["validation"]), PUBLISHED.validation_skus, 0.03)
    crops = sum(sum(of.values()) for of_split in skus.values() for of in of_split.values())
    assert within(crops, PUBLISHED.crops, 0.02)


def test_a_full_data_set_has_about_as_many_items_as_the_release(
    full_size: dict[str, list[Shown]],
) -> None:
    images = [image for of_split in full_size.values() for image in of_split]
    styles = [item.style for image in images for item in image.items]
    assert within(len(styles), ITEMS, 0.02)
    assert within(sum(style > 0 for style in styles) / len(styles), 556 / 801, 0.02)
    assert within(sum(image.source == "user" for image in images) / len(images), 1 / 3, 0.05)


def test_a_full_train_split_has_about_as_many_pairs_as_the_release(
    full_size: dict[str, list[Shown]],
) -> None:
    pairs = pairs_of(full_size["train"])
    assert within(len(pairs), TRAIN_INSTANCE_PAIRS, 0.06)
    assert within(len(set(pairs)), TRAIN_IMAGE_PAIRS, 0.06)


def test_the_readme_says_what_is_generated(full_size: dict[str, list[Shown]]) -> None:
    readme = (Path(__file__).parents[2] / "benchmarks/README.md").read_text(encoding="utf-8")
    skus = {split: crops_by_sku(images) for split, images in full_size.items()}
    crops = sum(sum(of.values()) for of_split in skus.values() for of in of_split.values())
    items = sum(len(image.items) for images in full_size.values() for image in images)
    by_item = pairs_of(full_size["train"])
    for number in (
        items,
        sum(map(len, skus.values())),
        len(skus["validation"]),
        crops,
        len(by_item),
        len(set(by_item)),
    ):
        assert f"| {number:,} |\n" in readme


def test_annotations_are_flawless_for_the_platform_and_of_realistic_size() -> None:
    images = images_of("train", 300)
    files = [annotation(shown, 466, 622, str(n)) for n, shown in enumerate(images)]
    for shown, content in zip(images, files, strict=True):
        read = parse(content)
        assert (read.source, read.pair_id) == (shown.source, shown.pair_id)
        found = [(item.labels["style"], item.labels["category_id"]) for item in read.items]
        assert found == [tuple(item) for item in shown.items]
        assert {item.reason for item in read.items} == {None}
        for item in read.items:
            assert item.box is not None
            x1, y1, x2, y2 = item.box
            assert 0 <= x1 < min(x2, 466)
            assert 0 <= y1 < y2 <= 622
    assert 3_000 < sum(map(len, files)) / len(files) < 6_000
    assert max(map(len, files)) > 10_000


def test_the_same_seed_gives_the_same_annotation_and_another_one_another() -> None:
    shown = images_of("train", 1)[0]
    assert annotation(shown, 466, 622, "a") == annotation(shown, 466, 622, "a")
    assert annotation(shown, 466, 622, "a") != annotation(shown, 466, 622, "b")


def test_pictures_have_the_size_of_photos() -> None:
    sizes, pixels = [], []
    for number in range(24):
        picture, buffer = photo(str(number)), io.BytesIO()
        picture.save(buffer, "JPEG", quality=92)
        sizes.append(len(buffer.getvalue()))
        pixels.append(picture.width * picture.height)
    assert within(sum(sizes) / len(sizes), BYTES, 0.1)
    assert within(sum(pixels) / len(pixels), 466 * 622, 0.1)


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set of three splits, its pictures beside it."""
    folder = tmp_path_factory.mktemp("inputs")
    photos = make_photos(folder / "photos", {"train": 7, "validation": 5, "test": 3})
    make_data_set(folder / "in", {"train": 30, "validation": 12, "test": 9}, photos)
    return folder


def inodes(folder: Path) -> set[int]:
    return {path.stat().st_ino for path in folder.iterdir()}


def test_a_data_set_is_laid_out_as_the_release(work: Path) -> None:
    for split, count in (("train", 30), ("validation", 12)):
        numbers = [f"{number:06d}" for number in range(1, count + 1)]
        for kind, suffix in (("image", ".jpg"), ("annos", ".json")):
            names = sorted(path.name for path in (work / "in" / split / kind).iterdir())
            assert names == [number + suffix for number in numbers]
    assert len(list((work / "in/test/image").iterdir())) == 9
    assert not (work / "in/test/annos").exists()


def test_images_are_links_to_different_pictures_and_no_split_shares_one(work: Path) -> None:
    files = {path: path.read_bytes() for path in (work / "photos").glob("*/*.jpg")}
    assert len(set(files.values())) == len(files) == 15
    splits = [inodes(work / "in" / split / "image") for split in ("train", "validation", "test")]
    assert [len(split) for split in splits] == [7, 5, 3]
    assert len(set.union(*splits)) == 15


def test_boxes_belong_to_the_picture_that_they_are_given_with(work: Path) -> None:
    for path in (work / "in/train/annos").iterdir():
        with Image.open(work / "in/train/image" / f"{path.stem}.jpg") as image:
            size = image.size
        for key, item in json.loads(path.read_bytes()).items():
            if key.startswith("item"):
                xs, ys = item["bounding_box"][::2], item["bounding_box"][1::2]
                assert max(xs) <= size[0] + 9
                assert max(ys) <= size[1]


def test_a_part_is_made_of_links_to_the_first_images(work: Path, tmp_path: Path) -> None:
    part = take_part(work / "part", work / "in", "train", 4)
    names = sorted(path.name for path in (part / "train/annos").iterdir())
    assert names == ["000001.json", "000002.json", "000003.json", "000004.json"]
    assert inodes(part / "train/annos") < inodes(work / "in/train/annos")
    assert inodes(part / "train/image") < inodes(work / "in/train/image")


def test_what_a_data_set_takes_is_known_before_it_is_made(work: Path) -> None:
    files = [path.stat() for path in (work / "in").rglob("*.json")]
    files += [path.stat() for path in (work / "photos").glob("*/*.jpg")]
    taken = sum(one.st_blocks * 512 for one in files)
    images = {"train": 30, "validation": 12, "test": 9}
    assert within(bytes_of(images, {"train": 7, "validation": 5, "test": 3}), taken, 0.25)
    assert 5e9 < bytes_of(FULL_SIZE, FULL_SIZE_PHOTOS) + 198_140 * 45_000 < 20e9
