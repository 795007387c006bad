"""The check for SKUs whose crops show several garments."""

import pandas as pd
import pytest
from PIL import Image, ImageEnhance

from df2_assets.checks.finding import Finding
from df2_assets.checks.label_outliers import unlike_crops
from df2_assets_tests.support.looks import SIDE, jpeg, path, seen

RED, GREEN = "#b02828", "#2a9a4e"


def garment(colour: str, light: float = 1.0, stripes: int = 40) -> Image.Image:
    """Draw a garment of one colour with bands of another shade."""
    image = Image.new("RGB", (SIDE, SIDE), colour)
    darker = ImageEnhance.Brightness(image).enhance(0.8)
    for y in range(0, SIDE, stripes):
        image.paste(darker.crop((0, 0, SIDE, stripes // 2)), (0, y))
    return ImageEnhance.Brightness(image).enhance(light)


def judged(images: list[Image.Image], occlusions: dict[int, int] | None = None) -> Finding:
    """Return the finding on one SKU with crops `images`, catalog and query in turns."""
    domains = ("catalog", "query")
    paths = [path(n, domain=domains[n % 2]) for n in range(len(images))]
    crops = seen(zip(paths, map(jpeg, images), strict=True))
    said = [(occlusions or {}).get(n, 1) for n in range(len(images))]
    return unlike_crops(crops, pd.DataFrame({"crop_path": paths, "occlusion": said}), None)


def test_crops_of_one_garment_in_any_light_are_alike() -> None:
    found = judged([garment(RED, light) for light in (0.7, 1.0, 1.2, 0.9)])
    assert found.passed
    assert found.checked_count == 1


def test_the_garment_that_is_another_is_named() -> None:
    found = judged([garment(RED), garment(RED, 0.9), garment(GREEN), garment(RED, 1.1)])
    assert found.offenders["image_id"].tolist() == ["000002"]
    assert found.offenders["distance"].tolist()[0] > 36
    assert found.severity == "warn"
    assert found.numbers == {"skus_unlike": 1, "crops_unlike": 1}


@pytest.mark.parametrize(
    ("colours", "odd"),
    [
        ((RED, RED, GREEN, GREEN, RED), ["000002", "000003"]),
        # Of two equal parts the shop's is the garment.
        ((RED, GREEN, RED, GREEN), ["000001", "000003"]),
    ],
)
def test_all_crops_of_the_smaller_part_are_named(colours: tuple[str, ...], odd: list[str]) -> None:
    assert sorted(judged(list(map(garment, colours))).offenders["image_id"]) == odd


def test_two_crops_are_too_few_to_say_which_is_odd() -> None:
    found = judged([garment(RED), garment(GREEN)])
    assert found.passed
    assert found.checked_count == 0


def test_heavily_occluded_and_greyscale_crops_are_left_out() -> None:
    grey = garment(RED).convert("L").convert("RGB")
    images = [garment(RED), garment(RED), garment(RED), garment(GREEN), grey]
    assert judged(images, occlusions={3: 3}).passed
    assert not judged(images).passed


def test_the_worst_comes_first() -> None:
    skus = {"000001_01_01": "#3a7a3a", "000002_01_01": "#00ff30"}
    paths = {sku: [path(10 * n + place, sku) for place in range(4)] for n, sku in enumerate(skus)}
    crops = [
        (one, jpeg(garment(odd if place == 3 else RED)))
        for sku, odd in skus.items()
        for place, one in enumerate(paths[sku])
    ]
    groups = pd.DataFrame({"crop_path": [one for one, _ in crops], "occlusion": 1})
    found = unlike_crops(seen(crops), groups, None)
    assert found.offenders["sku_id"].tolist() == ["000002_01_01", "000001_01_01"]


def test_a_split_without_crops_passes() -> None:
    crops = seen([(path(1), jpeg(garment(RED)))]).iloc[:0]
    assert unlike_crops(crops, crops[["crop_path"]].assign(occlusion=1), None).passed
