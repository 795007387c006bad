"""Crop variants, masks and landmarks as items of the Dataset."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from df2_assets.errors import IncompleteSplitError, MissingTableError, ProvenanceError
from df2_assets.store.crop_lines import find_label_lines
from df2_assets.store.layout import Roots
from df2_assets_tests.support import compare, run
from df2_assets_tests.support.builder import DataSet, item
from df2_assets_tests.support.labelled import write_labels, write_variants

pytestmark = [pytest.mark.torch, pytest.mark.slow]

SPLIT = "train"
TOP, TROUSERS = 1, 8
BOX = (20, 10, 100, 50)
"""The box of every item: 80 by 40 pixels."""

POLYGON = [30.0, 10.0, 70.0, 10.0, 70.0, 30.0, 30.0, 30.0]
"""A rectangle of 40 by 20 pixels, 10 from the left edge of the box."""

SEGMENTATIONS = {3: [], 6: [[0, 0, 160, 0, 160, 120, 0, 120]]}
"""The polygons of other tops, by image: none, and one that fills the box."""

VARIANTS = """
variants:
  square40: {square: pad, size: 40}
  cut_out: {cut_out: alpha, format: png, margin: 0.1}
  filled: {cut_out: alpha, format: webp}
"""

POINTS = [30.0, 10.0, 2.0, 70.0, 30.0, 1.0]


def landmarks(count: int) -> list[float]:
    """Return a visible landmark, an occluded one, and others that are not labelled."""
    return POINTS + [0.0] * 3 * (count - 2)


def write(root: Path) -> DataSet:
    """Write three pairs of images with a top and trousers."""
    data = DataSet(root)
    for pair in (1, 2, 3):
        for source in ("shop", "user"):
            number = 2 * pair + (source == "user")
            data.image(SPLIT, number, (160, 120))
            shapes: dict[str, Any] = {"segmentation": [POLYGON], "landmarks": landmarks(25)}
            if number in SEGMENTATIONS:
                shapes["segmentation"] = SEGMENTATIONS[number]
            below: dict[str, Any] = {"segmentation": [POLYGON], "landmarks": landmarks(14)}
            items: dict[int | str, Any] = {
                1: item(TOP, 1, BOX, **shapes),
                2: item(TROUSERS, 2, BOX, **below),
            }
            data.annotation(SPLIT, number, source, pair, items)
    return data


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build with labels and three variants, and return its SKU_ROOT."""
    base = tmp_path_factory.mktemp("labelled")
    write(base / "df2")
    assert run.build(base / "df2", base / "sku").success
    roots = Roots(base / "df2", base / "sku", "")
    write_labels(roots, SPLIT)
    write_variants(roots, SPLIT, VARIANTS)
    return base / "sku"


def open_dataset(root: Path, **options: Any) -> Any:
    from df2_assets.torch import DeepFashion2ImageTextDataset

    return DeepFashion2ImageTextDataset(root, SPLIT, **options)


def of_category(dataset: Any, category_id: int) -> Iterator[dict[str, Any]]:
    items = (dataset[place] for place in range(len(dataset)))
    return (item for item in items if item["meta"]["category_id"] == category_id)


def bounds(mask: Any) -> tuple[int, ...] | None:
    """Return the box around a mask."""
    return Image.fromarray(mask.numpy().astype(np.uint8)).getbbox()


def test_mask_and_landmarks_are_in_the_pixels_of_the_crop(labelled: Path) -> None:
    import torch

    first = next(of_category(open_dataset(labelled, labels=True), TROUSERS))
    mask, points = first["mask"], first["landmarks"]
    assert (mask.dtype, tuple(mask.shape)) == (torch.bool, (40, 80))
    assert (bounds(mask), int(mask.sum())) == ((10, 0, 50, 20), 800)
    assert (points.dtype, tuple(points.shape)) == (torch.float32, (294, 3))
    assert first["labels_refused"] == ""


def test_landmarks_of_a_category_have_their_own_places(labelled: Path) -> None:
    from df2_assets.torch import select_landmarks

    dataset = open_dataset(labelled, labels=True)
    expected = [[10.0, 0.0, 2.0], [50.0, 20.0, 1.0]]
    for category_id, start, count in ((TOP, 0, 25), (TROUSERS, 168, 14)):
        points = next(of_category(dataset, category_id))["landmarks"]
        own = select_landmarks(points, category_id)
        assert own.tolist() == expected + [[0.0] * 3] * (count - 2)
        assert points[start : start + 2].tolist() == expected
        assert int((points != 0).any(dim=1).sum()) == 2


def test_in_a_variant_they_are_moved_with_its_pixels(labelled: Path) -> None:
    from df2_assets.torch import select_landmarks

    dataset = open_dataset(labelled, variant="square40", labels=True)
    assert (len(dataset), dataset.rows_left_out) == (12, 0)
    for garment in of_category(dataset, TROUSERS):
        assert (garment["image"].mode, garment["image"].size) == ("RGB", (40, 40))
        # 80 by 40 become 40 by 20, in the middle of the height.
        assert tuple(garment["mask"].shape) == (40, 40)
        assert bounds(garment["mask"]) == (5, 10, 25, 20)
        points = select_landmarks(garment["landmarks"], TROUSERS)
        assert points[:2].tolist() == [[5.0, 10.0, 2.0], [25.0, 20.0, 1.0]]


