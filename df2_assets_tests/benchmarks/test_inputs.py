"""The made-up inputs have the numbers of the release, and nothing wrong with them."""

import io
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from benchmarks.annotations import draw_annotation
from benchmarks.data import (
    FULL_SIZE,
    FULL_SIZE_PHOTOS,
    bytes_of,
    make_data_set,
    make_photos,
)
from benchmarks.figures import FOLDER
from benchmarks.pairs import images_of
from benchmarks.photos import BYTES, draw_photo
from df2_assets.dataset.annotations import parse
from df2_assets.dataset.taxonomy import (
    ANNOTATED_SPLITS,
    PUBLISHED,
    TRAIN_IMAGE_PAIRS,
    TRAIN_INSTANCE_PAIRS,
)

SKU = ["split", "pair_id", "style", "category_id"]
RELEASED = {
    "items": (312_186 + 52_490, 0.02),
    "SKUs": (PUBLISHED.skus, 0.02),
    "SKUs of validation": (PUBLISHED.validation_skus, 0.03),
    "crops": (PUBLISHED.crops, 0.02),
    "pairs of items of train": (TRAIN_INSTANCE_PAIRS, 0.06),
    "pairs of images of train": (TRAIN_IMAGE_PAIRS, 0.06),
}
"""Numbers of the release and of the published build, and how near a full data set comes."""


@pytest.fixture(scope="module")
def full_size() -> pd.DataFrame:
    """A row per item of a data set of full size; images without items do not occur."""
    rows = [
        (split, number, image.source, image.pair_id, *item)
        for split in ANNOTATED_SPLITS
        for number, image in enumerate(images_of(split, FULL_SIZE[split]))
        for item in image.items
    ]
    columns = ["split", "image", "source", "pair_id", "style", "category_id"]
    return pd.DataFrame(rows, columns=columns)


@pytest.fixture(scope="module")
def counts(full_size: pd.DataFrame) -> dict[str, int]:
    """What `RELEASED` names, of the data set."""
    styled = full_size[full_size["style"] > 0]
    crops = styled.groupby([*SKU, "source"]).size().unstack().dropna()
    train = styled[styled["split"] == "train"]
    users, shops = (train[train["source"] == source] for source in ("user", "shop"))
    pairs = users.merge(shops, on=["pair_id", "style"])
    return {
        "items": len(full_size),
        "SKUs": len(crops),
        "SKUs of validation": len(crops.loc["validation"]),
        "crops": int(crops.to_numpy().sum()),
        "pairs of items of train": len(pairs),
        "pairs of images of train": len(pairs[["image_x", "image_y"]].drop_duplicates()),
    }


@pytest.mark.parametrize("what", RELEASED)
def test_a_full_data_set_has_about_as_many_as_the_release_and_the_readme_says_so(
    counts: dict[str, int], what: str
) -> None:
    released, share = RELEASED[what]
    assert counts[what] == pytest.approx(released, rel=share)
    assert f"| {counts[what]:,} |\n" in (FOLDER / "README.md").read_text(encoding="utf-8")


def test_a_full_data_set_has_the_shares_of_the_release(full_size: pd.DataFrame) -> None:
    assert (full_size["style"] > 0).mean() == pytest.approx(556 / 801, rel=0.02)
    images = full_size.drop_duplicates(["split", "image"])
    assert (images["source"] == "user").mean() == pytest.approx(1 / 3, rel=0.05)


def test_annotations_are_flawless_for_the_platform_and_of_realistic_size() -> None:
    images = images_of("train", 300)
    files = [draw_annotation(shown, 466, 622, str(n)) for n, shown in enumerate(images)]
    for shown, content in zip(images, files, strict=True):
        read = parse(content)
        assert (read.source, read.pair_id) == (shown.source, shown.pair_id)
        assert {item.reason for item in read.items} == {None}
        labels = [(item.labels["style"], item.labels["category_id"]) for item in read.items]
        assert labels == [tuple(item) for item in shown.items]
    assert 3_000 < sum(map(len, files)) / len(files) < 6_000
    assert max(map(len, files)) > 10_000
    assert files[0] != draw_annotation(images[0], 466, 622, "another seed")


def test_pictures_have_the_size_of_photos() -> None:
    sizes, pixels = [], []
    for number in range(24):
        picture, buffer = draw_photo(str(number)), io.BytesIO()
        picture.save(buffer, "JPEG", quality=92)
        sizes.append(len(buffer.getvalue()))
        pixels.append(picture.width * picture.height)
    assert sum(sizes) / len(sizes) == pytest.approx(BYTES, rel=0.1)
    assert sum(pixels) / len(pixels) == pytest.approx(466 * 622, rel=0.1)


IMAGES = {"train": 30, "validation": 12, "test": 9}
PHOTOS = {"train": 7, "validation": 5, "test": 3}


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set of three splits, its pictures beside it."""
    folder = tmp_path_factory.mktemp("inputs")
    make_data_set(folder / "in", IMAGES, make_photos(folder / "photos", PHOTOS))
    return folder


def test_images_are_links_to_different_pictures_and_no_split_shares_one(work: Path) -> None:
    files = [path.read_bytes() for path in (work / "photos").glob("*/*.jpg")]
    assert len(set(files)) == len(files) == 15
    links = {
        split: {path.stat().st_ino for path in (work / "in" / split / "image").iterdir()}
        for split in IMAGES
    }
    assert {split: len(of_split) for split, of_split in links.items()} == PHOTOS
    assert len(set.union(*links.values())) == 15


def test_boxes_belong_to_the_picture_that_they_are_given_with(work: Path) -> None:
    for path in (work / "in/train/annos").iterdir():
        with Image.open(work / "in/train/image" / f"{path.stem}.jpg") as image:
            width, height = image.size
        for item in parse(path.read_bytes()).items:
            assert item.box is not None
            x1, y1, x2, y2 = item.box
            assert 0 <= x1 < min(x2, width)
            assert x2 <= width + 9
            assert 0 <= y1 < y2 <= height


def test_a_smaller_data_set_is_the_first_part_of_a_larger_one(work: Path) -> None:
    photos = make_photos(work / "photos", {"train": 7})
    part = make_data_set(work / "part", {"train": 4}, photos)
    for kind in ("image", "annos"):
        for path in (part / "train" / kind).iterdir():
            assert path.read_bytes() == (work / "in/train" / kind / path.name).read_bytes()


def test_what_a_data_set_takes_is_known_before_it_is_made(work: Path) -> None:
    files = [path.stat() for path in (work / "in").rglob("*.json")]
    files += [path.stat() for path in (work / "photos").glob("*/*.jpg")]
    taken = sum(one.st_blocks * 512 for one in files)
    assert bytes_of(IMAGES, PHOTOS) == pytest.approx(taken, rel=0.25)
    assert 5e9 < bytes_of(FULL_SIZE, FULL_SIZE_PHOTOS) + 198_140 * 45_000 < 20e9
