"""The recipe, alone and in a pool, writes what the platform writes for SKUs with both domains."""

import json
import sys
from pathlib import Path

import pytest
from PIL import Image

from benchmarks import codec, recipe
from benchmarks.data import make_data_set, make_photos
from benchmarks.measure import python_command, run
from df2_assets_tests.support.compare import metadata, rows, tree
from df2_assets_tests.support.run import build

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with `in`, the platform's output (`ours`), and the recipe's (`theirs`, `pool`)."""
    folder = tmp_path_factory.mktemp("recipe")
    photos = make_photos(folder / "photos", {"train": 20})
    make_data_set(folder / "in", {"train": 90}, photos)
    past_every_edge(folder / "in/train/annos/000001.json")
    assert build(folder / "in", folder / "ours").success
    recipe.make(folder / "in", folder / "theirs", "train")
    run(python_command("benchmarks.recipe", folder / "in", folder / "pool", "--processes", "3"))
    return folder


def past_every_edge(path: Path) -> None:
    content = json.loads(path.read_bytes())
    content["item1"]["bounding_box"] = [-3, -4, 9_999, 9_999]
    path.write_text(json.dumps(content))


def crops(root: Path) -> dict[str, bytes]:
    return {path: data for path, data in tree(root, "train").items() if data is not None}


@pytest.mark.parametrize("name", ["theirs", "pool"])
def test_both_write_the_same_skus_lines_and_crops(work: Path, name: str) -> None:
    ours, theirs = work / "ours", work / name
    skus = metadata(ours, "train")["skus"]
    assert len(skus) == metadata(theirs, "train")["num_skus"] > 3
    assert json.dumps(skus) == json.dumps(metadata(theirs, "train")["skus"]), "keys in order"
    assert json.dumps(rows(ours, "train")) == json.dumps(rows(theirs, "train"))
    assert any("/000001_item" in path for path in crops(ours))
    assert crops(ours).items() < crops(theirs).items()


def test_the_recipe_cuts_every_item_with_a_style(work: Path) -> None:
    files = [json.loads(path.read_bytes()) for path in (work / "in/train/annos").iterdir()]
    items = [item for file in files for key, item in file.items() if key.startswith("item")]
    assert len(crops(work / "theirs")) == sum(item["style"] > 0 for item in items)


def test_the_codec_is_measured_on_the_crops_of_the_build(work: Path) -> None:
    by_image = codec.crops_by_image(work / "ours", ["train"])
    seconds = codec.measure(work / "in", by_image, work / "scratch")
    assert min(seconds.values()) > 0
    assert crops(work / "scratch") == crops(work / "ours")


def test_the_codec_does_not_copy_an_image_that_is_rgb_already(
    work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(Image.Image, "convert")
    by_image = codec.crops_by_image(work / "ours", ["train"])
    assert codec.measure(work / "in", by_image)["decode"] > 0


def test_the_commands_are_the_functions(work: Path) -> None:
    run(python_command("benchmarks.recipe", work / "in", work / "again", "train"))
    assert crops(work / "again") == crops(work / "theirs")
    command = python_command(
        "benchmarks.codec", work / "in", work / "ours", "train", "--every", "3"
    )
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