def test_a_transparent_variant_is_rgba_and_crops_that_it_refused_are_left_out(
    labelled: Path,
) -> None:
    from df2_assets.torch import CatalogQueryPairs, PKBatchSampler

    dataset = open_dataset(labelled, variant="cut_out", labels=True)
    assert (len(dataset), len(dataset.rows), dataset.rows_left_out) == (11, 11, 1)
    missing = "query/000001_01_01/000003_item1.jpg"
    assert not any(row["image_path"].endswith(missing) for row in dataset.rows)
    for garment in (dataset[place] for place in range(11)):
        assert garment["image"].mode == "RGBA"
        alpha = np.asarray(garment["image"].getchannel("A")) > 127
        assert (alpha == garment["mask"].numpy()).mean() > 0.97
    assert len(CatalogQueryPairs(dataset)) == 5
    batches = list(PKBatchSampler(dataset, 2, 2))
    assert {place for batch in batches for place in batch} <= set(range(11))


def test_a_transparent_variant_is_rgba_even_if_a_garment_fills_the_crop(labelled: Path) -> None:
    """WebP then stores no transparency."""
    dataset = open_dataset(labelled, variant="filled")
    folder = labelled / "_df2_assets/variants/filled"
    modes = set()
    for row in dataset.rows:
        with Image.open((folder / row["image_path"]).with_suffix(".webp")) as file:
            modes.add(file.mode)
    assert modes == {"RGB", "RGBA"}
    assert {dataset[place]["image"].mode for place in range(len(dataset))} == {"RGBA"}


def test_refused_labels_are_empty_and_say_why(labelled: Path) -> None:
    dataset = open_dataset(labelled, labels=True)
    (refused,) = (g for g in of_category(dataset, TOP) if g["labels_refused"])
    assert refused["meta"]["image_id"] == "000003"
    assert not refused["mask"].any()
    assert tuple(refused["mask"].shape) == (40, 80)
    assert refused["landmarks"][0].tolist() == [10.0, 0.0, 2.0]


def test_workers_stack_a_batch(labelled: Path) -> None:
    from torch.utils.data import DataLoader

    dataset = open_dataset(labelled, transform=np.array, variant="square40", labels=True)
    loader = DataLoader(dataset, 6, num_workers=1, multiprocessing_context="spawn")
    batch = next(iter(loader))
    assert tuple(batch["mask"].shape) == (6, 40, 40)
    assert tuple(batch["landmarks"].shape) == (6, 294, 3)
    assert tuple(batch["image"].shape) == (6, 40, 40, 3)
    assert len(batch["labels_refused"]) == 6


def test_splits_with_a_variant_are_joined(labelled: Path) -> None:
    from df2_assets.torch import join

    joined = join([open_dataset(labelled, variant="cut_out")])
    assert len(joined) == len(joined.rows) == 11
    assert joined[0]["image"].mode == "RGBA"
    assert "mask" not in joined[0]


def test_the_images_of_a_variant_are_its_files_with_the_lines_of_their_crops(
    labelled: Path,
) -> None:
    dataset = open_dataset(labelled, variant="square40")
    lines = compare.rows(labelled, SPLIT)
    assert [dataset[place]["meta"] for place in range(len(dataset))] == lines
    path = labelled / "_df2_assets/variants/square40" / lines[4]["image_path"]
    with Image.open(path) as file:
        assert np.array_equal(np.asarray(file), np.asarray(dataset[4]["image"]))


def test_what_was_not_built_is_named(labelled: Path, tmp_path: Path) -> None:
    with pytest.raises(MissingTableError, match="'big', it has cut_out, filled, square40"):
        open_dataset(labelled, variant="big")
    copy = shutil.copytree(labelled, tmp_path / "sku")
    find_label_lines(Roots(Path(), copy, ""), SPLIT).unlink()
    with pytest.raises(MissingTableError, match="run df2-assets labels --split train"):
        open_dataset(copy, labels=True)


def test_a_half_built_variant_is_refused(labelled: Path, tmp_path: Path) -> None:
    roots = Roots(Path(), shutil.copytree(labelled, tmp_path / "sku"), "")
    roots.journal(SPLIT, "crop_variants/cut_out").touch()
    with pytest.raises(IncompleteSplitError, match="cut_out of train is half-built"):
        open_dataset(roots.sku_root, variant="cut_out")
    assert open_dataset(roots.sku_root, variant="square40")[0]


def test_a_variant_that_is_not_declared_any_more_is_gone(labelled: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(labelled, tmp_path / "sku")
    declared = VARIANTS.partition("  cut_out")[0]
    write_variants(Roots(labelled.parent / "df2", copy, ""), SPLIT, declared)
    with pytest.raises(MissingTableError, match="no crop variant 'cut_out', it has square40: "):
        open_dataset(copy, variant="cut_out")


def test_labels_and_variants_of_another_build_are_refused(labelled: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(labelled, tmp_path / "sku")
    state = Roots(Path(), copy, "").state(SPLIT)
    state.write_text(state.read_text().replace('"sku_groups ', '"sku_groups 0'))
    for options in ({"labels": True}, {"variant": "square40"}):
        with pytest.raises(ProvenanceError, match=r"another build .* run df2-"):
            open_dataset(copy, **options)
        assert open_dataset(copy, strict=False, **options)[0]
    lines = find_label_lines(Roots(Path(), copy, ""), SPLIT)
    lines.write_bytes(b"".join(lines.read_bytes().splitlines(keepends=True)[:-1]))
    with pytest.raises(ProvenanceError, match="another build"):
        open_dataset(copy, strict=False, labels=True)
