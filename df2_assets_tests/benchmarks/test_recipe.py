"""The baseline does what the platform does, on the SKUs that have both domains."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks import codec, recipe
from benchmarks.data import make_data_set, make_photos
from benchmarks.measure import python, run
from df2_assets_tests.support.run import build


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`in`, what the platform makes of it (`ours`), and what the recipe does (`theirs`)."""
    folder = tmp_path_factory.mktemp("recipe")
    photos = make_photos(folder / "photos", {"train": 20})
    make_data_set(folder / "in", {"train": 90}, photos)
    past_every_edge(folder / "in/train/annos/000001.json")
    assert build(folder / "in", folder / "ours").success
    recipe.make(folder / "in", folder / "theirs", "train")
    return folder


def past_every_edge(path: Path) -> None:
    content = json.loads(path.read_bytes())
    content["item1"]["bounding_box"] = [-3, -4, 9_999, 9_999]
    path.write_text(json.dumps(content))


def skus(root: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((root / "train_sku_metadata.json").read_bytes())
    assert found["num_skus"] == len(found["skus"]) > 3
    return dict(found["skus"])


def crop_files(root: Path) -> set[str]:
    return {path.relative_to(root).as_posix() for path in root.glob("train/*/*/*.jpg")}


def test_both_have_the_same_skus_in_the_same_order(work: Path) -> None:
    ours, theirs = skus(work / "ours"), skus(work / "theirs")
    assert list(ours.items()) == list(theirs.items())
    assert [list(sku) for sku in ours.values()] == [list(sku) for sku in theirs.values()]


def test_both_have_the_same_lines(work: Path) -> None:
    ours, theirs = (
        [
            json.loads(line)
            for line in (work / side / "train_image_text.jsonl").read_text().splitlines()
        ]
        for side in ("ours", "theirs")
    )
    assert [list(line.items()) for line in ours] == [list(line.items()) for line in theirs]


def test_both_cut_the_same_bytes(work: Path) -> None:
    crops = [crop for sku in skus(work / "ours").values() for crop in sku["catalog"] + sku["query"]]
    assert any(crop["image_id"] == "000001" for crop in crops)
    for crop in crops:
        ours, theirs = (work / side / crop["crop_path"] for side in ("ours", "theirs"))
        assert ours.read_bytes() == theirs.read_bytes()


def test_the_recipe_cuts_every_item_with_a_style_and_leaves_the_unpaired_on_disk(
    work: Path,
) -> None:
    files = [json.loads(path.read_bytes()) for path in (work / "in/train/annos").iterdir()]
    items = [of for one in files for key, of in one.items() if key.startswith("item")]
    assert len(crop_files(work / "theirs")) == sum(item["style"] > 0 for item in items)
    assert crop_files(work / "ours") < crop_files(work / "theirs")


def test_the_codec_is_measured_on_the_crops_of_the_build(work: Path) -> None:
    crops = codec.crops_by_image(work / "ours", ["train"])
    assert {path for of in crops.values() for path, _ in of} == crop_files(work / "ours")
    seconds = codec.measure(work / "in", crops, work / "scratch")
    assert min(seconds.values()) > 0
    assert crop_files(work / "scratch") == crop_files(work / "ours")
    for path in crop_files(work / "ours"):
        assert (work / "scratch" / path).read_bytes() == (work / "ours" / path).read_bytes()


def test_the_commands_are_the_functions(work: Path) -> None:
    run(python("benchmarks.recipe", work / "in", work / "again", "train"))
    assert crop_files(work / "again") == crop_files(work / "theirs")
    command = python("benchmarks.codec", work / "in", work / "ours", "train", "--every", "3")
    printed = json.loads(run(command).output)
    images = codec.crops_by_image(work / "ours", ["train"])
    assert printed["images"] == len(list(images)[::3])
    assert printed["write"] == 0


def test_the_recipe_imports_nothing_of_the_platform_but_its_words() -> None:
    program = "import sys, benchmarks.recipe; print(*sorted(sys.modules))"
    loaded = run([sys.executable, "-c", program]).output.split()
    assert {name for name in loaded if name.startswith("df2_assets.")} == {
        "df2_assets.dataset",
        "df2_assets.dataset.prompts",
        "df2_assets.dataset.taxonomy",
    }
    assert not {"dagster", "pandas", "pyarrow", "numpy", "loky"} & set(loaded)
